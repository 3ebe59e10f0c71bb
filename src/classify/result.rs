//! Verdicts on a plain `Result`.

use std::fmt;

use super::classified::ReadyOnly;
use super::{Classified, Classify, NeverDeferred};
use crate::Outcome;
use crate::breaker::{Permit, classifying};
use crate::classify::foreign::rejection_in;

/// `Ok` is a success, `Err` is a failure, but for a [`CircuitOpen`](crate::CircuitOpen) of a breaker further down,
/// which is ignored. The classifier of `Config::default()`.
///
/// A rejection is found in a `CircuitOpen`, in a `BoxError` and its sources, and in a
/// [`BreakerError`](crate::BreakerError) of `BoxError` or `Infallible`. In an error type of your own it is a failure:
/// tell it apart with a [`ClassifyFn`].
///
/// It reads nothing inside of an `Ok`: an HTTP or gRPC service that answers `503` is a success here. Those have
/// classifiers of their own, see the [module docs](super).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrorsAsFailures;

impl ErrorsAsFailures {
    /// The verdict on one result.
    pub fn outcome<Res, E: 'static>(&self, result: Result<&Res, &E>) -> Outcome {
        match result {
            Ok(_) => Outcome::success(),
            Err(error) => failed_call(error),
        }
    }
}

/// What an `Err` of the guarded service means wherever nothing better is known.
pub(crate) fn failed_call<E: 'static>(error: &E) -> Outcome {
    rejected_below(error).unwrap_or(Outcome::failure().reason("error"))
}

/// The verdict on a rejection by a breaker further down, if the error is one. It is none of the failures of the guarded
/// service: it must not open every breaker above.
pub(crate) fn rejected_below<E: 'static>(error: &E) -> Option<Outcome> {
    rejection_in(error).map(|open| Outcome::ignored().maybe_retry_after(open.retry_after()))
}

impl<Req, Res, E: 'static> Classify<Req, Res, E> for ErrorsAsFailures {
    type RequestInfo = ();
    type Response = Res;
    type Deferred = NeverDeferred<Result<Res, E>>;

    /// The sources of an error are foreign code, and are asked with care.
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

/// Asks a closure. Built by `Config::classify_fn`.
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
/// A panic of the closure goes on to the caller of the service; the call counts as ignored.
#[derive(Clone, Copy)]
pub struct ClassifyFn<F> {
    decide: F,
}

impl<F> ClassifyFn<F> {
    /// A classifier that calls `decide` once for each finished call.
    // The bound is here for the sake of inference: without it the compiler gives a closure one lifetime
    // instead of any, and the service would not compile.
    pub fn new<Res, E>(decide: F) -> Self
    where
        F: Fn(Result<&Res, &E>) -> Outcome,
    {
        Self { decide }
    }

    /// The verdict on one result, for a retry that asks the same closure.
    #[cfg(feature = "retry")]
    pub(crate) fn outcome<Res, E>(&self, result: Result<&Res, &E>) -> Outcome
    where
        F: Fn(Result<&Res, &E>) -> Outcome,
    {
        (self.decide)(result)
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
        permit.settle((self.decide)(result.as_ref()));
        Classified::Ready(result)
    }

    fn settled(&self, response: Res) -> Res {
        response
    }
}
