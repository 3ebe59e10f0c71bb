//! Circuit breaker and fallback layers for tower.

mod backoff;
mod breaker;
pub mod circuit_breaker;
pub mod classify;
mod clock;
mod config;
mod error;
mod event;
pub mod fallback;
#[cfg(feature = "retry")]
mod integration;
mod machine;
mod outcome;
mod probe;
mod state;
mod sync;
mod trip;
mod window;

pub use backoff::Cooldown;
pub use breaker::{Changed, Events, Handle, Permit, Watch};
pub use circuit_breaker::{
    AnswerWith, CircuitBreaker, CircuitBreakerLayer, Config, Fail, FailInto, FailTyped, OnRejected,
    ToService,
};
#[cfg(feature = "http")]
pub use circuit_breaker::{RespondGrpc, RespondHttp};
pub use classify::{AnswerFor, Classify, Judged};
#[cfg(feature = "http")]
pub use classify::{BreakerBody, Provider};
pub use config::{ConfigError, SettingsBuilder};
pub use error::{AsRejection, BoxError, BreakerError, CircuitOpen};
pub use event::Lagged;
#[cfg(feature = "http")]
pub use fallback::EitherBody;
pub use fallback::{ByResponse, Fallback, FallbackLayer, Keep, OnError, Trigger, When};
#[cfg(feature = "retry")]
pub use integration::retry::{RetryFuture, StopAtRejection};
pub use machine::{Exhausted, Settings, Snapshot, Throttled, Totals, Transition, WindowSnapshot};
pub use outcome::{Class, LastError, Outcome};
pub use probe::{Probe, Ramp};
pub use state::{Cause, Mode, State};
pub use trip::Trip;
pub use window::Window;
