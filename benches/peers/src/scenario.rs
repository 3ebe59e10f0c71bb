use std::fmt;

/// What happens to a measured call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Closed; the call succeeds.
    ClosedSuccess,
    /// Closed, with thresholds that are never reached; the call fails.
    ClosedFailure,
    /// Open for an hour; the call is rejected.
    Rejection,
    /// Half-open, all its probes under way and never ending; the call is rejected.
    HalfOpenRejection,
    /// Half-open; the call is admitted as a probe, polled once and dropped before it has ended.
    HalfOpenCancelled,
    /// Closed; 64 tasks on two workers make calls that succeed.
    Tokio,
    /// Closed; the call succeeds, and so many before it are still in the time window.
    Window(u64),
    /// The primary fails and the fallback answers.
    FallbackServed,
    /// The primary succeeds and the fallback is not needed.
    FallbackUnused,
}

impl Scenario {
    /// Of a service without a guard.
    pub const BARE: &[Self] = &[Self::ClosedSuccess, Self::ClosedFailure, Self::Tokio];

    /// Of a breaker.
    pub const BREAKER: &[Self] = &[
        Self::ClosedSuccess,
        Self::ClosedFailure,
        Self::Rejection,
        Self::HalfOpenRejection,
        Self::HalfOpenCancelled,
        Self::Tokio,
    ];

    /// Of a time window.
    pub const WINDOW: &[Self] = &[Self::Window(100), Self::Window(10_000), Self::Window(1_000_000)];

    /// Of a fallback.
    pub const FALLBACK: &[Self] = &[Self::FallbackServed, Self::FallbackUnused];
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::ClosedSuccess => "closed success",
            Self::ClosedFailure => "closed failure",
            Self::Rejection => "rejection",
            Self::HalfOpenRejection => "half-open rejection",
            Self::HalfOpenCancelled => "half-open probe, cancelled",
            Self::Tokio => "tokio, 2 workers, 64 tasks",
            Self::Window(calls) => return write!(f, "window of {calls} calls"),
            Self::FallbackServed => "fallback served",
            Self::FallbackUnused => "fallback not needed",
        };
        f.write_str(name)
    }
}
