//! Rejections answered by a function.

use std::fmt;
use std::future::{Ready, ready};

use super::OnRejected;
use crate::CircuitOpen;
use crate::classify::AnswerFor;

/// Answers with what a function of the request and the rejection returns.
///
/// Created by [`Config::reject_with`](crate::Config::reject_with). The function returns the response of the inner
/// service or of the guarded one: see [`AnswerFor`].
#[derive(Clone, Copy)]
pub struct RejectWithFn<F> {
    answer: F,
}

impl<F> RejectWithFn<F> {
    /// Creates a policy that calls `answer` once for each rejected call.
    // The bound tells the compiler the argument types of a closure.
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
