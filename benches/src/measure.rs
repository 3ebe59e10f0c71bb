//! Measures the time and the allocations of a [`Load`].

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::allocator::Counts;
use crate::drive::Load;

/// The approximate length of one sample. It is shorter than the time slice of a thread on a busy system, so that most
/// samples are not interrupted.
const SAMPLE: Duration = Duration::from_millis(1);

/// Returns the median of the values. If their number is even, returns the larger of the two in the middle.
///
/// # Panics
///
/// Panics if there are no values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Returns the number of calls that fill one sample. `run` makes the given number of calls and returns the time they
/// took.
pub fn calibrate(mut run: impl FnMut(u64) -> Duration) -> u64 {
    let mut calls = 256;
    loop {
        let took = run(calls);
        if took >= SAMPLE / 4 {
            let scale = SAMPLE.as_secs_f64() / took.as_secs_f64();
            return ((calls as f64 * scale) as u64).max(1);
        }
        calls *= 4;
    }
}

fn time(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// Returns the nanoseconds per call of each load, as medians of `samples` samples. The samples of the loads alternate,
/// so that a disturbance of the machine affects all of them.
pub fn alternating(loads: &mut [&mut Load], samples: usize) -> Vec<f64> {
    let calls: Vec<_> =
        loads.iter_mut().map(|load| calibrate(|calls| time(|| load.run(calls)))).collect();
    let mut taken = vec![Vec::with_capacity(samples); loads.len()];
    for _ in 0..samples {
        for ((load, &calls), taken) in loads.iter_mut().zip(&calls).zip(&mut taken) {
            taken.push(time(|| load.run(calls)).as_nanos() as f64 / calls as f64);
        }
    }
    taken.into_iter().map(median).collect()
}

/// The share of the time for which two threads must run simultaneously.
const MIN_OVERLAP: f64 = 0.8;

/// Samples of two threads are shorter by this factor: two threads rarely run uninterrupted for long.
const SHORTER: u64 = 5;

/// The longest time to try, per sample.
const TIME_PER_SAMPLE: Duration = Duration::from_millis(10);

/// Returns the nanoseconds per call and thread, with one thread and with two threads on one breaker. The samples
/// alternate.
///
/// A busy system does not always run two threads simultaneously. Samples in which it did not are repeated. If it never
/// does, there is no second figure.
pub fn two_threads(load: &mut Load, samples: usize) -> (f64, Option<f64>) {
    let calls = calibrate(|calls| time(|| load.run(calls)));
    // Calls that wait for the other thread may take many times as long.
    let contended = calibrate(|calls| both_at_once(load, calls).took).div_ceil(SHORTER);
    let (mut alone, mut both) = (Vec::new(), Vec::new());
    let start = Instant::now();
    let limit = TIME_PER_SAMPLE * samples as u32;
    while alone.len() < samples || (both.len() < samples && start.elapsed() < limit) {
        if alone.len() < samples {
            alone.push(time(|| load.run(calls)).as_nanos() as f64 / calls as f64);
        }
        let sample = both_at_once(load, contended);
        if sample.overlap >= MIN_OVERLAP {
            both.push(sample.took.as_nanos() as f64 / contended as f64);
        }
    }
    (median(alone), (!both.is_empty()).then(|| median(both)))
}

/// A sample of two threads.
struct TwoThreads {
    /// The mean of their times.
    took: Duration,
    /// The share of the time for which both ran.
    overlap: f64,
}

fn both_at_once(load: &mut Load, calls: u64) -> TwoThreads {
    let signal = StartSignal::default();
    let [one, other] = std::thread::scope(|scope| {
        let [first, second] = load.both();
        let other = scope.spawn(|| {
            signal.follow();
            timed(second, calls)
        });
        let one = scope.spawn(|| {
            signal.lead();
            timed(first, calls)
        });
        [one, other].map(|thread| thread.join().expect("no call panics"))
    });
    let whole = one.1.max(other.1) - one.0.min(other.0);
    let common = one.1.min(other.1).saturating_duration_since(one.0.max(other.0));
    TwoThreads {
        took: (one.1 - one.0 + (other.1 - other.0)) / 2,
        overlap: common.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE),
    }
}

