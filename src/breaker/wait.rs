//! Waiting for a breaker to change.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::time::Instant;

use crate::breaker::Breaker;
use crate::clock::{self, Sleep, sleep_until};
use crate::machine::PermitState;

/// The slot and the timer of one waiter. The timer exists only while the task waits.
#[derive(Debug, Default)]
pub(crate) struct Wait {
    key: Option<usize>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Wait {
    /// Registers the task for the next change. The caller reads the state afterwards.
    pub(crate) fn register(&mut self, breaker: &Breaker, cx: &Context<'_>) {
        breaker.waiters.register(&mut self.key, cx.waker());
    }

    /// Completes when time alone may have changed the state since `read_at`.
    ///
    /// `read_at` is the time before the caller read the state, so that a deadline that passed while it did so completes
    /// this at once. Needs a tokio runtime with time.
    fn poll_deadline(
        &mut self,
        breaker: &Breaker,
        read_at: std::time::Instant,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let Some(deadline) = breaker.machine.deadline(read_at) else {
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

    /// Frees the slot and the timer.
    pub(crate) fn leave(&mut self, breaker: &Breaker) {
        breaker.waiters.forget(&mut self.key);
        self.timer = None;
    }

    /// Waits until `check` returns a value. Makes the transitions that are due by time alone.
    ///
    /// Each round registers first and checks second, so that a change between the two wakes the task. The lock of the
    /// waiters orders them: see [`Waiters`](crate::event::Waiters).
    pub(super) fn poll_until<T>(
        &mut self,
        breaker: &Breaker,
        cx: &mut Context<'_>,
        mut check: impl FnMut() -> Option<T>,
    ) -> Poll<T> {
        loop {
            self.register(breaker, cx);
            let read_at = clock::now();
            let due = breaker.machine.tick(read_at);
            if !due.is_empty() {
                breaker.publish(due);
            }
            if let Some(found) = check() {
                return Poll::Ready(found);
            }
            if self.poll_deadline(breaker, read_at, cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

/// A waiter, which frees its slot when it is dropped: a service in `poll_ready`, or a health check.
#[derive(Debug)]
pub(crate) struct Waiter {
    breaker: Arc<Breaker>,
    wait: Wait,
}

impl Waiter {
    pub(crate) fn new(breaker: Arc<Breaker>) -> Self {
        Self { breaker, wait: Wait::default() }
    }

    /// Registers the task for the next change. The caller reads the state afterwards.
    pub(crate) fn register(&mut self, cx: &Context<'_>) {
        self.wait.register(&self.breaker, cx);
    }

    /// Waits until a call would be admitted.
    pub(crate) fn poll_admits(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { breaker, wait } = self;
        wait.poll_until(breaker, cx, || breaker.would_reject().is_none().then_some(()))
    }

    /// Waits until a probe is due, and returns the permit for it.
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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::time::Duration;

    use tokio::time::{advance, timeout};

    use super::*;
    use crate::breaker::BreakerHandle;
    use crate::settings::Settings;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_passes_during_the_check_wakes_the_task() {
        let settings = Settings::builder().build().expect("defaults are valid");
        let handle = BreakerHandle::new("deadline", settings);
        handle.hold_for(Duration::from_secs(5));
        let breaker = handle.shared().breaker();
        let mut wait = Wait::default();
        let mut checks = 0;
        let checked_again = poll_fn(|cx| {
            let now = &mut Context::from_waker(std::task::Waker::noop());
            wait.poll_until(&breaker, cx, || {
                checks += 1;
                if checks > 1 {
                    return Some(());
                }
                // The cooldown ends right after this check.
                let _moved = pin!(advance(Duration::from_secs(6))).poll(now);
                None
            })
        });
        let start = Instant::now();
        timeout(Duration::from_secs(60), checked_again).await.expect("it ends");
        assert!(start.elapsed() < Duration::from_secs(7), "not woken");
        wait.leave(&breaker);
    }
}
