//! The kernel's time of its last tick.

use coarsetime::{Duration, Instant};

/// The monotonic clock at a fifth of its price, behind by less than two ticks of the kernel (of 1 to 10 ms): for what
/// happens on every call and asks for seconds.
///
/// Wherever tokio's clock can be paused, it is that one: a test that pauses time must not be told the machine's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coarse {
    base: Instant,
}

/// No kernel's tick is longer.
const TICK: u64 = 10_000_000;

impl Coarse {
    /// Nanoseconds.
    pub(crate) const BEHIND: u64 = 2 * TICK;

    pub(crate) fn new() -> Self {
        // The tick that it shows is up to one tick ago: what is measured from here would be ahead.
        Self { base: Instant::now_without_cache_update() + Duration::from_millis(TICK / 1_000_000) }
    }

    /// Nanoseconds since this was made, which `exact` knows better.
    #[inline(always)]
    pub(crate) fn nanos(&self, exact: impl FnOnce() -> u64) -> u64 {
        if tokio_can_pause::YES { exact() } else { self.elapsed() }
    }

    #[inline]
    fn elapsed(&self) -> u64 {
        // The other ways of that library store every time that is read where all threads do.
        Instant::now_without_cache_update().duration_since(self.base).as_nanos()
    }
}

/// Whether somebody in this program has asked tokio for its `test-util`. A crate cannot see the features of another,
/// but it can see a name that is there only with one.
mod tokio_can_pause {
    pub(super) const YES: bool = {
        // Where tokio has a `pause`, this import is the nearer one.
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

    trait Told {
        const PRESENT: bool;
    }

    impl Told for () {
        const PRESENT: bool = true;
    }

    impl Told for absent::Absent {
        const PRESENT: bool = false;
    }

    const fn present<T: Told>(_: fn() -> T) -> bool {
        T::PRESENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_a_test_can_pause_is_used_as_it_is() {
        // These tests have tokio's `test-util`.
        assert_eq!(Coarse::new().nanos(|| 42), 42);
    }

    #[test]
    fn the_coarse_clock_is_behind_by_less_than_it_says() {
        let nanos = |since: std::time::Instant| since.elapsed().as_nanos() as u64;
        // Each look is between two exact ones: a thread may be interrupted anywhere.
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
