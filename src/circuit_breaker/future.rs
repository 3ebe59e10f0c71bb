//! The response future.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project::pin_project;

use crate::breaker::{Asked, InFlight, classifying};
use crate::classify::{Classified, Classify};
use crate::outcome::Outcome;
use crate::rejection::OnRejected;

/// The future of [`CircuitBreaker`](crate::CircuitBreaker).
///
/// # Cancel safety
///
/// Dropping it drops the inner future and records a cancelled call, which is a failure after
/// [`cancelled_after`](crate::SettingsBuilder::cancelled_after).
///
/// # Panics
///
/// If it is polled again after it was ready.
#[pin_project]
pub struct ResponseFuture<F, Req, C, T: Asked, L, R, A> {
    #[pin]
    state: State<F, C, T, L, R, A>,
    request: PhantomData<fn(Req)>,
}

#[pin_project(project = Stage)]
enum State<F, C, T: Asked, L, R, A> {
    /// The call was admitted and made.
    Called {
        #[pin]
        future: F,
        call: InFlight<T>,
        classify: C,
        on_rejected: R,
    },
    /// The response is there, and its classifier waits for more of it.
    Deferred {
        #[pin]
        deferred: L,
        on_rejected: R,
    },
    /// The call was rejected; this makes the answer.
    Rejected {
        #[pin]
        answer: A,
    },
}

/// The token of a classifier, which also knows what a dropped call means.
pub struct Token<C, Req, Res, E>
where
    C: Classify<Req, Res, E>,
{
    token: C::RequestInfo,
    call: PhantomData<fn(Req) -> Result<Res, E>>,
}

impl<C, Req, Res, E> Token<C, Req, Res, E>
where
    C: Classify<Req, Res, E>,
{
    #[inline(always)]
    pub(super) fn new(token: C::RequestInfo) -> Self {
        Self { token, call: PhantomData }
    }
}

impl<C, Req, Res, E> fmt::Debug for Token<C, Req, Res, E>
where
    C: Classify<Req, Res, E>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

impl<C, Req, Res, E> Asked for Token<C, Req, Res, E>
where
    C: Classify<Req, Res, E>,
{
    #[inline(always)]
    fn dropped(self) -> Option<Outcome> {
        C::dropped(self.token)
    }
}

impl<F, Req, C, T: Asked, L, R, A> ResponseFuture<F, Req, C, T, L, R, A> {
    #[inline]
    pub(super) fn called(future: F, call: InFlight<T>, classify: C, on_rejected: R) -> Self {
        let state = State::Called { future, call, classify, on_rejected };
        Self { state, request: PhantomData }
    }

    #[inline]
    pub(super) fn rejected(answer: A) -> Self {
        Self { state: State::Rejected { answer }, request: PhantomData }
    }
}

impl<F, Req, Res, E, C, R> Future
    for ResponseFuture<F, Req, C, Token<C, Req, Res, E>, C::Deferred, R, R::Future>
where
    F: Future<Output = Result<Res, E>>,
    C: Classify<Req, Res, E>,
    R: OnRejected<Req, C::Response, E> + Clone,
{
    type Output = Result<C::Response, R::Error>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let deferred = match state.as_mut().project() {
                Stage::Rejected { answer } => return answer.poll(cx),
                Stage::Deferred { deferred, on_rejected } => {
                    return deferred.poll(cx).map_err(|error| on_rejected.error(error));
                }
                Stage::Called { future, call, classify, on_rejected } => {
                    let result = ready!(call.run(|| future.poll(cx)));
                    let (permit, token) = call.end().expect("polled after it was ready");
                    let judge = || classify.result(token.token, result, permit);
                    match if C::MAY_PANIC { classifying(judge) } else { judge() } {
                        Classified::Ready(judged) => {
                            return Poll::Ready(judged.map_err(|error| on_rejected.error(error)));
                        }
                        Classified::Deferred(deferred) => {
                            State::Deferred { deferred, on_rejected: on_rejected.clone() }
                        }
                    }
                }
            };
            state.set(deferred);
        }
    }
}

impl<F, Req, C, T: Asked, L, R, A> fmt::Debug for ResponseFuture<F, Req, C, T, L, R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Called { .. } => "called",
            State::Deferred { .. } => "judged",
            State::Rejected { .. } => "rejected",
        };
        f.debug_tuple("ResponseFuture").field(&state).finish()
    }
}
