//! The time of the kernel's last tick.

use coarsetime::{Duration, Instant};

/// A monotonic clock at a fifth of the cost of the exact one. It is behind by less than two kernel ticks of 1 to 10 ms
/// each.
///
/// Every call reads it, for rules whose times are in seconds. If tokio's clock can be paused, this reads tokio's clock,
/// because a test that pauses time must not see the time of the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coarse {
    base: Instant,
}

/// The longest tick of a kernel, in nanoseconds.
const TICK: u64 = 10_000_000;

impl Coarse {
    /// The maximum by which it is behind, in nanoseconds.
    pub(crate) const BEHIND: u64 = 2 * TICK;

    pub(crate) fn new() -> Self {
        // The last tick may be one tick old. A base at that time would let the elapsed time run ahead of the exact
        // clock.
        Self { base: Instant::now_without_cache_update() + Duration::from_millis(TICK / 1_000_000) }
    }

    /// Returns the nanoseconds since this clock was created. `exact` returns the exact value.
    #[inline(always)]
    pub(crate) fn nanos(&self, exact: impl FnOnce() -> u64) -> u64 {
        if tokio_can_pause::YES { exact() } else { self.elapsed() }
    }

    #[inline]
    fn elapsed(&self) -> u64 {
        // The other functions of `coarsetime` store each reading in a global that all threads write.
        Instant::now_without_cache_update().duration_since(self.base).as_nanos()
    }
}

/// Detects whether any crate of the program enables tokio's feature `test-util`. A crate cannot read the features of
/// another one, but it can detect a name that exists only with a feature.
mod tokio_can_pause {
    pub(super) const YES: bool = {
        // If tokio has a `pause`, this import shadows the one below.
        #[allow(unused_imports)]
        use tokio::time::*;
        present(pause)
    };

    #[allow(unused_imports)]
    use absent::pause;

    mod absent {
        pub(super) struct Absent;

        #[allow(dead_code)]
        pub(super) fn pause() -> Absent {
            Absent
        }
    }

    trait Presence {
        const PRESENT: bool;
    }

    impl Presence for () {
        const PRESENT: bool = true;
    }

    impl Presence for absent::Absent {
        const PRESENT: bool = false;
    }

    const fn present<T: Presence>(_: fn() -> T) -> bool {
        T::PRESENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_a_test_can_pause_is_returned_unchanged() {
        // The tests of this crate enable tokio's `test-util`.
        assert_eq!(Coarse::new().nanos(|| 42), 42);
    }

    #[test]
    fn the_coarse_clock_is_behind_by_less_than_its_bound() {
        let nanos = |since: std::time::Instant| since.elapsed().as_nanos() as u64;
        // Each reading is between two exact ones, because a thread may be interrupted anywhere.
        let earlier = std::time::Instant::now();
        let coarse = Coarse::new();
        let later = std::time::Instant::now();
        for _ in 0..100_000 {
            let before = nanos(later);
            let seen = coarse.elapsed();
            assert!(seen <= nanos(earlier), "ahead");
            assert!(before.saturating_sub(seen) < Coarse::BEHIND, "behind: {seen} of {before}");
        }
    }
}
