//! Times and allocations of a [`Load`].

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::allocator::Counts;
use crate::drive::Load;

/// How long one sample lasts, about.
const SAMPLE: Duration = Duration::from_millis(5);

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

/// Nanoseconds per call and thread, with one thread and with two on one breaker, taken in turns.
pub fn two_threads(load: &mut Load, samples: usize) -> (f64, f64) {
    let calls = calibrate(|calls| time(|| load.run(calls)));
    // What waits for the other thread may take many times as long.
    let contended =
        calibrate(|calls| Duration::from_nanos((both_at_once(load, calls) * calls as f64) as u64));
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for _ in 0..samples {
        alone.push(time(|| load.run(calls)).as_nanos() as f64 / calls as f64);
        together.push(both_at_once(load, contended));
    }
    (median(alone), median(together))
}

fn both_at_once(load: &mut Load, calls: u64) -> f64 {
    let arrived = AtomicU32::new(0);
    let took: Duration = std::thread::scope(|scope| {
        let threads = load.both().map(|run| {
            let arrived = &arrived;
            scope.spawn(move || {
                arrived.fetch_add(1, Ordering::AcqRel);
                while arrived.load(Ordering::Acquire) < 2 {
                    std::hint::spin_loop();
                }
                time(|| run(calls))
            })
        });
        threads.into_iter().map(|thread| thread.join().expect("no call panics")).sum()
    });
    took.as_nanos() as f64 / 2.0 / calls as f64
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
