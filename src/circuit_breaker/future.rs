//! The response future.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project::pin_project;
use tower_service::Service;

use crate::breaker::classifying;
use crate::circuit_breaker::guarded_call::GuardedCall;
use crate::classify::{Classified, Classify};
use crate::rejection::OnRejected;

/// The response future of [`CircuitBreaker`](crate::CircuitBreaker).
///
/// # Cancel safety
///
/// Dropping the future drops the inner future and then records a cancelled call. If the call has run for
/// [`cancelled_after`](crate::SettingsBuilder::cancelled_after), it records a failure instead.
///
/// # Panics
///
/// Panics if it is polled after completion.
#[pin_project]
pub struct ResponseFuture<S, C, R, Req>
where
    S: Service<Req>,
    C: Classify<Req, S::Response, S::Error>,
    R: OnRejected<Req, C::Response, S::Error>,
{
    #[pin]
    state: State<S, C, R, Req>,
}

#[pin_project(project = StateProj)]
enum State<S, C, R, Req>
where
    S: Service<Req>,
    C: Classify<Req, S::Response, S::Error>,
    R: OnRejected<Req, C::Response, S::Error>,
{
    /// Polls the future of the inner service. `call` is declared after the future and dropped after it, so that the
    /// resources of the future are free before the end of the call is recorded.
    Called {
        #[pin]
        future: S::Future,
        call: GuardedCall<C, Req, S::Response, S::Error>,
        classify: C,
        on_rejected: R,
    },
    /// Polls the classifier, which reads more of the response.
    Deferred {
        #[pin]
        deferred: C::Deferred,
        on_rejected: R,
    },
    /// Polls the answer of the rejection policy.
    Rejected {
        #[pin]
        answer: R::Future,
    },
}

impl<S, C, R, Req> ResponseFuture<S, C, R, Req>
where
    S: Service<Req>,
    C: Classify<Req, S::Response, S::Error>,
    R: OnRejected<Req, C::Response, S::Error>,
{
    #[inline]
    pub(super) fn called(
        future: S::Future,
        call: GuardedCall<C, Req, S::Response, S::Error>,
        classify: C,
        on_rejected: R,
    ) -> Self {
        Self { state: State::Called { future, call, classify, on_rejected } }
    }

    #[inline]
    pub(super) fn rejected(answer: R::Future) -> Self {
        Self { state: State::Rejected { answer } }
    }
}

impl<S, C, R, Req> Future for ResponseFuture<S, C, R, Req>
where
    S: Service<Req>,
    C: Classify<Req, S::Response, S::Error>,
    R: OnRejected<Req, C::Response, S::Error> + Clone,
{
    type Output = Result<C::Response, R::Error>;

    // Always inlined: see `CircuitBreaker`.
    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let deferred = match state.as_mut().project() {
                StateProj::Rejected { answer } => return answer.poll(cx),
                StateProj::Deferred { deferred, on_rejected } => {
                    return deferred.poll(cx).map_err(|error| on_rejected.error(error));
                }
                StateProj::Called { future, call, classify, on_rejected } => {
                    let result = ready!(call.run(|| future.poll(cx)));
                    let (permit, info) = call.end().expect("polled after completion");
                    let classify = || classify.result(info, result, permit);
                    match if C::MAY_PANIC { classifying(classify) } else { classify() } {
                        Classified::Ready(result) => {
                            return Poll::Ready(result.map_err(|error| on_rejected.error(error)));
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

impl<S, C, R, Req> fmt::Debug for ResponseFuture<S, C, R, Req>
where
    S: Service<Req>,
    C: Classify<Req, S::Response, S::Error>,
    R: OnRejected<Req, C::Response, S::Error>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Called { .. } => "called",
            State::Deferred { .. } => "deferred",
            State::Rejected { .. } => "rejected",
        };
        f.debug_tuple("ResponseFuture").field(&state).finish()
    }
}
