//! The response future.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project::pin_project;

use crate::breaker::Permit;
use crate::circuit_breaker::rejected::OnRejected;
use crate::classify::Classify;

/// The future of [`CircuitBreaker`](crate::CircuitBreaker).
///
/// # Cancel safety
///
/// Dropping it drops the inner future and records a cancelled call.
#[pin_project]
pub struct ResponseFuture<F, Req, C, T, R, A> {
    #[pin]
    state: State<F, C, T, R, A>,
    request: PhantomData<fn(Req)>,
}

#[pin_project(project = Stage)]
enum State<F, C, T, R, A> {
    /// The call was admitted and made. Nothing is left of it once it has ended.
    Called {
        #[pin]
        future: F,
        call: Option<Call<C, T, R>>,
    },
    /// The call was rejected; this makes the answer.
    Rejected {
        #[pin]
        answer: A,
    },
}

/// What an admitted call needs at its end. The permit first: it is dropped first.
struct Call<C, T, R> {
    permit: Permit,
    token: T,
    classify: C,
    on_rejected: R,
}

impl<F, Req, C, T, R, A> ResponseFuture<F, Req, C, T, R, A> {
    #[inline]
    pub(super) fn called(future: F, permit: Permit, token: T, classify: C, on_rejected: R) -> Self {
        let call = Some(Call { permit, token, classify, on_rejected });
        Self { state: State::Called { future, call }, request: PhantomData }
    }

    #[inline]
    pub(super) fn rejected(answer: A) -> Self {
        Self { state: State::Rejected { answer }, request: PhantomData }
    }
}

impl<F, Req, Res, E, C, R> Future for ResponseFuture<F, Req, C, C::Token, R, R::Future>
where
    F: Future<Output = Result<Res, E>>,
    C: Classify<Req, Res, E>,
    R: OnRejected<Req, C::Response, E>,
{
    type Output = Result<C::Response, R::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            Stage::Rejected { answer } => answer.poll(cx),
            Stage::Called { future, call } => {
                let result = {
                    let permit = &mut call.as_mut().expect("polled after it was ready").permit;
                    ready!(permit.in_call(|| future.poll(cx)))
                };
                let Call { permit, token, classify, on_rejected } =
                    call.take().expect("polled after it was ready");
                classify
                    .result(token, result, permit.into_classifier())
                    .map_err(|error| on_rejected.error(error))
                    .into()
            }
        }
    }
}

impl<F, Req, C, T, R, A> fmt::Debug for ResponseFuture<F, Req, C, T, R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Called { .. } => "called",
            State::Rejected { .. } => "rejected",
        };
        f.debug_tuple("ResponseFuture").field(&state).finish()
    }
}
