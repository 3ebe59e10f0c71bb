//! The futures of [`Fallback`](super::Fallback).

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project::pin_project;
use tower_service::Service;

use super::lift::Lift;
use super::source::{Attempt, Source};
use super::trigger::Trigger;
use super::when::When;

/// The response of a [`Fallback`](super::Fallback).
///
/// # Cancel safety
///
/// Dropping it drops whichever of primary and fallback is running, and starts nothing.
///
/// # Panics
///
/// If it is polled again after it was ready.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<F, P, A, T, L> {
    #[pin]
    state: State<F, P, A, T>,
    lift: PhantomData<fn() -> L>,
}

#[pin_project(project = StateProj)]
enum State<F, P, A, T> {
    /// The primary is at work. Without a plan its outcome goes through, whatever it is.
    Primary {
        #[pin]
        primary: F,
        plan: Option<P>,
    },
    /// The source is at work; the primary's outcome waits, in case that fails.
    Answering {
        #[pin]
        answer: A,
        trigger: Option<T>,
    },
    /// Over, or between the two others.
    Done,
}

/// What a call takes along to fall back.
#[derive(Debug)]
pub struct Plan<Kept, T, W> {
    pub(super) kept: Kept,
    pub(super) source: T,
    pub(super) when: W,
}

impl<F, P, A, T, L> ResponseFuture<F, P, A, T, L> {
    pub(super) const fn new(primary: F, plan: Option<P>) -> Self {
        Self { state: State::Primary { primary, plan }, lift: PhantomData }
    }
}

impl<F, T, W, L, Kept, Res, E> Future
    for ResponseFuture<F, Plan<Kept, T, W>, T::Future, Trigger<Res, E>, L>
where
    F: Future<Output = Result<Res, E>>,
    T: Source<Kept, Res, E>,
    W: When<Res, E>,
    L: Lift<Res, T::Answer>,
{
    type Output = Result<L::Response, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                StateProj::Primary { primary, plan } => {
                    let outcome = ready!(primary.poll(cx));
                    let plan = plan.take();
                    // Dropped before the source begins, which may want what the primary's future still holds,
                    // such as the permit of a limit that they share.
                    state.set(State::Done);
                    let Some(Plan { kept, source, when }) = plan else {
                        return Poll::Ready(outcome.map(L::primary));
                    };
                    if !when.falls_back(outcome.as_ref()) {
                        return Poll::Ready(outcome.map(L::primary));
                    }
                    let trigger = Trigger::from(outcome);
                    let answer = source.answer(kept, &trigger);
                    state.set(State::Answering { answer, trigger: Some(trigger) });
                }
                StateProj::Answering { answer, trigger } => {
                    let answer = ready!(answer.poll(cx)).into_option();
                    let trigger = trigger.take();
                    state.set(State::Done);
                    return Poll::Ready(match (answer, trigger) {
                        (Some(answer), _) => Ok(L::answer(answer)),
                        (None, Some(trigger)) => trigger.into_result().map(L::primary),
                        (None, None) => unreachable!("set with the state, taken at its end"),
                    });
                }
                StateProj::Done => panic!("polled after completion"),
            }
        }
    }
}

impl<F, P, A, T, L> fmt::Debug for ResponseFuture<F, P, A, T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Primary { .. } => "Primary",
            State::Answering { .. } => "Answering",
            State::Done => "Done",
        };
        f.debug_struct("ResponseFuture").field("state", &format_args!("{state}")).finish()
    }
}

/// One call of a backup service: polled ready, then called.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct BackupFuture<S, Req, F> {
    #[pin]
    state: BackupState<S, Req, F>,
}

#[pin_project(project = BackupStateProj)]
enum BackupState<S, Req, F> {
    /// The service is not ready yet. It is this call's own clone, and the one that will be called.
    NotReady { service: S, request: Option<Req> },
    /// It was called, and let go of: a clone could only hold capacity that others want.
    Called {
        #[pin]
        response: F,
    },
}

impl<S, Req, F> BackupFuture<S, Req, F> {
    pub(super) const fn new(service: S, request: Req) -> Self {
        Self { state: BackupState::NotReady { service, request: Some(request) } }
    }
}

impl<S, Req> Future for BackupFuture<S, Req, S::Future>
where
    S: Service<Req>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                BackupStateProj::NotReady { service, request } => {
                    ready!(service.poll_ready(cx))?;
                    let request = request.take().expect("polled after completion");
                    let response = service.call(request);
                    state.set(BackupState::Called { response });
                }
                BackupStateProj::Called { response } => return response.poll(cx),
            }
        }
    }
}

impl<S, Req, F> fmt::Debug for BackupFuture<S, Req, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            BackupState::NotReady { .. } => "NotReady",
            BackupState::Called { .. } => "Called",
        };
        f.debug_struct("BackupFuture").field("state", &format_args!("{state}")).finish()
    }
}
