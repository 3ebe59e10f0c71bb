//! The states of a breaker, its modes, and the causes of its transitions.

use std::fmt;

/// The state of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Calls pass.
    Closed,
    /// Calls are rejected until the cooldown and every hold have ended.
    Open,
    /// A limited number of probes pass (one at a time by default), and their outcomes decide. In a
    /// [`Ramp`](crate::Ramp), a share of the calls passes.
    HalfOpen,
    /// Calls are rejected until an operator releases the breaker or the given time ends.
    ForcedOpen,
    /// Calls pass and nothing is recorded.
    Disabled,
}

impl State {
    /// Returns the lower-case name used in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::Disabled => "disabled",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether the rules or an operator control the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Mode {
    /// The rules control the breaker.
    #[default]
    Normal,
    /// `force_open` was called.
    ForcedOpen,
    /// `disable` was called.
    Disabled,
    /// `shadow` was called: the rules run, and no call is rejected.
    Shadow,
}

impl Mode {
    /// Returns the lower-case name used in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::ForcedOpen => "forced_open",
            Self::Disabled => "disabled",
            Self::Shadow => "shadow",
        }
    }
}

/// The cause of a breaker's current state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// No transition yet, or none since a reset.
    Start,
    /// Too many consecutive failures.
    ConsecutiveFailures,
    /// Too many calls have been pending for too long.
    Overdue,
    /// The failure rate in the window is too high.
    FailureRate,
    /// Too many failures in the window.
    FailureCount,
    /// The slow-call rate in the window is too high.
    SlowRate,
    /// A custom rule (`Config::trip_when`).
    Custom,
    /// The dependency asked for fewer calls and gave a wait.
    Throttled,
    /// The dependency reported that a quota or budget is used up.
    Exhausted,
    /// The cooldown and every hold ended, and a probe may pass.
    CooldownElapsed,
    /// A probe failed.
    ProbeFailed,
    /// A probe did not end within its lease.
    LeaseExpired,
    /// Enough probes succeeded.
    Recovered,
    /// `force_open`.
    ForceOpen,
    /// The time given to `force_open` ended.
    ForceOpenExpired,
    /// `force_closed`.
    ForceClosed,
    /// `release`.
    Release,
    /// `disable`.
    Disable,
    /// `shadow`.
    Shadow,
    /// `reset`.
    Reset,
    /// `hold_for`.
    Hold,
}

impl Cause {
    pub(crate) const ALL: [Self; 21] = [
        Self::Start,
        Self::ConsecutiveFailures,
        Self::Overdue,
        Self::FailureRate,
        Self::FailureCount,
        Self::SlowRate,
        Self::Custom,
        Self::Throttled,
        Self::Exhausted,
        Self::CooldownElapsed,
        Self::ProbeFailed,
        Self::LeaseExpired,
        Self::Recovered,
        Self::ForceOpen,
        Self::ForceOpenExpired,
        Self::ForceClosed,
        Self::Release,
        Self::Disable,
        Self::Shadow,
        Self::Reset,
        Self::Hold,
    ];

    /// Returns the lower-case name used in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::ConsecutiveFailures => "consecutive_failures",
            Self::Overdue => "overdue",
            Self::FailureRate => "failure_rate",
            Self::FailureCount => "failure_count",
            Self::SlowRate => "slow_rate",
            Self::Custom => "custom",
            Self::Throttled => "throttled",
            Self::Exhausted => "exhausted",
            Self::CooldownElapsed => "cooldown_elapsed",
            Self::ProbeFailed => "probe_failed",
            Self::LeaseExpired => "lease_expired",
            Self::Recovered => "recovered",
            Self::ForceOpen => "force_open",
            Self::ForceOpenExpired => "force_open_expired",
            Self::ForceClosed => "force_closed",
            Self::Release => "release",
            Self::Disable => "disable",
            Self::Shadow => "shadow",
            Self::Reset => "reset",
            Self::Hold => "hold",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_listed_at_its_discriminant() {
        for (at, cause) in Cause::ALL.into_iter().enumerate() {
            assert_eq!(cause as usize, at, "{cause}");
        }
    }
}
