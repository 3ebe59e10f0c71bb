//! What a rejection becomes.

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
/// | [`Fail`] | `Err` | `BoxError` |
/// | [`FailTyped`] | `Err` | [`BreakerError`] |
/// | [`FailInto`] | `Err` | `E`, where `E: From<CircuitOpen>` |
/// | [`RespondHttp`](super::RespondHttp), [`RespondGrpc`](super::RespondGrpc) | a response | `E` |
/// | [`AnswerWith`] | what a function of the request returns | `E` |
/// | [`ToService`](super::ToService) | the answer of another service | `E` |
///
/// The policies that answer leave the error type alone: an `Infallible` service stays infallible.
#[diagnostic::on_unimplemented(
    message = "the policy `{Self}` cannot answer a rejected call of this service",
    label = "does not fit a service of `{Req}` that returns `Result<{Res}, {E}>`",
    note = "HTTP: `Config::http()` answers with 503 and keeps the error type; gRPC: `Config::grpc()` answers with `UNAVAILABLE`",
    note = "any other service: `Config::default()` fails with a `BoxError`, for which the inner error must be `Into<BoxError>`",
    note = "`.on_rejected(FailTyped)` takes every error; `.on_rejected(FailInto)` needs `E: From<CircuitOpen>`; `.answer_with(|request, open| …)` takes a function"
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
pub struct Rejection<P, T> {
    /// `None` once it was polled.
    open: Option<CircuitOpen>,
    policy: PhantomData<fn(P) -> T>,
}

/// What a rejection becomes, where that needs neither the request nor a value of the policy.
pub trait Answer<T> {
    /// The answer.
    fn answer(open: CircuitOpen) -> T;
}

impl<P, T> Rejection<P, T> {
    #[inline]
    pub(super) fn new(open: CircuitOpen) -> Self {
        Self { open: Some(open), policy: PhantomData }
    }
}

impl<P: Answer<T>, T> Future for Rejection<P, T> {
    type Output = T;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        Poll::Ready(P::answer(self.open.take().expect("polled after it was ready")))
    }
}

impl<P, T> fmt::Debug for Rejection<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rejection").field(&self.open).finish()
    }
}

/// Fails with a [`BoxError`] that holds the [`CircuitOpen`], as tower's own middlewares do.
///
/// An inner error that is a `BoxError` already passes as it is. [`CircuitOpen::find`] tells a rejection apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fail;

impl<Req, Res, E> OnRejected<Req, Res, E> for Fail
where
    E: Into<BoxError>,
{
    type Error = BoxError;
    type Future = Rejection<Self, Result<Res, BoxError>>;

    #[inline]
    fn rejected(&self, _: Req, open: CircuitOpen) -> Self::Future {
        Rejection::new(open)
    }

    #[inline]
    fn error(&self, error: E) -> BoxError {
        error.into()
    }
}

impl<Res> Answer<Result<Res, BoxError>> for Fail {
    fn answer(open: CircuitOpen) -> Result<Res, BoxError> {
        Err(open.into())
    }
}

/// Fails with [`BreakerError`]. Allocates nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FailTyped;

impl<Req, Res, E> OnRejected<Req, Res, E> for FailTyped {
    type Error = BreakerError<E>;
    type Future = Rejection<Self, Result<Res, BreakerError<E>>>;

    #[inline]
    fn rejected(&self, _: Req, open: CircuitOpen) -> Self::Future {
        Rejection::new(open)
    }

    #[inline]
    fn error(&self, error: E) -> BreakerError<E> {
        BreakerError::Inner(error)
    }
}

impl<Res, E> Answer<Result<Res, BreakerError<E>>> for FailTyped {
    #[inline]
    fn answer(open: CircuitOpen) -> Result<Res, BreakerError<E>> {
        Err(BreakerError::Open(open))
    }
}

/// Fails with the inner error type, which knows how to be made from a [`CircuitOpen`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FailInto;

impl<Req, Res, E> OnRejected<Req, Res, E> for FailInto
where
    E: From<CircuitOpen>,
{
    type Error = E;
    type Future = Rejection<Self, Result<Res, E>>;

    #[inline]
    fn rejected(&self, _: Req, open: CircuitOpen) -> Self::Future {
        Rejection::new(open)
    }

    #[inline]
    fn error(&self, error: E) -> E {
        error
    }
}

