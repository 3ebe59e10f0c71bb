//! The numbers of a breaker, as plainly as they can be written.

use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// So many failures in a row, spanning at least a time.
    pub(crate) consecutive: Option<(u32, Duration)>,
    /// So many calls that are pending for longer than a time.
    pub(crate) overdue: Option<(u32, Duration)>,
    /// Parts per million, of at least so many calls.
    pub(crate) failure_rate: Option<(u64, u32)>,
    pub(crate) failures: Option<u32>,
    pub(crate) slow: Option<Slow>,
    /// The user's own rule: failures, slow calls and twice the failures in a row make so many.
    pub(crate) custom: Option<u64>,
    pub(crate) window: Shape,
    pub(crate) cooldown: Backoff,
    pub(crate) stable_for: Option<Duration>,
    pub(crate) probes: u32,
    pub(crate) lease: Duration,
    pub(crate) verdict: Verdict,
    /// Percentages, and how long each lasts.
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
    /// The user's own function: so long, once more for each attempt. It is its own maximum.
    pub(crate) own: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
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

/// No time is longer than 30 years.
pub(super) fn cut(time: Duration) -> Duration {
    time.min(FOREVER)
}

impl Config {
    /// The wait of the first attempt, or of a later one, before jitter.
    pub(super) fn nominal(&self, attempt: u32) -> Duration {
        let Backoff { initial, multiplier, max, .. } = self.cooldown;
        let mut wait = initial;
        for _ in 0..attempt.min(64) {
            wait = wait.saturating_mul(multiplier).min(max);
        }
        cut(wait.min(max))
    }

    /// Some rule counts failures in a row.
    pub(super) fn keeps_streak(&self) -> bool {
        self.consecutive.is_some() || self.custom.is_some()
    }

    /// Some rule looks at a window.
    pub(super) fn keeps_window(&self) -> bool {
        self.failure_rate.is_some()
            || self.failures.is_some()
            || self.slow.is_some()
            || self.custom.is_some()
    }

    /// Some rule asks how long a call took.
    pub(super) fn keeps_time(&self) -> bool {
        self.slow.is_some() || self.overdue.is_some() || self.cancelled_after.is_some()
    }

    /// Calls in flight are counted.
    pub(super) fn keeps_in_flight(&self) -> bool {
        self.track_in_flight || self.overdue.is_some()
    }

    /// The failures in a row have to span a time.
    pub(super) fn streak_is_timed(&self) -> bool {
        self.consecutive.is_some_and(|(_, over)| over > Duration::ZERO)
    }

    /// A tenth of the time of the overdue rule: its resolution.
    pub(super) fn overdue_part(&self) -> Option<u128> {
        self.overdue.map(|(_, after)| after.as_nanos().div_ceil(10))
    }

    /// The shape of the window that is kept.
    pub(super) fn shape(&self) -> Option<Shape> {
        self.keeps_window().then_some(self.window)
    }

    /// A minimum that a window of the last calls can never reach means that window's size.
    pub(super) fn effective_min(&self, min_calls: u32) -> u64 {
        match self.window {
            Shape::Time { .. } => min_calls.into(),
            Shape::Count(calls) => min_calls.min(calls).into(),
        }
    }
}
