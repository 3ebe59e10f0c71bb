//! The examples of this package, run as programs.

mod async_openai;
mod reqwest_middleware;
