//! The answer of a policy that needs only the rejection.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::CircuitOpen;

/// Makes the answer to a rejected call from the rejection alone.
pub trait Answer<T> {
    /// Returns the answer.
    fn answer(open: CircuitOpen) -> T;
}

/// The future of such an answer. It makes the answer when it is polled. Until then, it is as small as the rejection.
pub struct RejectionFuture<P, T> {
    /// `None` after completion.
    open: Option<CircuitOpen>,
    policy: PhantomData<fn(P) -> T>,
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
        Poll::Ready(P::answer(self.open.take().expect("polled after completion")))
    }
}

impl<P, T> fmt::Debug for RejectionFuture<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RejectionFuture").field(&self.open).finish()
    }
}
