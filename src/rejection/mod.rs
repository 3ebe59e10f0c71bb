//! What a rejection becomes.

#[cfg(feature = "http")]
mod respond;
mod service;

#[cfg(feature = "http")]
pub use respond::{RejectWithGrpc, RejectWithHttp};
pub use service::{RejectWithService, RejectWithServiceFuture};

use std::fmt;
use std::future::{Future, Ready, ready};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::classify::AnswerFor;
use crate::{BoxError, BreakerError, CircuitOpen};

/// Decides what the caller gets when the breaker rejects a call.
///
/// | policy | a rejection is | the error of the service |
/// |---|---|---|
/// | [`RejectWithBoxError`] | `Err` | `BoxError` |
/// | [`RejectWithBreakerError`] | `Err` | [`BreakerError`] |
/// | [`RejectWithInnerError`] | `Err` | `E`, where `E: From<CircuitOpen>` |
/// | [`RejectWithHttp`], [`RejectWithGrpc`] | a response | `E` |
/// | [`RejectWithFn`] | what a function of the request returns | `E` |
/// | [`RejectWithService`] | the answer of another service | `E` |
///
/// The policies that answer leave the error type alone: an `Infallible` service stays infallible.
#[diagnostic::on_unimplemented(
    message = "the policy `{Self}` cannot answer a rejected call of this service",
    label = "does not fit a service of `{Req}` that returns `Result<{Res}, {E}>`",
    note = "HTTP: `Config::http()` answers with 503 and keeps the error type; gRPC: `Config::grpc()` answers with `UNAVAILABLE`",
    note = "any other service: `Config::default()` fails with a `BoxError`, for which the inner error must be `Into<BoxError>`",
    note = "`.on_rejected(RejectWithBreakerError)` takes every error; `.on_rejected(RejectWithInnerError)` needs `E: From<CircuitOpen>`; `.reject_with(|request, open| …)` takes a function"
)]
pub trait OnRejected<Req, Res, E> {
    /// The error of the guarded service.
    type Error;

    /// The answer to a rejected call.
    type Future: Future<Output = Result<Res, Self::Error>>;

    /// Answers a rejected call. The request is the caller's own, never a copy.
    fn rejected(&self, request: Req, open: CircuitOpen) -> Self::Future;

    /// Makes an error of the inner service one of the guarded service.
    fn error(&self, error: E) -> Self::Error;
}

/// Makes the answer to a rejected call when it is polled: until then the future is as small as the rejection.
pub struct RejectionFuture<P, T> {
    /// `None` once it was polled.
    open: Option<CircuitOpen>,
    policy: PhantomData<fn(P) -> T>,
}

/// What a rejection becomes, where that needs neither the request nor a value of the policy.
pub trait Answer<T> {
    /// The answer.
    fn answer(open: CircuitOpen) -> T;
}

impl<P, T> RejectionFuture<P, T> {
    #[inline]
    pub(super) fn new(open: CircuitOpen) -> Self {
        Self { open: Some(open), policy: PhantomData }
    }
}

impl<P: Answer<T>, T> Future for RejectionFuture<P, T> {
    type Output = T;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        Poll::Ready(P::answer(self.open.take().expect("polled after it was ready")))
    }
}

impl<P, T> fmt::Debug for RejectionFuture<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rejection").field(&self.open).finish()
    }
}

/// Fails with a [`BoxError`] that holds the [`CircuitOpen`], as tower's own middlewares do.
///
/// An inner error that is a `BoxError` already passes as it is. [`CircuitOpen::find`] tells a rejection apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RejectWithBoxError;

impl<Req, Res, E> OnRejected<Req, Res, E> for RejectWithBoxError
where
    E: Into<BoxError>,
{
    type Error = BoxError;
    type Future = RejectionFuture<Self, Result<Res, BoxError>>;

    #[inline]
    fn rejected(&self, _: Req, open: CircuitOpen) -> Self::Future {
        RejectionFuture::new(open)
    }

    #[inline]
    fn error(&self, error: E) -> BoxError {
        error.into()
    }
}

impl<Res> Answer<Result<Res, BoxError>> for RejectWithBoxError {
    fn answer(open: CircuitOpen) -> Result<Res, BoxError> {
        Err(open.into())
    }
}

/// Fails with [`BreakerError`]. Allocates nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RejectWithBreakerError;

impl<Req, Res, E> OnRejected<Req, Res, E> for RejectWithBreakerError {
    type Error = BreakerError<E>;
    type Future = RejectionFuture<Self, Result<Res, BreakerError<E>>>;

    #[inline]
    fn rejected(&self, _: Req, open: CircuitOpen) -> Self::Future {
        RejectionFuture::new(open)
    }

    #[inline]
    fn error(&self, error: E) -> BreakerError<E> {
        BreakerError::Inner(error)
    }
}

impl<Res, E> Answer<Result<Res, BreakerError<E>>> for RejectWithBreakerError {
    #[inline]
    fn answer(open: CircuitOpen) -> Result<Res, BreakerError<E>> {
        Err(BreakerError::Open(open))
    }
}

/// Fails with the inner error type, which knows how to be made from a [`CircuitOpen`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RejectWithInnerError;

impl<Req, Res, E> OnRejected<Req, Res, E> for RejectWithInnerError
where
    E: From<CircuitOpen>,
{
    type Error = E;
    type Future = RejectionFuture<Self, Result<Res, E>>;

    #[inline]
    fn rejected(&self, _: Req, open: CircuitOpen) -> Self::Future {
        RejectionFuture::new(open)
    }

    #[inline]
    fn error(&self, error: E) -> E {
        error
    }
}

impl<Res, E: From<CircuitOpen>> Answer<Result<Res, E>> for RejectWithInnerError {
    #[inline]
    fn answer(open: CircuitOpen) -> Result<Res, E> {
        Err(open.into())
    }
}

/// Answers with what a function of the request and the rejection returns.
///
/// Built by `Config::reject_with`. The function may return the response of the inner service or that of the
/// guarded one, see [`AnswerFor`].
#[derive(Clone, Copy)]
pub struct RejectWithFn<F> {
    answer: F,
}

impl<F> RejectWithFn<F> {
    /// Calls `answer` once for each rejected call.
    // The bound is here for the sake of inference: it tells a closure the types of its arguments.
    pub fn new<Req, A>(answer: F) -> Self
    where
        F: Fn(Req, CircuitOpen) -> A,
    {
        Self { answer }
    }
}

impl<F> fmt::Debug for RejectWithFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RejectWithFn").finish_non_exhaustive()
    }
}

impl<Req, Res, E, F, A> OnRejected<Req, Res, E> for RejectWithFn<F>
where
    F: Fn(Req, CircuitOpen) -> A,
    A: AnswerFor<Res>,
{
    type Error = E;
    type Future = Ready<Result<Res, E>>;

    #[inline]
    fn rejected(&self, request: Req, open: CircuitOpen) -> Self::Future {
        ready(Ok((self.answer)(request, open).into_answer()))
    }

    #[inline]
    fn error(&self, error: E) -> E {
        error
    }
}

#[cfg(test)]
mod tests;
