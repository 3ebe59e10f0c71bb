//! What a response says about a retry, whatever its verdict is.

use std::time::Duration;

/// What a response says about a retry in so many words, for [`ToOutcome::retry_advice`](super::ToOutcome::retry_advice).
///
/// It goes before the [`Outcome`](crate::Outcome) of the same response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryAdvice {
    /// Try again, and not before this time is over if there is one: `x-should-retry: true`.
    Retry(Option<Duration>),
    /// Do not try again: `x-should-retry: false`, a negative `grpc-retry-pushback-ms`.
    Stop,
    /// A breaker answered and the dependency was not called ([`OPEN_HEADER`](super::OPEN_HEADER)). With the time
    /// until a call may be admitted, if it is known.
    Rejected(Option<Duration>),
}
