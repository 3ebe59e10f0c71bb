//! The crate without its integrations, one module for each subject.

#[cfg(feature = "http")]
mod bodies;
#[cfg(all(feature = "http", feature = "llm"))]
mod composition;
mod conformance;
#[cfg(all(feature = "http", feature = "llm"))]
mod contract;
mod defects;
mod fallback;
mod layering;
mod rules;
mod stress;
#[path = "../support/mod.rs"]
mod support;
#[cfg(feature = "tracing")]
mod tracing;
