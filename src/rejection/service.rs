//! Rejections answered by another service.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project::pin_project;
use tower_service::Service;

use super::{OnRejected, Oneshot};
use crate::CircuitOpen;
use crate::classify::AnswerFor;

/// Sends the request of a rejected call to another service.
///
/// Each rejected call clones that service, waits until the clone is ready, and calls it. [`AnswerFor`] converts the
/// response to that of the guarded service, and `Into` the error. Nothing is boxed.
///
/// The other service answers rejections only. For calls that are admitted and fail, use a
/// [`FallbackLayer`](crate::FallbackLayer).
///
/// # Cancel safety
///
/// Dropping the future drops the clone, with the request or the call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RejectWithService<S>(pub S);

impl<Req, Res, E, S> OnRejected<Req, Res, E> for RejectWithService<S>
where
    S: Service<Req> + Clone,
    S::Response: AnswerFor<Res>,
    S::Error: Into<E>,
{
    type Error = E;
    type Future = RejectWithServiceFuture<S, Req, Res, E>;

    #[inline]
    fn rejected(&self, request: Req, _: CircuitOpen) -> Self::Future {
        RejectWithServiceFuture { call: Oneshot::new(self.0.clone(), request), answer: PhantomData }
    }

    #[inline]
    fn error(&self, error: E) -> E {
        error
    }
}

/// The future of [`RejectWithService`].
#[pin_project]
pub struct RejectWithServiceFuture<S, Req, Res, E>
where
    S: Service<Req>,
{
    #[pin]
    call: Oneshot<S, Req, S::Future>,
    // A function pointer, so that `Send` and `Sync` depend on `call` only.
    answer: PhantomData<fn() -> Result<Res, E>>,
}

impl<S, Req, Res, E> Future for RejectWithServiceFuture<S, Req, Res, E>
where
    S: Service<Req>,
    S::Response: AnswerFor<Res>,
    S::Error: Into<E>,
{
    type Output = Result<Res, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(self.project().call.poll(cx));
        Poll::Ready(answer.map(AnswerFor::into_answer).map_err(Into::into))
    }
}

impl<S, Req, Res, E> fmt::Debug for RejectWithServiceFuture<S, Req, Res, E>
where
    S: Service<Req>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RejectWithServiceFuture").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use tokio_test::{assert_pending, assert_ready_eq, task};
    use tower_test::mock;

    use super::*;
    use crate::{BoxError, Cause, State as Breaker};

    fn open() -> CircuitOpen {
        CircuitOpen::new(std::sync::Arc::new("db".into()), Breaker::Open, Cause::FailureRate, None)
    }

    type Mock = mock::Mock<&'static str, &'static str>;

    fn rejected(
        service: Mock,
    ) -> task::Spawn<RejectWithServiceFuture<Mock, &'static str, &'static str, BoxError>> {
        task::spawn(RejectWithService(service).rejected("ask", open()))
    }

    #[test]
    fn a_clone_is_called_once_it_is_ready() {
        let (service, mut handle) = mock::pair::<&'static str, &'static str>();
        handle.allow(0);
        let mut future = rejected(service);
        assert_pending!(future.poll());

        handle.allow(1);
        assert!(future.is_woken());
        assert_pending!(future.poll());
        let mut request = task::spawn(async { handle.next_request().await.unwrap() });
        let (asked, respond) = tokio_test::assert_ready!(request.poll());
        assert_eq!(asked, "ask");
        respond.send_response("backup");
        assert_ready_eq!(task::spawn(async { future.await.unwrap() }).poll(), "backup");
    }

    #[test]
    fn an_error_of_the_service_is_the_error_of_the_call() {
        let (service, mut handle) = mock::pair::<&'static str, &'static str>();
        handle.send_error("backup is down");
        let mut future = rejected(service);
        let error = tokio_test::assert_ready!(future.poll()).unwrap_err();
        assert_eq!(error.to_string(), "backup is down");
    }

    #[test]
    fn the_future_is_send_and_sync_for_any_response() {
        fn send<T: Send + Sync>() {}
        #[derive(Clone)]
        struct Sender;
        impl Service<()> for Sender {
            type Response = Rc<()>;
            type Error = Rc<()>;
            type Future = std::future::Pending<Result<Rc<()>, Rc<()>>>;
            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Rc<()>>> {
                Poll::Ready(Ok(()))
            }
            fn call(&mut self, (): ()) -> Self::Future {
                std::future::pending()
            }
        }
        send::<RejectWithServiceFuture<Sender, (), Rc<()>, Rc<()>>>();
    }
}
