//! Waiting for a breaker to change.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::time::Instant;

use crate::breaker::Breaker;
use crate::clock::{self, Sleep, sleep_until};
use crate::event::Lagged;
use crate::machine::{PermitState, Transition};
use crate::state::State;

/// One waiter's place and timer. The timer exists only while somebody waits.
#[derive(Debug, Default)]
pub(crate) struct Wait {
    key: Option<usize>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Wait {
    /// Wakes the task at the next change. Whoever calls this looks again afterwards.
    pub(crate) fn register(&mut self, breaker: &Breaker, cx: &Context<'_>) {
        breaker.waiters.register(&mut self.key, cx.waker());
    }

    /// Pending until time alone may have changed something after `seen`, which is before whoever waits looked: what
    /// became due while it did must wake it. Needs a tokio runtime with time.
    fn poll_deadline(
        &mut self,
        breaker: &Breaker,
        seen: std::time::Instant,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let Some(deadline) = breaker.machine.deadline(seen) else {
            self.timer = None;
            return Poll::Pending;
        };
        let deadline = Instant::from_std(deadline);
        let timer = match &mut self.timer {
            Some(timer) => {
                if timer.deadline() != deadline {
                    timer.as_mut().reset(deadline);
                }
                timer
            }
            None => self.timer.insert(Box::pin(sleep_until(deadline))),
        };
        timer.as_mut().poll(cx)
    }

    /// Leaves.
    pub(crate) fn leave(&mut self, breaker: &Breaker) {
        breaker.waiters.forget(&mut self.key);
        self.timer = None;
    }

    /// Waits until `look` finds something. Registers first and looks then, so that no change is missed; does what
    /// time has made due.
    fn poll_until<T>(
        &mut self,
        breaker: &Breaker,
        cx: &mut Context<'_>,
        mut look: impl FnMut() -> Option<T>,
    ) -> Poll<T> {
        loop {
            self.register(breaker, cx);
            let seen = clock::now();
            let due = breaker.machine.tick(seen);
            if !due.is_empty() {
                breaker.publish(due);
            }
            if let Some(found) = look() {
                return Poll::Ready(found);
            }
            if self.poll_deadline(breaker, seen, cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

/// A service that waits in `poll_ready`, with its place among the waiters.
#[derive(Debug)]
pub(crate) struct Waiter {
    breaker: Arc<Breaker>,
    wait: Wait,
}

impl Waiter {
    pub(crate) fn new(breaker: Arc<Breaker>) -> Self {
        Self { breaker, wait: Wait::default() }
    }

    /// Wakes the task when the breaker changes. Whoever calls this looks again afterwards.
    pub(crate) fn register(&mut self, cx: &Context<'_>) {
        self.wait.register(&self.breaker, cx);
    }

    /// Waits until a call would be admitted.
    pub(crate) fn poll_admits(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { breaker, wait } = self;
        wait.poll_until(breaker, cx, || breaker.would_reject().is_none().then_some(()))
    }
}

impl Waiter {
    /// Waits until a probe in the background is due.
    pub(super) fn poll_health_check(&mut self, cx: &mut Context<'_>) -> Poll<PermitState> {
        let Self { breaker, wait } = self;
        wait.poll_until(breaker, cx, || breaker.admit_health_check())
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.wait.leave(&self.breaker);
    }
}

/// Sees every change of a breaker's state. Made by [`BreakerHandle::watch`](crate::BreakerHandle::watch).
///
/// Unlike [`Events`], this also sees an open circuit become half-open when its cooldown ends, although nothing
/// happens then before a call comes.
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

    /// The state now.
    pub fn state(&self) -> State {
        self.breaker.reading().1
    }

    /// Waits until the state, or its epoch, is another than the last one that this watch returned (at first: than
    /// the one at its making), and returns the new state.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a change that nobody was told is returned next.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with time, if a timer is needed.
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

/// The next change of a breaker. Made by [`BreakerHandle::changed`](crate::BreakerHandle::changed).
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Changed(pub(super) Watch);

impl Future for Changed {
    type Output = State;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<State> {
        self.0.poll_changed(cx)
    }
}

/// The transitions of one breaker, in the order of their epochs. Made by [`BreakerHandle::events`](crate::BreakerHandle::events).
///
/// The last 256 are kept for a receiver that is slow; what it misses is told as [`Lagged`].
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

    /// The next transition.
    ///
    /// # Errors
    ///
    /// [`Lagged`] when this receiver was too slow; the next call goes on behind the gap.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with time, if a timer is needed.
    pub async fn recv(&mut self) -> Result<Transition, Lagged> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// The next transition, if it has happened.
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

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::time::Duration;

    use tokio::time::{advance, timeout};

    use super::*;
    use crate::breaker::BreakerHandle;
    use crate::machine::Settings;

    #[tokio::test(start_paused = true)]
    async fn what_becomes_due_while_somebody_looks_wakes_them() {
        let settings = Settings::builder().build().expect("defaults are valid");
        let handle = BreakerHandle::new("deadline", settings);
        handle.hold_for(Duration::from_secs(5));
        let breaker = handle.shared().breaker();
        let mut wait = Wait::default();
        let mut looks = 0;
        let looked_again = poll_fn(|cx| {
            let now = &mut Context::from_waker(std::task::Waker::noop());
            wait.poll_until(&breaker, cx, || {
                looks += 1;
                if looks > 1 {
                    return Some(());
                }
                // The cooldown ends right after it was found to last.
                let _moved = pin!(advance(Duration::from_secs(6))).poll(now);
                None
            })
        });
        let start = Instant::now();
        timeout(Duration::from_secs(60), looked_again).await.expect("it ends");
        assert!(start.elapsed() < Duration::from_secs(7), "not woken");
        wait.leave(&breaker);
    }
}