impl<Res, E: From<CircuitOpen>> Answer<Result<Res, E>> for FailInto {
    #[inline]
    fn answer(open: CircuitOpen) -> Result<Res, E> {
        Err(open.into())
    }
}

/// Answers with what a function of the request and the rejection returns.
///
/// Built by `Config::answer_with`. The function may return the response of the inner service or that of the
/// guarded one, see [`AnswerFor`].
#[derive(Clone, Copy)]
pub struct AnswerWith<F> {
    answer: F,
}

impl<F> AnswerWith<F> {
    /// Calls `answer` once for each rejected call.
    // The bound is here for the sake of inference: it tells a closure the types of its arguments.
    pub fn new<Req, A>(answer: F) -> Self
    where
        F: Fn(Req, CircuitOpen) -> A,
    {
        Self { answer }
    }
}

impl<F> fmt::Debug for AnswerWith<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerWith").finish_non_exhaustive()
    }
}

impl<Req, Res, E, F, A> OnRejected<Req, Res, E> for AnswerWith<F>
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
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use futures_util::FutureExt;

    use super::*;
    use crate::{Cause, State};

    fn open() -> CircuitOpen {
        CircuitOpen::new(
            std::sync::Arc::new("db".into()),
            State::Open,
            Cause::FailureRate,
            Some(Duration::from_millis(1200)),
        )
    }

    fn rejected<P, Req, Res, E>(policy: &P, request: Req) -> Result<Res, P::Error>
    where
        P: OnRejected<Req, Res, E>,
    {
        policy.rejected(request, open()).now_or_never().expect("ready at once")
    }

    #[test]
    fn fail_boxes_a_rejection_that_can_be_found_again() {
        let error = rejected::<_, _, (), Infallible>(&Fail, ()).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&open()));
        assert_eq!(CircuitOpen::find(&*error), Some(&open()));
    }

    #[test]
    fn fail_passes_an_inner_box_unwrapped() {
        let inner: BoxError = Box::new(std::fmt::Error);
        let error = OnRejected::<(), (), BoxError>::error(&Fail, inner);
        assert!(error.is::<std::fmt::Error>());
    }

    #[test]
    fn fail_typed_keeps_the_two_apart() {
        let error = rejected::<_, _, (), u8>(&FailTyped, ()).unwrap_err();
        assert_eq!(error, BreakerError::Open(open()));
        assert_eq!(OnRejected::<(), (), u8>::error(&FailTyped, 7), BreakerError::Inner(7));
    }

    #[derive(Debug, PartialEq)]
    enum Mine {
        Open(CircuitOpen),
        Other,
    }

    impl From<CircuitOpen> for Mine {
        fn from(open: CircuitOpen) -> Self {
            Self::Open(open)
        }
    }

    #[test]
    fn fail_into_makes_the_callers_own_error() {
        assert_eq!(rejected::<_, _, (), Mine>(&FailInto, ()), Err(Mine::Open(open())));
        assert_eq!(OnRejected::<(), (), Mine>::error(&FailInto, Mine::Other), Mine::Other);
        let boxed = rejected::<_, _, (), BoxError>(&FailInto, ()).unwrap_err();
        assert!(boxed.is::<CircuitOpen>());
    }

    #[test]
    fn answer_with_gets_the_request_and_the_rejection() {
        let policy =
            AnswerWith::new(|request: String, open| format!("{request} at {}", open.name()));
        let answer = rejected::<_, _, String, Infallible>(&policy, "get".to_owned());
        assert_eq!(answer, Ok("get at db".to_owned()));
    }

    #[cfg(feature = "http")]
    #[test]
    fn answer_with_may_return_the_response_of_the_inner_service() {
        use crate::classify::BreakerBody;
        use http::Response;

        let policy = AnswerWith::new(|_: (), _| Response::new("plain".to_owned()));
        let answer: Result<Response<BreakerBody<String>>, Infallible> = rejected(&policy, ());
        assert_eq!(answer.unwrap().into_body().into_inner().unwrap(), "plain");
    }
}
