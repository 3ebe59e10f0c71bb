//! The count of overdue calls, kept while they are pending.

use crate::sync::{AtomicU64, Ordering};
use crate::window::grid::Grid;
use crate::window::stripe::{OnUse, Striped};
use crate::window::tagged::{self, COUNT_MAX, Full};

/// The number of buckets in `after`. A call is overdue when the whole bucket in which it started is at least `after`
/// old: up to one bucket late, never early.
pub(crate) const PARTS: u64 = 10;
/// The number of start buckets: `PARTS` whole young ones, the partial ones at both ends, and some ahead of the clock.
const RING: usize = 16;
/// How many buckets ahead of the clock a call may have started and still be recognised as young.
const AHEAD: u64 = RING as u64 - PARTS - 1;

/// Started and finished calls, in total and per start bucket.
///
/// The difference of the totals is the number of pending calls. Those that are not in a young bucket are overdue, so
/// that no count has to move when a bucket becomes old.
#[derive(Debug, Default)]
struct Pending {
    started: AtomicU64,
    finished: AtomicU64,
    started_at: [AtomicU64; RING],
    finished_at: [AtomicU64; RING],
}

/// Counts the pending calls of an epoch by their start time.
#[derive(Debug)]
pub(crate) struct Overdue {
    stripes: Striped<OnUse<Pending>>,
    /// The last bucket in which the rule was evaluated. Within a bucket the count can only fall.
    evaluated: AtomicU64,
    /// Up to this bucket the age of the calls is unknown.
    blind: AtomicU64,
    /// The last bucket in which a call started.
    newest: AtomicU64,
}

impl Overdue {
    pub(crate) fn new() -> Self {
        Self {
            stripes: Striped::new(),
            evaluated: AtomicU64::new(0),
            blind: AtomicU64::new(0),
            newest: AtomicU64::new(0),
        }
    }

    /// Counts the start of a call of `epoch`.
    #[inline]
    pub(crate) fn start(&self, epoch: u64, grid: Grid, at: u64) {
        let tick = grid.tick_near(at, self.newest.load(Ordering::Relaxed));
        let tag = grid.tag(tick);
        // Before both counts: a reader that sees the call in the total also sees a bucket at least as new as its own.
        if self.newest.load(Ordering::Relaxed) < tag {
            self.newest.fetch_max(tag, Ordering::Relaxed);
        }
        self.stripes.count(|mine, access| {
            let mine = mine.make();
            let bucket = &mine.started_at[tick as usize % RING];
            // The bucket before the total: a reader that sees the call in the total also sees it in its bucket.
            tagged::add(bucket, access, tag, 1, Full::Wrap);
            tagged::add(&mine.started, access, epoch, 1, Full::Wrap);
        });
    }

    /// Counts the end of a call of `epoch` that started at `at`, whatever its outcome.
    #[inline]
    pub(crate) fn finish(&self, epoch: u64, grid: Grid, at: u64) {
        let newest = self.newest.load(Ordering::Relaxed);
        let tick = grid.tick_near(at, newest);
        let tag = grid.tag(tick);
        self.stripes.count(|mine, access| {
            let mine = mine.make();
            tagged::add(&mine.finished, access, epoch, 1, Full::Wrap);
            // An old bucket is no longer read. Writing it could only overwrite a young one, because a very old tag
            // looks new again after the wrap.
            if newest.saturating_sub(tag) < RING as u64 {
                tagged::add(&mine.finished_at[tick as usize % RING], access, tag, 1, Full::Wrap);
            }
        });
    }

    /// Returns whether the count may have grown since the last evaluation, and records this one.
    #[inline]
    pub(crate) fn due(&self, grid: Grid, now: u64) -> bool {
        let evaluated = self.evaluated.load(Ordering::Relaxed);
        let tick = grid.tag(grid.tick_near(now, evaluated));
        tick > evaluated
            && self
                .evaluated
                .compare_exchange(evaluated, tick, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Suspends the rule until every call that is young now is old. Calls that started under another bucket length are
    /// in no bucket.
    pub(crate) fn forget_until_aged(&self, grid: Grid, now: u64) {
        let blind = grid.tag(grid.tick(now)) + PARTS;
        self.evaluated.store(blind, Ordering::Relaxed);
        self.blind.store(blind, Ordering::Relaxed);
    }

    /// Returns how many calls of `epoch` are overdue. Concurrent starts and ends can only lower the result.
    pub(crate) fn overdue(&self, epoch: u64, grid: Grid, now: u64) -> u64 {
        let tick = grid.tick(now);
        let mut later = 0;
        loop {
            let overdue = self.overdue_at(epoch, grid, tick, later);
            // A call may have started in a later bucket, after this clock reading or before the clock stepped back. It
            // is in the total and in none of the young buckets, so count again up to that bucket.
            match self.newest.load(Ordering::Relaxed).saturating_sub(grid.tag(tick)) {
                newer if newer <= later => return overdue,
                // The ring does not reach that far, or another epoch has begun and this result is no longer used.
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
        // The reverse of the order in which `start` and `finish` write.
        let young_finished: u64 = self.made().map(|stripe| young(&stripe.finished_at)).sum();
        let started = self.sum(epoch, |stripe| &stripe.started);
        let finished = self.sum(epoch, |stripe| &stripe.finished);
        let young_started: u64 = self.made().map(|stripe| young(&stripe.started_at)).sum();
        let pending = started.wrapping_sub(finished);
        let young = young_started.wrapping_sub(young_finished);
        let old = pending.wrapping_sub(young) & COUNT_MAX;
        // A negative difference wraps to a large number.
        if old > COUNT_MAX / 2 { 0 } else { old }
    }

    /// Returns how many calls of `epoch` are pending.
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
