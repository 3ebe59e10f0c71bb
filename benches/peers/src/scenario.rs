use std::fmt;

/// The state of the circuit, and the end of a measured call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Closed. The call succeeds.
    ClosedSuccess,
    /// Closed, with thresholds that are never reached. The call fails.
    ClosedFailure,
    /// Open for an hour. The call is rejected.
    Rejection,
    /// Half-open, with all probes in flight and hanging. The call is rejected.
    HalfOpenRejection,
    /// Half-open. The call is admitted as a probe, polled once, and dropped before it ends.
    HalfOpenCancelled,
    /// Closed. 64 tasks on two workers make calls that succeed.
    Tokio,
    /// Closed, with the given number of calls in the time window. The call succeeds.
    Window(u64),
    /// The primary fails and the fallback answers.
    FallbackServed,
    /// The primary succeeds and the fallback is not needed.
    FallbackUnused,
}

impl Scenario {
    /// The scenarios of a service without a guard.
    pub const BARE: &[Self] = &[Self::ClosedSuccess, Self::ClosedFailure, Self::Tokio];

    /// The scenarios of a breaker.
    pub const BREAKER: &[Self] = &[
        Self::ClosedSuccess,
        Self::ClosedFailure,
        Self::Rejection,
        Self::HalfOpenRejection,
        Self::HalfOpenCancelled,
        Self::Tokio,
    ];

    /// The scenarios of a time window.
    pub const WINDOW: &[Self] = &[Self::Window(100), Self::Window(10_000), Self::Window(1_000_000)];

    /// The scenarios of a fallback.
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
