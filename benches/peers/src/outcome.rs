//! What came of a call, as its caller sees it.

use std::error::Error;

use tower_breaker_benches::inner::Broken;

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The guarded service answered.
    Served,
    /// The guarded service failed.
    Failed,
    /// The breaker answered.
    Rejected,
    /// The fallback answered.
    Replaced,
}

/// The answer of a breaker that has to answer with a response of the guarded service.
pub const REJECTED: u64 = 503;

/// The answer of every fallback.
pub const REPLACED: u64 = 9;

/// An error that knows whether the breaker made it.
pub trait Verdict {
    /// Whether the call was rejected.
    fn rejected(&self) -> bool;
}

/// What came of the call with this result.
pub fn outcome<E: Verdict>(result: &Result<u64, E>) -> Outcome {
    match result {
        Ok(REJECTED) => Outcome::Rejected,
        Ok(REPLACED) => Outcome::Replaced,
        Ok(_) => Outcome::Served,
        Err(error) if error.rejected() => Outcome::Rejected,
        Err(_) => Outcome::Failed,
    }
}

impl Verdict for Broken {
    fn rejected(&self) -> bool {
        false
    }
}

impl Verdict for Box<dyn Error + Send + Sync> {
    fn rejected(&self) -> bool {
        self.is::<tower_breaker::CircuitOpen>()
    }
}
