//! Explicit retry instructions.

use std::time::Duration;

/// An explicit retry instruction in a response.
///
/// In a retry policy, it overrides the [`Outcome`](crate::Outcome) of the same response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryAdvice {
    /// Retry, after the given time if there is one: `x-should-retry: true`.
    Retry(Option<Duration>),
    /// Do not retry: `x-should-retry: false`, a negative `grpc-retry-pushback-ms`.
    Stop,
    /// A breaker rejected the call, and the dependency was not called ([`OPEN_HEADER`](super::OPEN_HEADER)). Holds the
    /// time until a call may be admitted, if it is known.
    Rejected(Option<Duration>),
}
