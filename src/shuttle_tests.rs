//! A scenario that is too large for loom: six threads, every manual operation, new settings, waiters and a running clock, in
//! random schedules from fixed seeds. Memory is sequentially consistent here. Loom covers weaker orderings.
//!
//! Run `RUSTFLAGS="--cfg shuttle" cargo test --release --lib shuttle`. `SHUTTLE_SCHEDULES` is the number of schedules
//! for each seed.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Runner, thread};

use crate::breaker::Waiter;
use crate::window::stripe;
use crate::{
    Backoff, BreakerHandle, Outcome, Permit, Probe, Ramp, Settings, Snapshot, State, Throttled,
    Trip, Window,
    breaker::{Events, Watch},
    clock,
};

const MS: Duration = Duration::from_millis(1);
const CALLERS: u64 = 4;
const CALLS: u64 = 25;

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Settings of many kinds, all with short times.
fn settings(kind: u64) -> Settings {
    let trip = match kind % 6 {
        0 => Trip::none().consecutive(3),
        1 => Trip::none().failure_rate(0.5, 4),
        2 => Trip::none().overdue(2, MS * 10),
        3 => Trip::none().slow(MS * 3, 0.5, 3).consecutive(5),
        4 => Trip::none().failures(3).consecutive(4).overdue(9, MS * 20),
        _ => Trip::none().consecutive(2).consecutive_over(MS * 2),
    };
    let by_time = Window::time(MS * 32).buckets(4);
    let probe = match kind % 4 {
        0 => Probe::successes(1),
        1 => Probe::successes(2).in_flight(2).lease(MS * 5),
        2 => Probe::sample(3, 0.5).in_flight(3).lease(MS * 5),
        _ => Probe::sample(4, 1.0).in_flight(4).lease(MS * 2),
    };
    let settings = Settings::builder()
        .trip(trip)
        .window(if kind.is_multiple_of(2) { by_time } else { Window::count(6) })
        .probe(probe)
        .cooldown(Backoff::fixed(MS * 2))
        .min_hold(Duration::ZERO)
        .throttled(Throttled::hold().max_hold(MS * 3))
        .track_in_flight(true)
        .seed(1);
    let settings = match kind % 3 {
        0 => settings.ramp(Ramp::new([20, 60], MS * 3)),
        _ => settings,
    };
    settings.build().expect("valid settings")
}

/// The counts of the callers, and the time.
#[derive(Default)]
struct Seen {
    now: AtomicU64,
    admitted: AtomicU64,
    rejected: AtomicU64,
}

impl Seen {
    /// Advances the clock of all threads.
    fn tick(&self) {
        clock::set(self.now.fetch_add(1, Relaxed) / 3);
    }
}

fn caller(handle: &BreakerHandle, seen: &Seen, mut random: Random) {
    let mut held: Vec<Permit> = Vec::new();
    for _ in 0..CALLS {
        seen.tick();
        match handle.try_acquire() {
            Ok(permit) => {
                seen.admitted.fetch_add(1, Relaxed);
                held.push(permit);
            }
            Err(_) => {
                seen.rejected.fetch_add(1, Relaxed);
            }
        }
        while held.len() as u64 > random.below(4) {
            let permit = held.swap_remove(random.below(held.len() as u64) as usize);
            match random.below(8) {
                0..=2 => permit.success(),
                3..=4 => permit.failure(),
                5 => permit.settle(Outcome::throttled().retry_after(MS)),
                6 => permit.ignore(),
                _ => drop(permit),
            }
        }
    }
    drop(held);
    stripe::end_thread();
}

fn operator(handle: &BreakerHandle, mut random: Random) {
    for _ in 0..12 {
        match random.below(10) {
            0 => handle.force_open(Some(MS / 2)),
            1 => handle.release(),
            2 => handle.force_closed(),
            3 => handle.hold_for(MS),
            4 => handle.reset(),
            5 => handle.force_open(Some(Duration::ZERO)),
            6 => {
                let now = handle.snapshot();
                let totals = now.totals;
                assert!(totals.settled() <= totals.admitted.expect("tracked"), "{now:?}");
                assert!(now.window.failures <= now.window.calls, "{now:?}");
            }
            _ => handle.reconfigure(settings(random.below(100))),
        }
    }
    stripe::end_thread();
}

/// A task that records whether it was woken.
#[derive(Default)]
struct Task(AtomicBool);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

impl Task {
    fn poll<T>(self: &Arc<Self>, poll: impl FnOnce(&mut Context<'_>) -> T) -> T {
        poll(&mut Context::from_waker(&Waker::from(Arc::clone(self))))
    }
}

/// The waiters, each with its task and with whether its last poll returned `Pending`.
struct Waiting {
    watch: (Watch, Arc<Task>, bool),
    events: (Events, Arc<Task>, bool),
    waiter: (Waiter, Arc<Task>, bool),
    epoch: u64,
}

impl Waiting {
    fn new(handle: &BreakerHandle) -> Self {
        Self {
            watch: (handle.watch(), Arc::default(), false),
            events: (handle.events(), Arc::default(), false),
            waiter: (Waiter::new(handle.shared().breaker()), Arc::default(), false),
            epoch: 1,
        }
    }

