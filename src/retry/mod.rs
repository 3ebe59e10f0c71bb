//! Policies for tower's retry: one of our own, and a wrapper for any other.
//!
//! [`RetryPolicy`] judges a finished call as the breaker and the fallback do, and waits as long as the server asked.
//! [`StopAtRejection`] is for a policy that you have already.
//!
//! # What is retried
//!
//! The first row that fits decides:
//!
//! | the call ended with | retried |
//! |---|---|
//! | a rejection of a breaker: an error that holds [`CircuitOpen`](crate::CircuitOpen), or a response with `x-circuit-open` | no, but see [`wait_for_circuit`](RetryPolicy::wait_for_circuit) |
//! | a response that says so: `x-should-retry: true` | yes |
//! | a response that forbids it: `x-should-retry: false`, a negative `grpc-retry-pushback-ms` | no |
//! | a failure, or throttled ([`Class`](crate::Class)) | yes |
//! | a success (the caller's own mistakes are among them), exhausted, ignored | no |
//!
//! *Yes* means: if a retry is left, if the wait is at most [`max_wait`](RetryPolicy::max_wait), and if the
//! [`budget`](RetryPolicy::budget) has one to give, in this order.
//!
//! # How long it waits
//!
//! The wait that the server asked for, and between 10 % and 20 % more: a breaker below holds for the same wait and up
//! to 10 % more, and would reject who comes earlier; the rest is at random, so that a fleet does not wake in step.
//! Without one, or with a wait of zero, the [`backoff`](RetryPolicy::backoff): a date that is over reads as zero, too,
//! and clocks differ.
//!
//! # What must not be done twice
//!
//! The policy retries whatever request it can clone. A call that timed out may have been done all the same: leave out
//! what must not be repeated.
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
mod delay;
mod judge;
mod patience;
mod policy;
mod stop;

pub use self::clone::{CloneFn, CloneRequest, Cloned};
pub use self::judge::JudgeRetry;
pub use self::policy::RetryPolicy;
pub use self::stop::{RetryFuture, StopAtRejection};

#[cfg(all(test, feature = "http"))]
mod http_tests;
