//! A clock that a test sets, and timers that follow it, because a model checker requires deterministic runs.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

// Under loom, each thread has a separate clock. With a shared one, the checker would have to try each reading at every
// time. A thread whose clock is behind stands for one that read its clock a while ago.
#[cfg(loom)]
crate::sync::thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
    static TIMERS: RefCell<Timers> = const { RefCell::new(Timers::new()) };
}
// Under shuttle, all threads share one clock, because they run on one thread of the system.
#[cfg(not(loom))]
std::thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
    static TIMERS: RefCell<Timers> = const { RefCell::new(Timers::new()) };
}

/// The timers that were polled, by number.
type Timers = BTreeMap<u64, (Instant, Waker)>;

fn with_timers<R>(with: impl FnOnce(&mut Timers) -> R) -> Option<R> {
    TIMERS.try_with(|timers| with(&mut timers.borrow_mut())).ok()
}

/// Sets the clock to `millis` milliseconds after the start, and wakes the timers that are due.
pub(crate) fn set(millis: u64) {
    NOW.set(millis);
    let now = now();
    let due: Option<Timers> = with_timers(|timers| {
        let (due, later) = std::mem::take(timers).into_iter().partition(|(_, (at, _))| *at <= now);
        *timers = later;
        due
    });
    for (_, waker) in due.unwrap_or_default().into_values() {
        waker.wake();
    }
}

pub(crate) fn now() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now) + Duration::from_millis(NOW.get())
}

/// A timer. It wakes its task when the thread that polled it sets its own clock.
#[derive(Debug)]
pub(crate) struct Sleep {
    number: u64,
    deadline: tokio::time::Instant,
}

pub(crate) fn sleep_until(deadline: tokio::time::Instant) -> Sleep {
    // Relaxed: the numbers only have to differ.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    Sleep { number: NEXT.fetch_add(1, Relaxed), deadline }
}

impl Sleep {
    pub(crate) fn deadline(&self) -> tokio::time::Instant {
        self.deadline
    }

    pub(crate) fn reset(mut self: Pin<&mut Self>, deadline: tokio::time::Instant) {
        self.deadline = deadline;
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline.into_std();
        if deadline <= now() {
            return Poll::Ready(());
        }
        with_timers(|timers| timers.insert(self.number, (deadline, cx.waker().clone())));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        with_timers(|timers| timers.remove(&self.number));
    }
}
