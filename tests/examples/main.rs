//! The examples, run as programs. Their claims hold, and do not hold if there is no outage.
//!
//! The tests do not build the examples. `cargo test` does; after `cargo test --test examples`, run
//! `cargo build --examples` with the same features.

#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "http")]
mod outage;
#[cfg(feature = "http")]
mod plain_and_hyper;
#[cfg(feature = "reqwest")]
mod reqwest;
mod soak;
#[cfg(feature = "llm")]
mod streaming;
#[path = "../support/mod.rs"]
mod support;
#[cfg(feature = "tonic")]
mod tonic;
