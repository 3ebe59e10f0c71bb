//! The transitions of a breaker as a stream.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::breaker::Breaker;
use crate::breaker::wait::Wait;
use crate::event::Lagged;
use crate::machine::Transition;

/// A stream of the transitions of one breaker, in the order of their epochs. Returned by
/// [`BreakerHandle::events`](crate::BreakerHandle::events).
///
/// The last 256 transitions are kept for a slow receiver. A receiver that misses some gets [`Lagged`] with their
/// number.
#[derive(Debug)]
pub struct Events {
    breaker: Arc<Breaker>,
    wait: Wait,
    cursor: u64,
}

impl Events {
    pub(super) fn new(breaker: Arc<Breaker>) -> Self {
        let cursor = breaker.log.subscribe();
        Self { breaker, wait: Wait::default(), cursor }
    }

    /// Waits for the next transition.
    ///
    /// # Errors
    ///
    /// Returns [`Lagged`] if this receiver was too slow. The next call continues after the gap.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no transition.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime with time if a timer is needed.
    pub async fn recv(&mut self) -> Result<Transition, Lagged> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Returns the next transition if it has happened, or [`Lagged`] if this receiver was too slow.
    pub fn try_recv(&mut self) -> Option<Result<Transition, Lagged>> {
        self.breaker.log.read(&mut self.cursor)
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Transition, Lagged>> {
        let Self { breaker, wait, cursor } = self;
        wait.poll_until(breaker, cx, || breaker.log.read(cursor))
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.wait.leave(&self.breaker);
        self.breaker.log.unsubscribe();
    }
}

impl Stream for Events {
    type Item = Result<Transition, Lagged>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_recv(cx).map(Some)
    }
}
