//! The configuration of the reference.

use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The number of consecutive failures, and the time that they must span at least.
    pub(crate) consecutive: Option<(u32, Duration)>,
    /// The number of calls, and the time for which they must be pending.
    pub(crate) overdue: Option<(u32, Duration)>,
    /// Parts per million, and the minimum number of calls.
    pub(crate) failure_rate: Option<(u64, u32)>,
    pub(crate) failures: Option<u32>,
    pub(crate) slow: Option<Slow>,
    /// The user's rule: the limit of the sum of failures, slow calls and twice the consecutive failures.
    pub(crate) custom: Option<u64>,
    pub(crate) window: Shape,
    pub(crate) cooldown: Backoff,
    pub(crate) stable_for: Option<Duration>,
    pub(crate) probes: u32,
    pub(crate) lease: Duration,
    pub(crate) decide_by: DecideBy,
    /// The percentages, and how long each lasts.
    pub(crate) ramp: Option<(Vec<u8>, Duration)>,
    pub(crate) throttled: Throttled,
    pub(crate) default_hold: Option<Duration>,
    pub(crate) max_hold: Duration,
    pub(crate) exhausted_hold: Duration,
    pub(crate) exhausted_max: Duration,
    pub(crate) min_hold: Duration,
    /// 0.0 to 1.0.
    pub(crate) hold_jitter: f64,
    pub(crate) cancelled_after: Option<Duration>,
    pub(crate) track_in_flight: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Slow {
    pub(crate) after: Duration,
    pub(crate) per_million: u64,
    pub(crate) min_calls: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    Time { period: Duration, buckets: u32 },
    Count(u32),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    pub(crate) initial: Duration,
    pub(crate) multiplier: u32,
    pub(crate) max: Duration,
    /// 0.0 to 1.0.
    pub(crate) jitter: f64,
    /// The user's function: this wait, multiplied by the attempt plus one. It sets its own maximum.
    pub(crate) callback: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum DecideBy {
    Successes(u32),
    Sample { calls: u32, per_million: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Throttled {
    Hold,
    CountAsFailure,
    Ignore,
}

/// 30 years.
const FOREVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// Caps a time at 30 years.
pub(super) fn cut(time: Duration) -> Duration {
    time.min(FOREVER)
}

impl Config {
    /// Returns the wait of an attempt before jitter.
    pub(super) fn nominal(&self, attempt: u32) -> Duration {
        let Backoff { initial, multiplier, max, .. } = self.cooldown;
        let mut wait = initial;
        for _ in 0..attempt.min(64) {
            wait = wait.saturating_mul(multiplier).min(max);
        }
        cut(wait.min(max))
    }

    /// Returns whether a rule counts consecutive failures.
    pub(super) fn keeps_streak(&self) -> bool {
        self.consecutive.is_some() || self.custom.is_some()
    }

    /// Returns whether a rule reads the window.
    pub(super) fn keeps_window(&self) -> bool {
        self.failure_rate.is_some()
            || self.failures.is_some()
            || self.slow.is_some()
            || self.custom.is_some()
    }

    /// Returns whether a rule needs the duration of a call.
    pub(super) fn keeps_time(&self) -> bool {
        self.slow.is_some() || self.overdue.is_some() || self.cancelled_after.is_some()
    }

    /// Returns whether calls in flight are counted.
    pub(super) fn keeps_in_flight(&self) -> bool {
        self.track_in_flight || self.overdue.is_some()
    }

    /// Returns whether consecutive failures must span a time.
    pub(super) fn streak_is_timed(&self) -> bool {
        self.consecutive.is_some_and(|(_, over)| over > Duration::ZERO)
    }

    /// Returns the resolution of the overdue rule: a tenth of its time.
    pub(super) fn overdue_part(&self) -> Option<u128> {
        self.overdue.map(|(_, after)| after.as_nanos().div_ceil(10))
    }

    /// Returns the shape of the window, or `None` if no rule reads it.
    pub(super) fn shape(&self) -> Option<Shape> {
        self.keeps_window().then_some(self.window)
    }

    /// Returns a minimum of calls, capped at the size of a count window, which holds no more.
    pub(super) fn effective_min(&self, min_calls: u32) -> u64 {
        match self.window {
            Shape::Time { .. } => min_calls.into(),
            Shape::Count(calls) => min_calls.min(calls).into(),
        }
    }
}
