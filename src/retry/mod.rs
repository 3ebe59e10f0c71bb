//! Retry policies for tower's retry: [`RetryPolicy`], and a wrapper for any other policy.
//!
//! [`RetryPolicy`] classifies a finished call as the breaker and the fallback do, and waits as long as the server asked.
//! [`StopAtRejection`] wraps a policy that you already have.
//!
//! # Retried calls
//!
//! The first row that applies decides:
//!
//! | the call ended with | retried |
//! |---|---|
//! | a rejection: an error that holds [`CircuitOpen`](crate::CircuitOpen), or a response with `x-circuit-open` | no, but see [`wait_for_circuit`](RetryPolicy::wait_for_circuit) |
//! | a response that asks for it: `x-should-retry: true` | yes |
//! | a response that forbids it: `x-should-retry: false`, a negative `grpc-retry-pushback-ms` | no |
//! | a failure, or throttled ([`Class`](crate::Class)) | yes |
//! | a success (including mistakes of the caller), exhausted, ignored | no |
//!
//! *Yes* has three conditions, which the policy checks in this order: a retry is left, the wait is at most
//! [`max_wait`](RetryPolicy::max_wait), and the [`budget`](RetryPolicy::budget) permits it.
//!
//! # Waits
//!
//! The policy waits for the time that the server asked for, and between 10 % and 20 % more. A breaker inside holds for
//! the same time and up to 10 % more, and would reject an earlier retry. The rest is random, so that a fleet does not
//! wake at the same time.
//!
//! If the server asked for no wait, or for a wait of zero, the policy uses the [`backoff`](RetryPolicy::backoff). A date
//! in the past reads as zero, because clocks differ.
//!
//! # Requests that must not be repeated
//!
//! The policy retries every request that it can clone. The dependency may have completed a call that timed out, so
//! exclude the requests that must not be repeated:
//!
//! ```
//! # #[cfg(feature = "http")] {
//! use http::Request;
//! use tower_breaker::retry::RetryPolicy;
//!
//! let policy = RetryPolicy::new(2).clone_with(|request: &Request<String>| {
//!     request.method().is_idempotent().then(|| request.clone())
//! });
//! # let _ = policy;
//! # }
//! ```

mod clone;
mod policy;
mod stop;
mod wait;

#[doc(hidden)]
pub use self::clone::{CloneFn, CloneRequest, Cloned};
pub use self::policy::RetryPolicy;
pub use self::stop::{RetryFuture, StopAtRejection};

#[cfg(all(test, feature = "http"))]
mod tests;
