//! The window of the last period, in buckets.

use crate::sync::AtomicU64;
use crate::window::Window;
use crate::window::grid::{Grid, Newest};
use crate::window::stripe::{OnUse, Striped};
use crate::window::tagged::{self, Full};
use crate::window::tally::{Entry, EntryKind, Tally};

const RING: usize = Window::MAX_BUCKETS as usize;

/// The buckets of one thread, one array per sum, so that a reader of two sums touches two arrays.
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

/// The calls of the last period.
#[derive(Debug)]
pub(crate) struct TimeWindow {
    newest: Newest,
    stripes: Striped<OnUse<Buckets>>,
}

impl TimeWindow {
    pub(crate) fn new() -> Self {
        Self { newest: Newest::default(), stripes: Striped::new() }
    }

    /// Counts a successful call that was not slow. The common case writes one word, in the newest bucket of the
    /// thread's own stripe.
    #[inline(always)]
    pub(crate) fn add_success(&self, grid: Grid, now: u64) {
        if let Some(tick) = self.newest.tick_of_any(grid.width, now)
            && let Some(mine) = self.stripes.own().and_then(OnUse::get)
            && tagged::add_one(&mine.calls[tick as usize % RING], grid.tag(tick))
        {
            return;
        }
        self.add_success_slow(grid.width, grid.clears, now);
    }

    #[cold]
    #[inline(never)]
    fn add_success_slow(&self, width: u64, clears: u64, now: u64) {
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
                    // The call before its failure: a reader that sees the failure also sees the call.
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

    /// Returns the sums over the last `buckets` buckets.
    pub(crate) fn tally(&self, grid: Grid, buckets: u32, now: u64) -> Tally {
        let mut newest = self.newest.peek(grid, grid.tick(now));
        loop {
            let sum = self.tally_at(grid, buckets, newest);
            // A call that was counted in a later bucket meanwhile may have reused a bucket that was already summed,
            // with the call and not yet its failure. Sum again.
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
                // The reverse of the order in which `add` writes.
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
mod tests;
