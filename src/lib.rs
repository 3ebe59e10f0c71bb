//! Circuit breaker and fallback layers for tower.
#![allow(dead_code, unused_imports, missing_docs)]
mod backoff;
mod error;
mod machine;
mod outcome;
mod probe;
mod state;
mod sync;
mod trip;
mod window;

pub use backoff::Cooldown;
pub use error::{BoxError, BreakerError, CircuitOpen};
pub use machine::{Exhausted, Settings, Throttled};
pub use outcome::{Class, LastError, Outcome};
pub use probe::{Probe, Ramp};
pub use state::{Cause, Mode, State};
pub use trip::Trip;
pub use window::Window;
