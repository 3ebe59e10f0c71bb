//! The state of a breaker as a stream.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::breaker::Breaker;
use crate::breaker::wait::Wait;
use crate::state::State;

/// A stream of the changes of a breaker's state. Returned by [`BreakerHandle::watch`](crate::BreakerHandle::watch).
///
/// It yields the current state, and skips the states in between if it is polled rarely. [`Events`](super::Events)
/// yields every transition. Unlike `Events`, a watch also yields `HalfOpen` when a cooldown ends, although the
/// transition itself happens with the next call.
#[derive(Debug)]
pub struct Watch {
    breaker: Arc<Breaker>,
    wait: Wait,
    seen: (u64, State),
}

impl Watch {
    pub(super) fn new(breaker: Arc<Breaker>) -> Self {
        let seen = breaker.reading();
        Self { breaker, wait: Wait::default(), seen }
    }

    /// Returns the current state.
    pub fn state(&self) -> State {
        self.breaker.reading().1
    }

    /// Waits until the state or its epoch differs from the last one that this watch returned, and returns the new
    /// state.
    ///
    /// The first call compares with the state at the time when the watch was created.
    ///
    /// # Cancel safety
    ///
    /// No change is lost. A change that happens after the future is dropped is returned by the next call.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime with time if a timer is needed.
    pub async fn changed(&mut self) -> State {
        poll_fn(|cx| self.poll_changed(cx)).await
    }

    fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<State> {
        let Self { breaker, wait, seen } = self;
        wait.poll_until(breaker, cx, || {
            let now = breaker.reading();
            (now != *seen).then(|| {
                *seen = now;
                now.1
            })
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.wait.leave(&self.breaker);
    }
}

impl Stream for Watch {
    type Item = State;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<State>> {
        self.get_mut().poll_changed(cx).map(Some)
    }
}

/// The future of the next change of a breaker. Returned by [`BreakerHandle::changed`](crate::BreakerHandle::changed).
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Changed(pub(super) Watch);

impl Future for Changed {
    type Output = State;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<State> {
        self.0.poll_changed(cx)
    }
}