    /// Polls the waiters that are not pending or were woken. With `all`, polls every waiter: one that was not woken
    /// must still be pending.
    fn poll(&mut self, all: bool) {
        fn due((task, waits): (&Arc<Task>, bool), all: bool) -> Option<bool> {
            let woken = task.0.swap(false, Relaxed);
            (all || !waits || woken).then_some(waits && !woken)
        }
        let (watch, task, waits) = &mut self.watch;
        if let Some(must_wait) = due((task, *waits), all) {
            let found = task.poll(|cx| pin!(watch.changed()).poll(cx));
            assert!(!must_wait || found.is_pending(), "a watch was not woken: {found:?}");
            *waits = found.is_pending();
        }
        let (waiter, task, waits) = &mut self.waiter;
        if let Some(must_wait) = due((task, *waits), all) {
            let found = task.poll(|cx| waiter.poll_admits(cx));
            assert!(!must_wait || found.is_pending(), "a caller was not woken");
            *waits = found.is_pending();
        }
        let (events, task, waits) = &mut self.events;
        if let Some(must_wait) = due((task, *waits), all) {
            let found = task.poll(|cx| pin!(events.recv()).poll(cx));
            assert!(!must_wait || found.is_pending(), "a receiver was not woken: {found:?}");
            *waits = found.is_pending();
            if let Poll::Ready(event) = found {
                let epoch = event.expect("no receiver lags").epoch;
                assert_eq!(epoch, self.epoch + 1);
                self.epoch = epoch;
            }
        }
    }
}

fn check(now: &Snapshot, seen: &Seen, events: &mut Events) {
    let (admitted, rejected) = (seen.admitted.load(Relaxed), seen.rejected.load(Relaxed));
    assert_eq!((now.totals.settled(), now.in_flight), (admitted, Some(0)), "{now:?}");
    assert_eq!(now.totals.rejected, rejected, "{now:?}");
    assert!(now.window.failures <= now.window.calls, "{now:?}");
    let (mut epoch, mut state) = (1, State::Closed);
    while let Some(event) = events.try_recv() {
        let event = event.expect("no receiver lags");
        assert_eq!((event.epoch, event.from), (epoch + 1, state));
        (epoch, state) = (event.epoch, event.to);
    }
    assert_eq!(epoch, now.epoch, "every transition is in the log");
}

fn everything_at_once() {
    use shuttle::rand::Rng;

    clock::set(0);
    let seed: u64 = shuttle::rand::thread_rng().r#gen();
    let handle = BreakerHandle::new("shuttle", settings(seed % 100));
    let (mut events, mut waiting) = (handle.events(), Waiting::new(&handle));
    let (seen, done) = (Arc::new(Seen::default()), Arc::new(AtomicBool::new(false)));
    let mut threads: Vec<_> = (0..CALLERS)
        .map(|thread| {
            let (handle, seen) = (handle.clone(), Arc::clone(&seen));
            thread::spawn(move || caller(&handle, &seen, Random(seed.wrapping_add(thread))))
        })
        .collect();
    threads.push({
        let handle = handle.clone();
        thread::spawn(move || operator(&handle, Random(seed.wrapping_add(CALLERS))))
    });
    let waits = {
        let done = Arc::clone(&done);
        thread::spawn(move || {
            while !done.load(Relaxed) {
                waiting.poll(false);
                thread::yield_now();
            }
            waiting
        })
    };
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    done.store(true, Relaxed);
    let mut waiting = waits.join().expect("no panic");
    waiting.poll(true);
    drop(waiting);
    check(&handle.snapshot(), &seen, &mut events);

    // The breaker still works: it opens, admits one probe and closes.
    handle.reset();
    handle.reconfigure(settings(4));
    handle.hold_for(MS);
    clock::set(seen.now.load(Relaxed) + 1_000);
    let probe = handle.try_acquire().expect("a lease");
    assert!(probe.is_probe() && handle.try_acquire().is_err());
    probe.success();
    assert_eq!(handle.state(), State::Closed);
    stripe::end_thread();
}

fn run(scheduler: impl Scheduler + 'static) {
    let mut config = shuttle::Config::new();
    config.stack_size = 0x4_0000;
    // Silences warnings about memory orderings and about statics that are dropped: both are intended.
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(everything_at_once);
}

fn schedules() -> usize {
    std::env::var("SHUTTLE_SCHEDULES").map_or(2_000, |number| number.parse().expect("a number"))
}

#[test]
fn totals_epochs_leases_and_wakes_are_right_in_random_schedules() {
    for seed in 0..4 {
        run(RandomScheduler::new_from_seed(seed, schedules()));
    }
}

#[test]
fn totals_epochs_leases_and_wakes_are_right_with_few_preemptions() {
    for seed in 0..4 {
        run(PctScheduler::new_from_seed(seed, 3, schedules()));
    }
}
