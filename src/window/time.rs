//! The calls of the last while, in buckets.

use crate::sync::AtomicU64;
use crate::window::Window;
use crate::window::grid::{Grid, Newest};
use crate::window::stripe::{OnUse, Striped};
use crate::window::tagged::{self, Full};
use crate::window::tally::{Entry, EntryKind, Tally};

const RING: usize = Window::MAX_BUCKETS as usize;

/// One thread's buckets, one array for each sum: a reader that wants two of them touches two arrays.
#[derive(Debug)]
struct Buckets {
    calls: [AtomicU64; RING],
    failed: [AtomicU64; RING],
    extra: [AtomicU64; RING],
    slow: [AtomicU64; RING],
    slow_cancelled: [AtomicU64; RING],
}

impl Default for Buckets {
    fn default() -> Self {
        let zero = || std::array::from_fn(|_| AtomicU64::new(0));
        Self { calls: zero(), failed: zero(), extra: zero(), slow: zero(), slow_cancelled: zero() }
    }
}

/// The calls of the last while.
#[derive(Debug)]
pub(crate) struct TimeWindow {
    newest: Newest,
    stripes: Striped<OnUse<Buckets>>,
}

impl TimeWindow {
    pub(crate) fn new() -> Self {
        Self { newest: Newest::default(), stripes: Striped::new() }
    }

    /// Counts a call that succeeded in time: one word, mostly in the newest bucket and in a stripe of one's own.
    #[inline(always)]
    pub(crate) fn add_success(&self, grid: Grid, now: u64) {
        if let Some(tick) = self.newest.tick_of_any(grid.width, now)
            && let Some(mine) = self.stripes.own().and_then(OnUse::get)
            && tagged::add_one(&mine.calls[tick as usize % RING], grid.tag(tick))
        {
            return;
        }
        self.add_success_with_care(grid.width, grid.clears, now);
    }

    #[cold]
    #[inline(never)]
    fn add_success_with_care(&self, width: u64, clears: u64, now: u64) {
        self.add(Grid { width, clears }, now, Entry { kind: EntryKind::Success, slow: false });
    }

    /// Counts a call.
    #[inline]
    pub(crate) fn add(&self, grid: Grid, now: u64, entry: Entry) {
        let Some(tick) = self.newest.tick(grid, now) else { return };
        let (at, tag) = (tick as usize % RING, grid.tag(tick));
        self.stripes.count(|mine, access| {
            let mine = mine.make();
            let count = |words: &[AtomicU64; RING], by| {
                tagged::add(&words[at], access, tag, by, Full::Saturate);
            };
            match entry.kind {
                EntryKind::Cancelled => return count(&mine.slow_cancelled, 1),
                EntryKind::Success => count(&mine.calls, 1),
                EntryKind::Failure(weight) => {
                    // The call before its failure: a reader that sees the failure sees the call.
                    count(&mine.calls, 1);
                    count(&mine.failed, 1);
                    if weight > 1 {
                        count(&mine.extra, u64::from(weight - 1));
                    }
                }
            }
            if entry.slow {
                count(&mine.slow, 1);
            }
        });
    }

    /// The sums over the last `buckets` buckets.
    pub(crate) fn tally(&self, grid: Grid, buckets: u32, now: u64) -> Tally {
        let mut newest = self.newest.peek(grid, grid.tick(now));
        loop {
            let sum = self.tally_at(grid, buckets, newest);
            // Whoever counted in a later bucket meanwhile may have taken the place of one that was summed up: of a
            // call, and not yet of its failure.
            match self.newest.peek(grid, newest) {
                still if still == newest => return sum,
                later => newest = later,
            }
        }
    }

