//! How long until the next attempt.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::backoff::{Backoff, FOREVER, Random, server_wait};

/// A breaker holds for the wait of a server and up to this much more (`hold_jitter`): a retry comes after that.
const AFTER_THE_HOLD: u32 = 10; // a tenth
/// What is added at random on top of that.
const SPREAD: f64 = 0.1;

#[derive(Clone, Copy, Debug)]
pub(super) struct Delay {
    backoff: Backoff,
    pub(super) max_wait: Duration,
}

impl Delay {
    pub(super) const DEFAULT: Self = Self {
        backoff: Backoff::exponential(Duration::from_millis(500), Duration::from_secs(8))
            .jitter(0.25),
        max_wait: Duration::from_secs(60),
    };

    /// Nobody has validated this one: figures out of range are taken as the nearest in range.
    pub(super) fn set_backoff(&mut self, backoff: Backoff) {
        // Written so that NaN fails them, too.
        let multiplier = if backoff.multiplier > 1.0 { backoff.multiplier } else { 1.0 };
        let jitter = if backoff.jitter > 0.0 { backoff.jitter.min(1.0) } else { 0.0 };
        self.backoff = backoff.multiplier(multiplier).jitter(jitter);
    }

    /// Before retry number `made`, from 0 on, of a server that asked for a wait. `None`: too long.
    pub(super) fn before(&self, made: u32, asked: Option<Duration>) -> Option<Duration> {
        // New keys each time: requests that share a policy must not share their luck. Who sleeps can afford it.
        let mut random = Random::new(RandomState::new().hash_one(made));
        match asked.filter(|asked| !asked.is_zero()) {
            Some(asked) if asked > self.max_wait => None,
            Some(asked) => {
                let spread = server_wait(asked, FOREVER, SPREAD, &mut random);
                Some(spread.saturating_add(asked.min(FOREVER) / AFTER_THE_HOLD))
            }
            None => {
                let nominal = self.backoff.nominal(made);
                Some(nominal.mul_f64(1.0 - self.backoff.jitter * random.unit()))
            }
        }
    }
}