fn timed(run: &mut (dyn FnMut(u64) + Send), calls: u64) -> (Instant, Instant) {
    let start = Instant::now();
    run(calls);
    (start, Instant::now())
}

/// A start signal for two threads. It waits until both are running, not only ready to run, which shows in how fast they
/// respond to each other.
#[derive(Default)]
struct StartSignal {
    /// Odd while the follower must respond.
    turn: AtomicU32,
    go: AtomicBool,
}

impl StartSignal {
    const ROUNDS: u32 = 8;
    /// The time of all rounds if both threads run. A context switch takes far longer.
    const FAST: Duration = Duration::from_micros(10);
    /// The time after which the threads start in any case.
    const LATEST: Duration = Duration::from_millis(5);

    fn lead(&self) {
        let start = Instant::now();
        loop {
            let round = Instant::now();
            for _ in 0..Self::ROUNDS {
                self.turn.fetch_add(1, Ordering::AcqRel);
                while self.turn.load(Ordering::Acquire) % 2 == 1 {
                    if start.elapsed() > Self::LATEST {
                        return self.go.store(true, Ordering::Release);
                    }
                }
            }
            if round.elapsed() < Self::FAST {
                return self.go.store(true, Ordering::Release);
            }
        }
    }

    fn follow(&self) {
        while !self.go.load(Ordering::Acquire) {
            if self.turn.load(Ordering::Acquire) % 2 == 1 {
                self.turn.fetch_add(1, Ordering::AcqRel);
            }
            std::hint::spin_loop();
        }
    }
}

/// Returns the allocations and the bytes per call. The first 100 calls, which allocate what is allocated once, do not
/// count.
pub fn allocations(load: &mut Load) -> (f64, f64) {
    const CALLS: u64 = 10_000;
    load.run(100);
    let before = Counts::now();
    load.run(CALLS);
    let during = Counts::now().since(before);
    (during.allocations as f64 / CALLS as f64, during.bytes as f64 / CALLS as f64)
}

/// The number of calls in a timed batch of a filled window. It is small, so that the batch hardly changes the window.
const TIMED: u64 = 100;

/// Returns the nanoseconds per call with `before` calls already in the window, as the median of `samples` new breakers.
pub fn filled(fresh: impl Fn() -> Load, before: u64, samples: usize) -> f64 {
    let one = || fill(&mut fresh(), before, Duration::MAX, 1).ns;
    median((0..samples).map(|_| one()).collect())
}

/// The result of [`fill`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Filled {
    /// The number of calls in the window when the first call was timed.
    pub reached: u64,
    /// The nanoseconds per call, as the median of the batches.
    pub ns: f64,
}

/// Makes `before` calls, or as many as fit in `limit`, then times `batches` batches of 100 calls each.
///
/// # Panics
///
/// Panics if `batches` is 0.
pub fn fill(load: &mut Load, before: u64, limit: Duration, batches: usize) -> Filled {
    let start = Instant::now();
    let mut reached = 0;
    while reached < before && start.elapsed() < limit {
        let calls = (before - reached).min(1_000);
        load.run(calls);
        reached += calls;
    }
    let batch = |_| time(|| load.run(TIMED)).as_nanos() as f64 / TIMED as f64;
    Filled { reached, ns: median((0..batches).map(batch).collect()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_value() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0]), 4.0);
    }

    #[test]
    fn a_window_is_filled_for_as_long_as_allowed() {
        let load = || Load::of(|_| {}, |_| {});
        assert_eq!(fill(&mut load(), 2_500, Duration::MAX, 1).reached, 2_500);
        assert_eq!(fill(&mut load(), 2_500, Duration::ZERO, 1).reached, 0);
    }
}
