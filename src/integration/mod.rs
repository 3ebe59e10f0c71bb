//! Integrations with other crates, one module and one feature each. None is on by default.
//!
//! | feature | what it adds |
//! |---|---|
//! | `tonic` | converts a rejection into a `tonic::Status`, finds a rejection in a `Status`, classifies a `Status` |
//! | `axum` | `Breakers`: a handler takes a breaker as an argument. [`CircuitOpen`](crate::CircuitOpen) and [`BreakerError`](crate::BreakerError) are responses |
//! | `tower-http` | `TowerHttp`: a classifier of `tower_http::trace` (any `MakeClassifier`) as a classifier of a breaker |
//! | `reqwest` | `reqwest::Client` inside a breaker, which also classifies its bodies; `reqwest_response` converts guarded responses of other clients |
//! | `reqwest-middleware` | `CircuitBreakerMiddleware`: one breaker for a client of reqwest-middleware, or one for each host |

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
