//! Classifiers of a plain `Result`.

use std::fmt;

use super::classified::ReadyOnly;
use super::{Classified, Classify, NeverDeferred, Outcomes};
use crate::Outcome;
use crate::breaker::{Permit, classifying};
use crate::classify::foreign::rejection_in;

/// Classifies `Ok` as a success and `Err` as a failure. The classifier of `Config::default()`.
///
/// An `Err` that holds the [`CircuitOpen`](crate::CircuitOpen) of a downstream breaker is a
/// [rejection](Outcome::rejected), which the breaker ignores. It is found in a `CircuitOpen`, in a `BoxError` and its
/// sources, in an [`io::Error`](std::io::Error), and in a [`BreakerError`](crate::BreakerError) of `BoxError` or
/// `Infallible`. In your own error type it is a failure: use a [`ClassifyFn`] to distinguish the two.
///
/// An `Ok` is never inspected: an HTTP or gRPC service that returns a `503` succeeds here. HTTP and gRPC have their own
/// classifiers, see the [module docs](super).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrorsAsFailures;

impl<Res, E: 'static> Outcomes<Res, E> for ErrorsAsFailures {
    fn outcome(&self, result: Result<&Res, &E>) -> Outcome {
        match result {
            Ok(_) => Outcome::success(),
            Err(error) => failed_call(error),
        }
    }
}

/// Returns the outcome of an `Err` by its type alone.
pub(crate) fn failed_call<E: 'static>(error: &E) -> Outcome {
    rejected_error(error).unwrap_or(Outcome::failure().reason("error"))
}

/// Returns the outcome of an `Err` that is the rejection of a downstream breaker.
///
/// A breaker ignores it. Otherwise one open circuit would open every circuit upstream of it.
pub(crate) fn rejected_error<E: 'static>(error: &E) -> Option<Outcome> {
    rejection_in(error).map(|open| Outcome::rejected().maybe_retry_after(open.retry_after()))
}

impl<Req, Res, E: 'static> Classify<Req, Res, E> for ErrorsAsFailures {
    type RequestInfo = ();
    type Response = Res;
    type Deferred = NeverDeferred<Result<Res, E>>;

    // The search through the sources of an error runs foreign code, but `result` guards against its panics itself.
    const MAY_PANIC: bool = false;

    #[inline]
    fn request(&self, _: &Req) {}

    #[inline(always)]
    fn result(&self, (): (), result: Result<Res, E>, permit: Permit) -> ReadyOnly<Result<Res, E>> {
        match &result {
            Ok(_) => permit.success(),
            Err(error) => classifying(|| permit.settle(failed_call(error))),
        }
        Classified::Ready(result)
    }

    fn settled(&self, response: Res) -> Res {
        response
    }
}

/// Classifies with a closure. Built by `Config::classify_fn` and `RetryPolicy::classify_fn`.
///
/// ```
/// use std::time::Duration;
/// use tower_breaker::{Outcome, classify::ClassifyFn};
///
/// enum Reply { Rows(u32), Busy }
///
/// let classify = ClassifyFn::new(|result: Result<&Reply, &std::io::Error>| match result {
///     Ok(Reply::Rows(_)) => Outcome::success(),
///     Ok(Reply::Busy) => Outcome::throttled().retry_after(Duration::from_secs(2)),
///     Err(_) => Outcome::failure(),
/// });
/// # let _ = classify;
/// ```
///
/// # Panics
///
/// A panic of the closure propagates to the caller of the service. The call counts as ignored.
#[derive(Clone, Copy)]
pub struct ClassifyFn<F> {
    classify: F,
}

impl<F> ClassifyFn<F> {
    /// Creates a classifier that calls `classify` once for each finished call.
    // The bound guides inference: without it the compiler gives the closure one lifetime instead of any, and the service
    // does not compile.
    pub fn new<Res, E>(classify: F) -> Self
    where
        F: Fn(Result<&Res, &E>) -> Outcome,
    {
        Self { classify }
    }
}

/// Returns no [`retry_advice`](Outcomes::retry_advice): the closure decides alone.
impl<Res, E, F> Outcomes<Res, E> for ClassifyFn<F>
where
    F: Fn(Result<&Res, &E>) -> Outcome,
{
    #[inline]
    fn outcome(&self, result: Result<&Res, &E>) -> Outcome {
        (self.classify)(result)
    }
}

impl<F> fmt::Debug for ClassifyFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClassifyFn").finish_non_exhaustive()
    }
}

impl<Req, Res, E, F> Classify<Req, Res, E> for ClassifyFn<F>
where
    F: Fn(Result<&Res, &E>) -> Outcome,
{
    type RequestInfo = ();
    type Response = Res;
    type Deferred = NeverDeferred<Result<Res, E>>;

    #[inline]
    fn request(&self, _: &Req) {}

    #[inline]
    fn result(&self, (): (), result: Result<Res, E>, permit: Permit) -> ReadyOnly<Result<Res, E>> {
        permit.settle(self.outcome(result.as_ref()));
        Classified::Ready(result)
    }

    fn settled(&self, response: Res) -> Res {
        response
    }
}
