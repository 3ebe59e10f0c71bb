//! Calls that are pending for too long, counted while they hang.

use crate::sync::{AtomicU64, Ordering};
use crate::window::grid::Grid;
use crate::window::stripe::{OnUse, Striped};
use crate::window::tagged::{self, COUNT_MAX, Full};

/// A call is overdue when the whole bucket in which it started is at least `after` old: up to one of these parts
/// late, never early.
pub(crate) const PARTS: u64 = 10;
/// Room for the young buckets: `PARTS` whole ones and the two cut ones at the ends.
const RING: usize = 16;
/// How many buckets ahead of the clock a call may have started and be known as young.
const AHEAD: u64 = RING as u64 - PARTS - 1;

/// Started and finished calls, in all and per start bucket. The difference of the sums is what is pending; what the
/// young buckets do not explain of it is overdue, so that an ageing bucket needs no folding.
#[derive(Debug, Default)]
struct Pending {
    started: AtomicU64,
    finished: AtomicU64,
    started_at: [AtomicU64; RING],
    finished_at: [AtomicU64; RING],
}

/// Counts pending calls of an epoch by when they started.
#[derive(Debug)]
pub(crate) struct Overdue {
    stripes: Striped<OnUse<Pending>>,
    /// The last bucket in which the rule was asked. Within a bucket the answer can only fall.
    asked: AtomicU64,
    /// Up to this bucket nobody knows how old a call is.
    blind: AtomicU64,
    /// The last bucket in which a call started.
    newest: AtomicU64,
}

impl Overdue {
    pub(crate) fn new() -> Self {
        Self {
            stripes: Striped::new(),
            asked: AtomicU64::new(0),
            blind: AtomicU64::new(0),
            newest: AtomicU64::new(0),
        }
    }

    /// A call of `epoch` starts.
    #[inline]
    pub(crate) fn start(&self, epoch: u64, grid: Grid, at: u64) {
        let tick = grid.tick_near(at, self.newest.load(Ordering::Relaxed));
        let tag = grid.tag(tick);
        // Before both: whoever sees the call in the sum sees how new it may be.
        if self.newest.load(Ordering::Relaxed) < tag {
            self.newest.fetch_max(tag, Ordering::Relaxed);
        }
        self.stripes.count(|mine, access| {
            let mine = mine.make();
            let bucket = &mine.started_at[tick as usize % RING];
            // The part before the whole: whoever sees the call in the sum sees it in its bucket.
            tagged::add(bucket, access, tag, 1, Full::Wrap);
            tagged::add(&mine.started, access, epoch, 1, Full::Wrap);
        });
    }

    /// A call of `epoch` that started at `at` is over, however it ended.
    #[inline]
    pub(crate) fn finish(&self, epoch: u64, grid: Grid, at: u64) {
        let newest = self.newest.load(Ordering::Relaxed);
        let tick = grid.tick_near(at, newest);
        let tag = grid.tag(tick);
        self.stripes.count(|mine, access| {
            let mine = mine.make();
            tagged::add(&mine.finished, access, epoch, 1, Full::Wrap);
            // In a bucket that nobody reads any more it could only take the place of a young one: after very long,
            // its tag looks new again.
            if newest.saturating_sub(tag) < RING as u64 {
                tagged::add(&mine.finished_at[tick as usize % RING], access, tag, 1, Full::Wrap);
            }
        });
    }

    /// Whether the answer may have grown since it was last asked; asking is noted.
    #[inline]
    pub(crate) fn due(&self, grid: Grid, now: u64) -> bool {
        let asked = self.asked.load(Ordering::Relaxed);
        let tick = grid.tag(grid.tick_near(now, asked));
        tick > asked
            && self
                .asked
                .compare_exchange(asked, tick, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Not before all that is young now is old: what started under another bucket length is in no bucket.
    pub(crate) fn forget_until_aged(&self, grid: Grid, now: u64) {
        let blind = grid.tag(grid.tick(now)) + PARTS;
        self.asked.store(blind, Ordering::Relaxed);
        self.blind.store(blind, Ordering::Relaxed);
    }

    /// How many calls of `epoch` are overdue. Concurrent starts and ends can only make it smaller.
    pub(crate) fn overdue(&self, epoch: u64, grid: Grid, now: u64) -> u64 {
        let tick = grid.tick(now);
        let mut later = 0;
        loop {
            let overdue = self.overdue_at(epoch, grid, tick, later);
            // A call that started in a later bucket, after the clock was read here or before it stepped back, is in
            // the sum and in none of the young buckets.
            match self.newest.load(Ordering::Relaxed).saturating_sub(grid.tag(tick)) {
                newer if newer <= later => return overdue,
                // The ring does not reach that far, or another epoch has begun and nobody asks for this one any more.
                newer if newer > AHEAD => return 0,
                newer => later = newer,
            }
        }
    }

    fn overdue_at(&self, epoch: u64, grid: Grid, tick: u64, later: u64) -> u64 {
        if grid.tag(tick) <= self.blind.load(Ordering::Relaxed) {
            return 0;
        }
        let young = |words: &[AtomicU64; RING]| -> u64 {
            (tick.saturating_sub(PARTS)..=tick + later)
                .map(|tick| tagged::read(&words[tick as usize % RING], grid.tag(tick)))
                .sum()
        };
        // In the order opposite to that of writing.
        let young_finished: u64 = self.made().map(|stripe| young(&stripe.finished_at)).sum();
        let started = self.sum(epoch, |stripe| &stripe.started);
        let finished = self.sum(epoch, |stripe| &stripe.finished);
        let young_started: u64 = self.made().map(|stripe| young(&stripe.started_at)).sum();
        let pending = started.wrapping_sub(finished);
        let young = young_started.wrapping_sub(young_finished);
        let old = pending.wrapping_sub(young) & COUNT_MAX;
        // Negative, seen through the wrap.
        if old > COUNT_MAX / 2 { 0 } else { old }
    }

    /// How many calls of `epoch` are pending.
    pub(crate) fn pending(&self, epoch: u64) -> u64 {
        let finished = self.sum(epoch, |stripe| &stripe.finished);
        let started = self.sum(epoch, |stripe| &stripe.started);
        started.wrapping_sub(finished) & COUNT_MAX
    }

    fn sum(&self, epoch: u64, word: impl Fn(&Pending) -> &AtomicU64) -> u64 {
        self.made().map(|stripe| tagged::read(word(stripe), epoch)).sum()
    }

    fn made(&self) -> impl Iterator<Item = &Pending> {
        self.stripes.all().filter_map(OnUse::get)
    }
}

#[cfg(test)]
mod tests;
