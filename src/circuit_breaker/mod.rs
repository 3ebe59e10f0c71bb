//! The circuit breaker as a tower middleware.

mod config;
mod future;
mod layer;
mod presets;
mod rejected;
#[cfg(feature = "http")]
mod respond;
mod service;
mod to_service;

pub use config::Config;
pub use future::ResponseFuture;
pub use layer::CircuitBreakerLayer;
pub use rejected::{AnswerWith, Fail, FailInto, FailTyped, OnRejected};
#[cfg(feature = "http")]
pub use respond::{RespondGrpc, RespondHttp};
pub use service::CircuitBreaker;
pub use to_service::{ToService, ToServiceFuture};
