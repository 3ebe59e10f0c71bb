//! Other crates' traits, each behind a feature.

#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "reqwest-middleware")]
mod reqwest_middleware;
#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "retry")]
pub mod retry;
#[cfg(feature = "tower-http")]
mod tower_http;

#[cfg(feature = "reqwest")]
pub use self::reqwest::reqwest_response;
#[cfg(feature = "reqwest-middleware")]
pub use self::reqwest_middleware::{CircuitBreakerMiddleware, PerHost};
#[cfg(feature = "axum")]
pub use self::axum::{Breakers, MissingBreaker, WithBreakers};
#[cfg(feature = "tower-http")]
pub use self::tower_http::TowerHttp;
