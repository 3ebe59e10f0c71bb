//! The response future.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project::pin_project;

use super::lift::Lift;
use super::source::{Attempt, Source};
use super::trigger::Trigger;
use crate::classify::Outcomes;

/// The response future of a [`Fallback`](super::Fallback).
///
/// # Cancel safety
///
/// Dropping it drops the future of the primary or of the source, whichever is running, and starts nothing.
///
/// # Panics
///
/// Panics if it is polled after completion.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<F, P, A, T, L> {
    #[pin]
    state: State<F, P, A, T>,
    lift: PhantomData<fn() -> L>,
}

#[pin_project(project = StateProj)]
enum State<F, P, A, T> {
    /// Polls the primary. Without a plan, the caller always gets its result.
    Primary {
        #[pin]
        primary: F,
        plan: Option<P>,
    },
    /// Polls the source. `trigger` is the primary's result, which the caller gets if the source fails.
    Answering {
        #[pin]
        answer: A,
        trigger: Option<T>,
    },
    /// The future has completed, or the state is about to change.
    Done,
}

/// The data that a call needs to fall back.
#[doc(hidden)]
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
    W: Outcomes<Res, E>,
    L: Lift<Res, T::Answer>,
{
    type Output = Result<L::Response, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                StateProj::Primary { primary, plan } => {
                    let result = ready!(primary.poll(cx));
                    let plan = plan.take();
                    // Drop the primary's future before the source starts. It may hold what the source needs, such as
                    // the permit of a shared concurrency limit.
                    state.set(State::Done);
                    let Some(Plan { kept, source, when }) = plan else {
                        return Poll::Ready(result.map(L::primary));
                    };
                    if !when.outcome(result.as_ref()).wants_another() {
                        return Poll::Ready(result.map(L::primary));
                    }
                    let trigger = Trigger::from(result);
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
                        (None, None) => {
                            unreachable!("the trigger is taken once, when the state ends")
                        }
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
