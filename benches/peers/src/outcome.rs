//! The outcome of a call, as its caller sees it.

use std::error::Error;

use tower_breaker_benches::inner::Broken;

/// The outcome of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The guarded service responded.
    Served,
    /// The guarded service failed.
    Failed,
    /// The breaker rejected the call.
    Rejected,
    /// The fallback answered.
    Replaced,
}

/// The answer of a breaker that can only reject with a response of the guarded service.
pub const REJECTED: u64 = 503;

/// The answer of every fallback.
pub const REPLACED: u64 = 9;

/// An error that may be a rejection.
pub trait MaybeRejection {
    /// Returns `true` if the breaker rejected the call.
    fn is_rejection(&self) -> bool;
}

/// Returns the outcome of the call with this result.
pub fn outcome<E: MaybeRejection>(result: &Result<u64, E>) -> Outcome {
    match result {
        Ok(REJECTED) => Outcome::Rejected,
        Ok(REPLACED) => Outcome::Replaced,
        Ok(_) => Outcome::Served,
        Err(error) if error.is_rejection() => Outcome::Rejected,
        Err(_) => Outcome::Failed,
    }
}

impl MaybeRejection for Broken {
    fn is_rejection(&self) -> bool {
        false
    }
}

impl MaybeRejection for Box<dyn Error + Send + Sync> {
    fn is_rejection(&self) -> bool {
        self.is::<tower_breaker::CircuitOpen>()
    }
}
