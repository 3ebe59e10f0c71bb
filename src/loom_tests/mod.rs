//! Every interleaving of two or three threads, up to a number of preemptions.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release --lib loom`, with a `CARGO_TARGET_DIR` of its own, or everything is
//! built anew each time. `LOOM_MAX_PREEMPTIONS=4` looks further; `--nocapture` says how many there were.

mod events_tests;
mod handle_tests;
mod probe_tests;
mod wake_tests;
mod window_tests;

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use loom::model::Builder;
use loom::thread;
pub(super) use loom::thread::JoinHandle;

use crate::clock;
use crate::event::Lagged;
use crate::sync::{AtomicU32, Ordering};
use crate::window::stripe;
use crate::{
    Backoff, BreakerHandle, Settings, SettingsBuilder, Snapshot, State, Transition, Trip,
    breaker::Events, machine::Totals,
};

pub(super) const S: Duration = Duration::from_secs(1);

std::thread_local! {
    /// Whether the last thread of a test is spawned first.
    static BACKWARDS: Cell<bool> = const { Cell::new(false) };
}

/// Runs `check` in every interleaving with at most three preemptions. The first thread shares the last stripe.
///
/// Twice, with the threads in either order: loom remembers one access of a word, and where a thread loads and then
/// stores, it does not see that the store could have come before what another thread had loaded. It does see that the
/// other could have loaded before the store.
pub(super) fn model(check: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound.get_or_insert(3);
    builder.max_branches = 20_000;
    let (check, runs) = (Arc::new(check), Arc::new(AtomicUsize::new(0)));
    for backwards in [false, true] {
        let (check, runs) = (Arc::clone(&check), Arc::clone(&runs));
        BACKWARDS.set(backwards);
        builder.check(move || {
            runs.fetch_add(1, Relaxed);
            stripe::place(None);
            check();
        });
    }
    let name = std::thread::current().name().unwrap_or("").to_owned();
    println!("{} interleavings: {name}", runs.load(Relaxed));
}

/// A thread with a stripe of its own, or with the shared one.
pub(super) fn spawn<T: 'static>(
    slot: Option<usize>,
    run: impl FnOnce() -> T + 'static,
) -> JoinHandle<T> {
    thread::spawn(move || {
        stripe::place(slot);
        run()
    })
}

/// Runs both at the same time, each with a stripe of its own, and returns what they return.
pub(super) fn both<A: 'static, B: 'static>(
    a: impl FnOnce() -> A + 'static,
    b: impl FnOnce() -> B + 'static,
) -> (A, B) {
    let (a, b) = if BACKWARDS.get() {
        let b = spawn(Some(1), b);
        (spawn(Some(0), a), b)
    } else {
        (spawn(Some(0), a), spawn(Some(1), b))
    };
    (join(a), join(b))
}

/// The same with a third thread, which shares the last stripe.
pub(super) fn three<A: 'static, B: 'static, C: 'static>(
    a: impl FnOnce() -> A + 'static,
    b: impl FnOnce() -> B + 'static,
    c: impl FnOnce() -> C + 'static,
) -> (A, B, C) {
    let ((a, b), c) = if BACKWARDS.get() {
        let c = spawn(None, c);
        let b = spawn(Some(1), b);
        ((spawn(Some(0), a), b), c)
    } else {
        ((spawn(Some(0), a), spawn(Some(1), b)), spawn(None, c))
    };
    (join(a), join(b), join(c))
}

/// `use_it` with a handle of its own.
pub(super) fn with<T, F: FnOnce(&BreakerHandle) -> T>(
    handle: &BreakerHandle,
    use_it: F,
) -> impl FnOnce() -> T + use<T, F> {
    let handle = handle.clone();
    move || use_it(&handle)
}

pub(super) fn join<T>(thread: JoinHandle<T>) -> T {
    thread.join().expect("no panic")
}

/// No chance anywhere, and a fixed cooldown of 5 s.
pub(super) fn settings(trip: Trip) -> SettingsBuilder {
    Settings::builder()
        .trip(trip)
        .cooldown(Backoff::fixed(5 * S).jitter(0.0))
        .hold_jitter(0.0)
        .seed(1)
}

pub(super) fn handle(settings: SettingsBuilder) -> BreakerHandle {
    BreakerHandle::new("loom", settings.build().expect("valid settings"))
}

/// A handle that opens with the first failure.
pub(super) fn fragile() -> BreakerHandle {
    handle(settings(Trip::none().consecutive(1)))
}

/// The transitions so far, without a gap, each from where the last one ended, up to the state that is. An Open past
/// its deadline reads as half-open.
pub(super) fn told(events: &mut Events, now: &Snapshot) -> Vec<Transition> {
    let mut told: Vec<Transition> = Vec::new();
    while let Some(event) = events.try_recv() {
        let event = event.expect("nobody is too slow");
        let (epoch, state) = told.last().map_or((1, State::Closed), |last| (last.epoch, last.to));
        assert_eq!((event.epoch, event.from), (epoch + 1, state), "{event:?} after {told:?}");
        told.push(event);
    }
    let (epoch, state) = told.last().map_or((1, State::Closed), |last| (last.epoch, last.to));
    assert_eq!(now.epoch, epoch, "{now:?} after {told:?}");
    let reads = now.state == state || (now.state, state) == (State::HalfOpen, State::Open);
    assert!(reads, "{now:?} after {told:?}");
    told
}

/// Nothing is in flight: what was admitted is what was settled.
pub(super) fn adds_up(totals: &Totals, admitted: u64, rejected: u64) {
    assert_eq!((totals.settled(), totals.rejected), (admitted, rejected), "{totals:?}");
    assert!(totals.admitted.is_none_or(|counted| counted == admitted), "{totals:?}");
}

/// A task that notes when it is woken.
pub(super) struct Task {
    woken: AtomicU32,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.woken.store(1, Ordering::Release);
    }
}

impl Task {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { woken: AtomicU32::new(0) })
    }

    pub(super) fn poll<T>(self: &Arc<Self>, poll: impl FnOnce(&mut Context<'_>) -> T) -> T {
        let waker = Waker::from(Arc::clone(self));
        poll(&mut Context::from_waker(&waker))
    }

    /// Whether it was woken since this was last asked.
    pub(super) fn woken(&self) -> bool {
        let woken = self.woken.load(Ordering::Acquire) == 1;
        self.woken.store(0, Ordering::Relaxed);
        woken
    }
}

pub(super) type Event = Result<Transition, Lagged>;
