//! Many threads, every manual operation and new settings: the totals equal what the callers counted.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use tower_breaker::{
    Backoff, BreakerHandle, Outcome, Permit, Probe, Ramp, Settings, Snapshot, State, Throttled,
    Trip, Window, handle::Events,
};

const THREADS: u64 = 6;
const CALLS: u64 = 10_000;
const MS: Duration = Duration::from_millis(1);

/// Settings of many kinds, all with short times.
fn settings(kind: u64) -> Settings {
    let trip = match kind % 6 {
        0 => Trip::none().consecutive(3),
        1 => Trip::none().failure_rate(0.5, 10),
        2 => Trip::none().overdue(3, MS * 10),
        3 => Trip::none().slow(MS, 0.5, 5).consecutive(20),
        4 => Trip::none().failures(10).consecutive(4).overdue(1_000, MS * 50),
        _ => Trip::none().consecutive(5).consecutive_over(MS * 2),
    };
    let by_time = Window::time(MS * 320).buckets(32);
    let probe = match kind % 4 {
        0 => Probe::successes(1),
        1 => Probe::successes(3).in_flight(2).lease(MS * 5),
        2 => Probe::sample(6, 0.5).in_flight(3).lease(MS * 5),
        _ => Probe::sample(4, 1.0).in_flight(4).lease(MS * 2),
    };
    let settings = Settings::builder()
        .trip(trip)
        .window(if kind.is_multiple_of(2) { by_time } else { Window::count(20) })
        .probe(probe)
        .cooldown(Backoff::fixed(MS * 2))
        .min_hold(Duration::ZERO)
        .throttled(Throttled::hold().max_hold(MS * 3))
        .track_in_flight(true);
    let settings = match kind % 3 {
        0 => settings.ramp(Ramp::new([20, 60], MS * 3)),
        _ => settings,
    };
    settings.build().expect("valid")
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// The counts of the callers. `settled`: success, failure, throttled, ignored, dropped.
#[derive(Default)]
struct Seen {
    admitted: AtomicU64,
    rejected: AtomicU64,
    settled: [AtomicU64; 5],
}

fn caller(handle: &BreakerHandle, seen: &Seen, mut random: Random) {
    let mut held = Vec::new();
    for call in 0..CALLS {
        match handle.try_acquire() {
            Ok(permit) => {
                seen.admitted.fetch_add(1, Relaxed);
                held.push(permit);
            }
            Err(_) => {
                seen.rejected.fetch_add(1, Relaxed);
                thread::yield_now();
            }
        }
        while held.len() as u64 > random.below(6) {
            let at = random.below(held.len() as u64) as usize;
            end(held.swap_remove(at), seen, &mut random);
        }
        if call % 500 == 17 {
            operator(handle, &mut random);
        }
        if random.below(50) == 0 {
            let totals = handle.snapshot().totals;
            assert!(totals.settled() <= totals.admitted.expect("tracked"), "{totals:?}");
        }
    }
}

fn end(permit: Permit, seen: &Seen, random: &mut Random) {
    let class = match random.below(12) {
        0..=5 => 0,
        6..=8 => 1,
        9 => 2,
        10 => 3,
        _ => 4,
    };
    seen.settled[class].fetch_add(1, Relaxed);
    match class {
        0 => permit.success(),
        1 => permit.failure(),
        2 => permit.settle(Outcome::throttled().retry_after(MS)),
        3 => permit.ignore(),
        _ => drop(permit),
    }
}

fn operator(handle: &BreakerHandle, random: &mut Random) {
    match random.below(9) {
        0 => handle.force_open(Some(MS / 2)),
        1 => handle.release(),
        2 => handle.force_closed(),
        3 => handle.hold_for(MS),
        4 => handle.reset(),
        5 => handle.force_open(Some(Duration::ZERO)),
        _ => handle.reconfigure(settings(random.below(100))),
    }
}

fn check(now: &Snapshot, seen: &Seen, events: &mut Events) {
    let admitted = seen.admitted.load(Relaxed);
    assert_eq!((now.totals.settled(), now.in_flight), (admitted, Some(0)), "{now:?}");
    assert_eq!(now.totals.rejected, seen.rejected.load(Relaxed));
    // Calls that are missing in a class are late.
    let counted =
        [now.totals.success, now.totals.failure, now.totals.throttled, now.totals.ignored];
    for (counted, seen) in counted.into_iter().zip(&seen.settled) {
        assert!(counted <= seen.load(Relaxed), "{now:?}");
    }
    let mut last = None;
    while let Some(event) = events.try_recv() {
        // Epochs have no gap, except after `Lagged`.
        last = event.ok().map(|event| {
            assert!(last.is_none_or(|last| event.epoch == last + 1), "{last:?}, {event:?}");
            event.epoch
        });
    }
    assert_eq!(last, Some(now.epoch), "the last transition is in the log");
}

#[test]
fn totals_epochs_and_leases_are_right_after_everything_at_once() {
    for round in 0..6 {
        let handle = BreakerHandle::new("stress", settings(round));
        let mut events = handle.events();
        let seen = Seen::default();
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (handle, seen) = (&handle, &seen);
                scope.spawn(move || caller(handle, seen, Random(round * 100 + thread + 1)));
            }
        });
        check(&handle.snapshot(), &seen, &mut events);

        // The breaker still works: it opens, admits one probe and closes.
        handle.reset();
        handle.reconfigure(settings(4));
        handle.hold_for(MS);
        assert_ne!(handle.state(), State::Closed);
        while !handle.would_admit() {
            thread::yield_now();
        }
        let probe = handle.try_acquire().expect("a lease");
        assert!(probe.is_probe());
        probe.success();
        assert_eq!(handle.state(), State::Closed);
    }
}
