//! Compiles the documents whose code uses the clients of the integrations.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../docs/recipes/async-openai.md")]
struct AsyncOpenAi;
