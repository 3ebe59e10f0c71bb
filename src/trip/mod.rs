//! The rules that trip a circuit.

pub(crate) mod overdue;
pub(crate) mod rules;
pub(crate) mod streak;

use std::time::Duration;

/// The rules that trip a circuit. Several can be active; the circuit opens when any of them is met.
///
/// [`SettingsBuilder::build`](crate::SettingsBuilder::build) checks the numbers: counts are at least 1, rates are from
/// 0.000001 to 1.0, and durations are at most 30 years.
///
/// ```
/// use std::time::Duration;
/// use tower_breaker::{Settings, Trip, Window};
///
/// let settings = Settings::builder()
///     .trip(
///         Trip::none()
///             .consecutive(5)
///             .failure_rate(0.5, 20)
///             .slow(Duration::from_secs(2), 0.8, 20)
///             .overdue(5, Duration::from_secs(5)),
///     )
///     .window(Window::time(Duration::from_secs(30)))
///     .build()?;
/// # let _ = settings;
/// # Ok::<_, tower_breaker::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Default)]
#[must_use]
pub struct Trip {
    pub(crate) consecutive: Option<Consecutive>,
    pub(crate) overdue: Option<Overdue>,
    pub(crate) failure_rate: Option<FailureRate>,
    pub(crate) failures: Option<u32>,
    pub(crate) slow: Option<Slow>,
}

/// A number of consecutive failures that span at least a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Consecutive {
    pub(crate) failures: u32,
    pub(crate) over: Duration,
}

/// A number of calls that have been pending for longer than a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overdue {
    pub(crate) calls: u32,
    pub(crate) after: Duration,
}

/// A share of failures in the window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FailureRate {
    pub(crate) rate: f64,
    pub(crate) min_calls: u32,
}

/// A share of slow calls in the window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slow {
    pub(crate) after: Duration,
    pub(crate) rate: f64,
    pub(crate) min_calls: u32,
}

impl Trip {
    /// Creates a set without rules: only a server's wait, an operator or a custom rule opens the circuit.
    pub const fn none() -> Self {
        Self { consecutive: None, overdue: None, failure_rate: None, failures: None, slow: None }
    }

    /// Trips after `failures` consecutive failures.
    pub const fn consecutive(mut self, failures: u32) -> Self {
        let over = match self.consecutive {
            Some(rule) => rule.over,
            None => Duration::ZERO,
        };
        self.consecutive = Some(Consecutive { failures, over });
        self
    }

    /// Requires that the consecutive failures span at least `over`, from the first to the last. Default: 0; 500 ms in
    /// the client presets, because one HTTP/2 reset ends a hundred streams within a millisecond and is not an outage.
    ///
    /// Has no effect without [`consecutive`](Self::consecutive).
    pub const fn consecutive_over(mut self, over: Duration) -> Self {
        if let Some(rule) = self.consecutive {
            self.consecutive = Some(Consecutive { failures: rule.failures, over });
        }
        self
    }

    /// Trips when `calls` calls have been pending for longer than `after`, 10 ms or more. They are counted while they
    /// are pending, up to a tenth of `after` late and never early.
    ///
    /// The rule is evaluated when a call asks for admission (if the rule is met, that call is rejected) and by a timer
    /// while a task waits on the [`BreakerHandle`](crate::BreakerHandle).
    pub const fn overdue(mut self, calls: u32, after: Duration) -> Self {
        self.overdue = Some(Overdue { calls, after });
        self
    }

    /// Trips when the failure rate in the window is at least `rate`, if the window holds at least `min_calls` calls.
    pub const fn failure_rate(mut self, rate: f64, min_calls: u32) -> Self {
        self.failure_rate = Some(FailureRate { rate, min_calls });
        self
    }

    /// Trips after `failures` failures in the window, counted by weight.
    pub const fn failures(mut self, failures: u32) -> Self {
        self.failures = Some(failures);
        self
    }

    /// Trips when the share of slow calls in the window is at least `rate`, if the window holds at least `min_calls`
    /// calls. A call is slow if it takes at least `after`, above 0, whether it succeeds or fails.
    pub const fn slow(mut self, after: Duration, rate: f64, min_calls: u32) -> Self {
        self.slow = Some(Slow { after, rate, min_calls });
        self
    }

    /// Removes the rule on consecutive failures.
    pub const fn no_consecutive(mut self) -> Self {
        self.consecutive = None;
        self
    }

    /// Removes the rule on overdue calls.
    pub const fn no_overdue(mut self) -> Self {
        self.overdue = None;
        self
    }

    /// Removes the rule on the failure rate.
    pub const fn no_failure_rate(mut self) -> Self {
        self.failure_rate = None;
        self
    }

    /// Removes the rule on the failure count.
    pub const fn no_failures(mut self) -> Self {
        self.failures = None;
        self
    }

    /// Removes the rule on the slow-call rate.
    pub const fn no_slow(mut self) -> Self {
        self.slow = None;
        self
    }

    /// Returns whether a rule counts the calls of the window.
    pub(crate) const fn needs_window(&self) -> bool {
        self.failure_rate.is_some() || self.failures.is_some() || self.slow.is_some()
    }
}