    fn tally_at(&self, grid: Grid, buckets: u32, newest: u64) -> Tally {
        let mut sum = Tally::default();
        for stripe in self.stripes.all().filter_map(OnUse::get) {
            for age in 0..u64::from(buckets).min(newest + 1) {
                let tick = newest - age;
                let (at, tag) = (tick as usize % RING, grid.tag(tick));
                // The parts before the whole, see `add`.
                sum.slow_cancelled += tagged::read(&stripe.slow_cancelled[at], tag);
                sum.slow += tagged::read(&stripe.slow[at], tag);
                sum.extra += tagged::read(&stripe.extra[at], tag);
                sum.failed += tagged::read(&stripe.failed[at], tag);
                sum.calls += tagged::read(&stripe.calls[at], tag);
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::Ordering;

    const OK: Entry = Entry { kind: EntryKind::Success, slow: false };
    const BAD: Entry = Entry { kind: EntryKind::Failure(1), slow: false };
    const GRID: Grid = Grid { width: 1_000, clears: 1 };

    #[test]
    fn a_bucket_leaves_as_a_whole_when_it_is_older_than_the_window() {
        let window = TimeWindow::new();
        for second in 0..10 {
            window.add(GRID, second * 1_000, OK);
        }
        assert_eq!(window.tally(GRID, 10, 9_999).calls, 10);
        assert_eq!(window.tally(GRID, 10, 10_000).calls, 9);
        assert_eq!(window.tally(GRID, 10, 11_000).calls, 8);
        assert_eq!(window.tally(GRID, 10, 1_000_000).calls, 0);
    }

    #[test]
    fn a_clock_that_steps_back_counts_in_the_current_bucket() {
        let window = TimeWindow::new();
        window.add(GRID, 15_000, BAD);
        window.add(GRID, 2_000, BAD);
        assert_eq!(window.tally(GRID, 10, 15_000).failed, 2);
        assert_eq!(window.tally(GRID, 10, 2_000).failed, 2);
        assert_eq!(window.tally(GRID, 10, 25_000).failed, 0);
    }

    #[test]
    fn nothing_crosses_a_clear() {
        let window = TimeWindow::new();
        let next = Grid { clears: 2, ..GRID };
        window.add(GRID, 5_000, BAD);
        assert_eq!(window.tally(next, 10, 5_000), Tally::default());
        window.add(next, 5_000, OK);
        window.add(GRID, 5_000, BAD);
        assert_eq!(window.tally(next, 10, 5_000), Tally { calls: 1, ..Tally::default() });
    }

    #[test]
    fn the_number_of_clears_may_wrap() {
        let window = TimeWindow::new();
        for clears in [
            Newest::CLEAR_MASK - 1,
            Newest::CLEAR_MASK,
            Newest::CLEAR_MASK + 1,
            Newest::CLEAR_MASK + 2,
        ] {
            let grid = Grid { width: 1_000, clears };
            window.add(grid, 3_000, BAD);
            assert_eq!(window.tally(grid, 10, 3_000).failed, 1, "clear {clears:#x}");
        }
    }

    #[test]
    fn every_sum_is_kept() {
        let window = TimeWindow::new();
        window.add(GRID, 0, Entry { kind: EntryKind::Failure(5), slow: true });
        window.add(GRID, 0, Entry { kind: EntryKind::Cancelled, slow: true });
        window.add(GRID, 0, OK);
        let sums = Tally { calls: 2, failed: 1, extra: 4, slow: 1, slow_cancelled: 1 };
        assert_eq!(window.tally(GRID, 10, 0), sums);
    }

    #[test]
    fn threads_count_into_one_window() {
        // Miri takes its time.
        let calls = if cfg!(miri) { 50 } else { 1_000 };
        let window = TimeWindow::new();
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    for call in 0..calls {
                        window.add(GRID, call, if call % 2 == 0 { OK } else { BAD });
                    }
                });
            }
        });
        let tally = window.tally(GRID, 10, 1_000);
        assert_eq!((tally.calls, tally.failed), (12 * calls, 6 * calls));
    }

    #[test]
    fn a_reader_never_sees_more_failures_than_calls() {
        let window = TimeWindow::new();
        let grid = Grid { width: 1, clears: 1 };
        let now = AtomicU64::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // Miri takes its time.
                for moment in 1..if cfg!(miri) { 200 } else { 200_000 } {
                    now.store(moment, Ordering::Release);
                    window.add(grid, moment, BAD);
                    // As long as a sum takes, about.
                    (0..100).for_each(|_| std::hint::spin_loop());
                }
                now.store(u64::MAX, Ordering::Release);
            });
            loop {
                let moment = now.load(Ordering::Acquire);
                if moment == u64::MAX {
                    break;
                }
                let tally = window.tally(grid, Window::MAX_BUCKETS, moment);
                assert!(tally.failed <= tally.calls, "{tally:?}");
            }
        });
    }
}
