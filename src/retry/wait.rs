//! The waits of a retry: before the next attempt, and for an open circuit.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::backoff::{Backoff, FOREVER, Random, server_wait};

/// The divisor of the part of a server's wait that is added to it: a tenth.
///
/// A breaker holds for the wait of a server and up to a tenth more (`hold_jitter`). A retry must come after that.
const HOLD_MARGIN: u32 = 10;

/// The random share that is added to a server's wait on top of [`HOLD_MARGIN`].
const SPREAD: f64 = 0.1;

/// The waits before the next attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct RetryWait {
    backoff: Backoff,
    pub(super) max_wait: Duration,
}

impl RetryWait {
    pub(super) const DEFAULT: Self = Self {
        backoff: Backoff::exponential(Duration::from_millis(500), Duration::from_secs(8))
            .jitter(0.25),
        max_wait: Duration::from_secs(60),
    };

    /// Sets the backoff. Unlike that of `Settings`, it is not validated, so values out of range are clamped.
    pub(super) fn set_backoff(&mut self, backoff: Backoff) {
        // Each condition is false for NaN.
        let multiplier = if backoff.multiplier > 1.0 { backoff.multiplier } else { 1.0 };
        let jitter = if backoff.jitter > 0.0 { backoff.jitter.min(1.0) } else { 0.0 };
        self.backoff = backoff.multiplier(multiplier).jitter(jitter);
    }

    /// Returns the wait before retry number `made`, counted from 0, or `None` if `asked`, the wait of the server, is too
    /// long.
    pub(super) fn before(&self, made: u32, asked: Option<Duration>) -> Option<Duration> {
        // New keys for each wait: requests that share a policy must not get the same jitter. A request that is about to
        // sleep can afford them.
        let mut random = Random::new(RandomState::new().hash_one(made));
        match asked.filter(|asked| !asked.is_zero()) {
            Some(asked) if asked > self.max_wait => None,
            Some(asked) => {
                let spread = server_wait(asked, FOREVER, SPREAD, &mut random);
                Some(spread.saturating_add(asked.min(FOREVER) / HOLD_MARGIN))
            }
            None => {
                let nominal = self.backoff.nominal(made);
                Some(nominal.mul_f64(1.0 - self.backoff.jitter * random.unit()))
            }
        }
    }
}

/// The waits of one request for an open circuit.
#[derive(Clone, Copy, Debug)]
pub(super) struct CircuitWait {
    /// The longest wait. `None` if a rejection is final.
    pub(super) up_to: Option<Duration>,
    /// The number of waits that are left.
    pub(super) waits: u32,
}

impl CircuitWait {
    /// Does not wait. Once `up_to` is set, waits once.
    pub(super) const NONE: Self = Self { up_to: None, waits: 1 };

    /// Takes one wait for a circuit that admits calls after `retry_after`. Returns `None` if the request must not wait.
    pub(super) fn take(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        let wait = retry_after.filter(|wait| Some(*wait) <= self.up_to)?;
        self.waits = self.waits.checked_sub(1)?;
        Some(wait)
    }
}
