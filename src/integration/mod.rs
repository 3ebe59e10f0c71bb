//! Other crates' traits, each behind a feature.

#[cfg(feature = "retry")]
pub mod retry;
#[cfg(feature = "tower-http")]
mod tower_http;

#[cfg(feature = "tower-http")]
pub use self::tower_http::TowerHttp;
