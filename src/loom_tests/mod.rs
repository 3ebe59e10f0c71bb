//! Every interleaving of two or three threads, up to a number of preemptions.
//!
//! Run `RUSTFLAGS="--cfg loom" cargo test --release --lib loom` with a separate `CARGO_TARGET_DIR`; otherwise each
//! change of `RUSTFLAGS` rebuilds everything. `LOOM_MAX_PREEMPTIONS=4` searches further. `--nocapture` prints the
//! number of interleavings.

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

/// Runs `check` in every interleaving with at most three preemptions. The first thread uses the shared stripe.
///
/// Runs it twice, with the threads spawned in either order. Loom remembers one access of a word. If a thread loads a
/// word and then stores it, loom does not try the store before the load of another thread. It does try the load of the
/// other thread before the store.
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

/// Spawns a thread that owns stripe `slot`, or uses the shared one.
pub(super) fn spawn<T: 'static>(
    slot: Option<usize>,
    run: impl FnOnce() -> T + 'static,
) -> JoinHandle<T> {
    thread::spawn(move || {
        stripe::place(slot);
        run()
    })
}

/// Runs both functions concurrently, each with a stripe that its thread owns, and returns their results.
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

/// As [`both`], with a third function that uses the shared stripe.
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

/// Returns a function that calls `use_it` with a clone of the handle.
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

/// Settings without randomness, and with a fixed cooldown of 5 s.
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

/// A breaker that opens with the first failure.
pub(super) fn fragile() -> BreakerHandle {
    handle(settings(Trip::none().consecutive(1)))
}

/// Returns the transitions so far. Checks that they have no gap, that each begins in the state in which the last one
/// ended, and that they end in the current state. An open circuit whose deadline has passed reads as half-open.
pub(super) fn transitions(events: &mut Events, now: &Snapshot) -> Vec<Transition> {
    let mut transitions: Vec<Transition> = Vec::new();
    while let Some(event) = events.try_recv() {
        let event = event.expect("no receiver lags");
        let (epoch, state) =
            transitions.last().map_or((1, State::Closed), |last| (last.epoch, last.to));
        assert_eq!(
            (event.epoch, event.from),
            (epoch + 1, state),
            "{event:?} after {transitions:?}"
        );
        transitions.push(event);
    }
    let (epoch, state) =
        transitions.last().map_or((1, State::Closed), |last| (last.epoch, last.to));
    assert_eq!(now.epoch, epoch, "{now:?} after {transitions:?}");
    let reads = now.state == state || (now.state, state) == (State::HalfOpen, State::Open);
    assert!(reads, "{now:?} after {transitions:?}");
    transitions
}

/// Checks that nothing is in flight: every admitted call is settled.
pub(super) fn adds_up(totals: &Totals, admitted: u64, rejected: u64) {
    assert_eq!((totals.settled(), totals.rejected), (admitted, rejected), "{totals:?}");
    assert!(totals.admitted.is_none_or(|counted| counted == admitted), "{totals:?}");
}

/// A task that records whether it was woken.
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

    /// Returns whether the task was woken since the last call.
    pub(super) fn woken(&self) -> bool {
        let woken = self.woken.load(Ordering::Acquire) == 1;
        self.woken.store(0, Ordering::Relaxed);
        woken
    }
}

pub(super) type Event = Result<Transition, Lagged>;
