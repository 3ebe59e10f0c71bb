//! Times and allocations of a [`Load`].

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::allocator::Counts;
use crate::drive::Load;

/// How long one sample lasts, about: less than what a busy system gives a thread at a time, so that most samples are
/// not interrupted.
const SAMPLE: Duration = Duration::from_millis(1);

/// The middle of the values; the upper one of two.
///
/// # Panics
///
/// Without values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// How many calls fill one sample, when so many take that long.
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

/// Nanoseconds per call, of each load: medians of `samples` samples taken in turns, so that what disturbs the
/// machine disturbs all of them.
pub fn in_turns(loads: &mut [&mut Load], samples: usize) -> Vec<f64> {
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

/// How much of the time two threads have to be under way together.
const TOGETHER: f64 = 0.8;

/// Two threads are seldom both left alone for long.
const SHORTER: u64 = 5;

/// How long to try for, per sample.
const PATIENCE: Duration = Duration::from_millis(10);

/// Nanoseconds per call and thread, with one thread and with two on one breaker, taken in turns.
///
/// A busy system does not run two threads at once only because they were started together. Samples in which it did not
/// are taken again; if it never does, there is no second figure.
pub fn two_threads(load: &mut Load, samples: usize) -> (f64, Option<f64>) {
    let calls = calibrate(|calls| time(|| load.run(calls)));
    // What waits for the other thread may take many times as long.
    let contended = calibrate(|calls| both_at_once(load, calls).took).div_ceil(SHORTER);
    let (mut alone, mut both) = (Vec::new(), Vec::new());
    let start = Instant::now();
    let patience = PATIENCE * samples as u32;
    while alone.len() < samples || (both.len() < samples && start.elapsed() < patience) {
        if alone.len() < samples {
            alone.push(time(|| load.run(calls)).as_nanos() as f64 / calls as f64);
        }
        let sample = both_at_once(load, contended);
        if sample.together >= TOGETHER {
            both.push(sample.took.as_nanos() as f64 / contended as f64);
        }
    }
    (median(alone), (!both.is_empty()).then(|| median(both)))
}

/// What two threads did.
struct Both {
    /// The mean of their times.
    took: Duration,
    /// For which part of the time both were under way.
    together: f64,
}

fn both_at_once(load: &mut Load, calls: u64) -> Both {
    let meeting = Meeting::default();
    let [one, other] = std::thread::scope(|scope| {
        let [first, second] = load.both();
        let other = scope.spawn(|| {
            meeting.follow();
            timed(second, calls)
        });
        let one = scope.spawn(|| {
            meeting.lead();
            timed(first, calls)
        });
        [one, other].map(|thread| thread.join().expect("no call panics"))
    });
    let whole = one.1.max(other.1) - one.0.min(other.0);
    let common = one.1.min(other.1).saturating_duration_since(one.0.max(other.0));
    Both {
        took: (one.1 - one.0 + (other.1 - other.0)) / 2,
        together: common.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE),
    }
}

fn timed(run: &mut (dyn FnMut(u64) + Send), calls: u64) -> (Instant, Instant) {
    let start = Instant::now();
    run(calls);
    (start, Instant::now())
}

/// Where two threads wait until both are running, not only ready to run: they answer each other fast.
#[derive(Default)]
struct Meeting {
    /// Odd: the follower is asked.
    turn: AtomicU32,
    go: AtomicBool,
}

impl Meeting {
    const ROUNDS: u32 = 8;
    /// Far less than a system takes to change from one thread to the other.
    const FAST: Duration = Duration::from_micros(10);
    /// Then it has to do as it is.
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

/// Allocations and bytes per call, after the first calls have made what is made once.
pub fn allocations(load: &mut Load) -> (f64, f64) {
    const CALLS: u64 = 10_000;
    load.run(100);
    let before = Counts::now();
    load.run(CALLS);
    let during = Counts::now().since(before);
    (during.allocations as f64 / CALLS as f64, during.bytes as f64 / CALLS as f64)
}

/// How many calls are timed at a time in a filled window: few enough that it holds about as many throughout.
const TIMED: u64 = 100;

/// Nanoseconds per call with `before` calls already in the window: the median over fresh breakers.
pub fn filled(fresh: impl Fn() -> Load, before: u64, samples: usize) -> f64 {
    let one = || fill(&mut fresh(), before, Duration::MAX, 1).ns;
    median((0..samples).map(|_| one()).collect())
}

/// What [`fill`] found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Filled {
    /// How many calls were in the window when the first was timed.
    pub reached: u64,
    /// Nanoseconds per call: the median of the batches.
    pub ns: f64,
}

/// Makes `before` calls, or as many as can be made in `limit`, then times `batches` of 100 calls each.
///
/// # Panics
///
/// Without batches.
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
