//! Other crates' traits, each behind a feature.

#[cfg(feature = "retry")]
pub mod retry;
