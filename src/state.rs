//! The states of a breaker, its modes, and why it changed.

use std::fmt;

/// What a breaker does with the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Calls pass.
    Closed,
    /// Calls are rejected until the cooldown ends.
    Open,
    /// Probes pass, a few at a time (one by default), and decide; in a [`Ramp`](crate::Ramp), a share of the calls.
    HalfOpen,
    /// Calls are rejected until a person releases the breaker, or the time that person gave ends.
    ForcedOpen,
    /// Calls pass and nothing is recorded.
    Disabled,
}

impl State {
    /// The lower-case name used in logs and metrics.
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

/// Who is in charge: the rules, or a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Mode {
    /// The rules decide.
    #[default]
    Normal,
    /// `force_open` was called.
    ForcedOpen,
    /// `disable` was called.
    Disabled,
    /// `shadow` was called: the rules run, and nobody is rejected.
    Shadow,
}

impl Mode {
    /// The lower-case name used in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::ForcedOpen => "forced_open",
            Self::Disabled => "disabled",
            Self::Shadow => "shadow",
        }
    }
}

/// Why a breaker is in the state it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// Nothing happened yet, or somebody reset the breaker.
    Start,
    /// So many failures in a row.
    ConsecutiveFailures,
    /// So many calls that are pending for too long.
    Overdue,
    /// Too large a share of failures in the window.
    FailureRate,
    /// Too many failures in the window.
    FailureCount,
    /// Too large a share of slow calls in the window.
    SlowRate,
    /// The user's own rule.
    Custom,
    /// The dependency asked for fewer calls and said how long to wait.
    Throttled,
    /// The dependency said that a quota or budget is used up.
    Exhausted,
    /// The cooldown ended and a probe was let through.
    CooldownElapsed,
    /// A probe failed.
    ProbeFailed,
    /// A probe did not end within its lease.
    LeaseExpired,
    /// Enough probes succeeded.
    Recovered,
    /// A person or a program used the handle: `force_open`.
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

    /// The lower-case name used in logs and metrics.
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
    fn every_cause_is_listed_at_its_own_number() {
        for (at, cause) in Cause::ALL.into_iter().enumerate() {
            assert_eq!(cause as usize, at, "{cause}");
        }
    }
}
