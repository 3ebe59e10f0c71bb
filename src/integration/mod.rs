//! Other crates' traits, each behind a feature.

#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "reqwest")]
pub mod reqwest;
#[cfg(feature = "reqwest-middleware")]
mod reqwest_middleware;
#[cfg(feature = "retry")]
pub mod retry;
#[cfg(feature = "tonic")]
pub mod tonic;
#[cfg(feature = "tower-http")]
mod tower_http;

#[cfg(feature = "axum")]
pub use self::axum::{Breakers, MissingBreaker, WithBreakers};
#[cfg(feature = "reqwest")]
pub use self::reqwest::reqwest_response;
#[cfg(feature = "reqwest-middleware")]
pub use self::reqwest_middleware::{CircuitBreakerMiddleware, PerHost};
#[cfg(feature = "tower-http")]
pub use self::tower_http::TowerHttp;
