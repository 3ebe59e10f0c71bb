//! Integrations with other crates, one module and one feature each.

#[cfg(feature = "axum")]
pub mod with_axum;
#[cfg(feature = "reqwest")]
pub mod with_reqwest;
#[cfg(feature = "reqwest-middleware")]
pub mod with_reqwest_middleware;
#[cfg(feature = "tonic")]
pub mod with_tonic;
#[cfg(feature = "tower-http")]
pub mod with_tower_http;
