//! The settings in the form that calls read: a few words, replaced one by one.
//!
//! All words are written under the machine's lock, before the gate's word, and read without the lock. A call that
//! reads a gate word with Acquire sees the settings that were stored before it, or later ones. Relaxed is therefore
//! enough for each word. A call that reads some words from before a change and some from after it may evaluate a rule
//! once too often or too late. That decides nothing, because a rule that fires is evaluated again under the lock.

use std::time::Duration;

use crate::machine::flags::Flags;
use crate::machine::units::{Epoch, Nanos};
use crate::settings::{Settings, ThrottledAction};
use crate::sync::{AtomicU32, AtomicU64, Ordering};
use crate::trip::overdue;
use crate::trip::rules::Rules;
use crate::window::Window;
use crate::window::grid::Grid;

#[derive(Debug, Default)]
pub(super) struct Params {
    /// A [`ThrottledAction`].
    throttled: AtomicU32,
    /// [`Nanos::NEVER`] if the rule is off. The same holds for `cancelled_after`.
    slow_after: AtomicU64,
    cancelled_after: AtomicU64,
    /// The first cooldown before jitter: the upper bound of the wait of a rejection while half-open.
    first_cooldown: AtomicU64,
    window: Shape,
    overdue: Shape,
    pub(super) rules: Rules,
}

/// The counts that a change of settings must clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cleared {
    pub(super) window: bool,
    pub(super) overdue: bool,
}

impl Params {
    /// Stores new settings. The caller holds the machine's lock.
    pub(super) fn store(
        &self,
        settings: &Settings,
        (before, flags): (Flags, Flags),
        epoch: Epoch,
        now: Nanos,
    ) -> Cleared {
        let set = |word: &AtomicU64, value: Option<Duration>| {
            let value = value.map_or(Nanos::NEVER, Nanos::from_duration);
            word.store(value.get(), Ordering::Relaxed);
        };
        let trip = &settings.trip;
        set(&self.slow_after, trip.slow.map(|rule| rule.after));
        set(&self.cancelled_after, settings.cancelled_after);
        set(&self.first_cooldown, Some(settings.cooldown.nominal(0)));
        self.throttled.store(settings.throttled.action as u32, Ordering::Relaxed);
        let (width, buckets, most) = match settings.window {
            Window::Time { period, buckets } => {
                let period = Nanos::from_duration(period).get();
                (period / u64::from(buckets.max(1)), buckets, u64::MAX)
            }
            Window::Count { calls } => (0, calls, u64::from(calls)),
        };
        self.rules.store(trip, most);
        let old = self.window(epoch).0;
        let window = self.window.store(width, buckets) || before.window() != flags.window();
        if window {
            self.window.clear(old, epoch, now);
        }
        let width = trip
            .overdue
            .map_or(0, |rule| Nanos::from_duration(rule.after).get().div_ceil(overdue::PARTS));
        let old = self.overdue(epoch);
        let overdue = self.overdue.store(width, 0);
        if overdue {
            self.overdue.clear(old, epoch, now);
        }
        Cleared { window, overdue }
    }

    pub(super) fn throttled(&self) -> ThrottledAction {
        match self.throttled.load(Ordering::Relaxed) {
            0 => ThrottledAction::Hold,
            1 => ThrottledAction::CountAsFailure,
            _ => ThrottledAction::Ignore,
        }
    }

    #[inline]
    pub(super) fn slow_after(&self) -> Nanos {
        Nanos::from_u64(self.slow_after.load(Ordering::Relaxed))
    }

    pub(super) fn cancelled_after(&self) -> Nanos {
        Nanos::from_u64(self.cancelled_after.load(Ordering::Relaxed))
    }

    pub(super) fn first_cooldown(&self) -> Nanos {
        Nanos::from_u64(self.first_cooldown.load(Ordering::Relaxed))
    }

    /// Returns the grid of the time window in an epoch, and the number of its buckets.
    #[inline]
    pub(super) fn window(&self, epoch: Epoch) -> (Grid, u32) {
        self.window.grid(epoch)
    }

    /// Returns the grid of the overdue rule in an epoch.
    #[inline]
    pub(super) fn overdue(&self, epoch: Epoch) -> Grid {
        self.overdue.grid(epoch).0
    }
}

/// The length of a bucket, the number of buckets, and the number of changes. The last is part of every tag, so that a
/// change of shape clears the counts.
#[derive(Debug, Default)]
struct Shape {
    width: AtomicU64,
    /// The number of buckets in the low 32 bits, the number of changes in the high ones.
    buckets: AtomicU64,
}

impl Shape {
    /// Stores a shape and returns whether it differs from the old one.
    ///
    /// The length is stored before the number of buckets, which is stored with Release: a call that reads the new
    /// buckets with Acquire in [`grid`](Self::grid) reads the new length, or a later one.
    fn store(&self, width: u64, buckets: u32) -> bool {
        let old = self.buckets.load(Ordering::Relaxed);
        let same = self.width.load(Ordering::Relaxed) == width && old as u32 == buckets;
        self.width.store(width, Ordering::Relaxed);
        self.buckets.store(old & !u64::from(u32::MAX) | u64::from(buckets), Ordering::Release);
        !same
    }

    /// Moves the tags past every tag that was used in the `old` grid until `now`.
    ///
    /// When buckets become longer, their numbers become smaller. After a long time, one clear does not make up for the
    /// difference. There is one clear more than needed, because a window reaches back and a clock may step back.
    fn clear(&self, old: Grid, epoch: Epoch, now: Nanos) {
        let now = now.get();
        let last = old.tag(old.tick(now));
        let tick = self.grid(epoch).0.tick(now);
        let clears = (last.saturating_sub(tick) >> Grid::GAP) + 2;
        let buckets = self.buckets.load(Ordering::Relaxed);
        let more = clears.saturating_sub(epoch.get()).max((buckets >> 32) + 1);
        let low = buckets & u64::from(u32::MAX);
        self.buckets.store(more << 32 | low, Ordering::Release);
    }

    #[inline]
    fn grid(&self, epoch: Epoch) -> (Grid, u32) {
        let buckets = self.buckets.load(Ordering::Acquire);
        let width = self.width.load(Ordering::Relaxed);
        (Grid { width, clears: epoch.get().wrapping_add(buckets >> 32) }, buckets as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_of_longer_buckets_reads_no_bucket_from_before_the_change() {
        const BUCKETS: u32 = 10;
        // Times at which half the number of a bucket is a little less than the distance of some clears.
        let epoch = Epoch::FIRST;
        for now in [0, 8_170, 8_180, 8_190, 16_380, 24_570, 1 << 40] {
            let shape = Shape::default();
            shape.store(1, BUCKETS);
            let old = shape.grid(epoch).0;
            assert!(shape.store(2, BUCKETS));
            shape.clear(old, epoch, Nanos::from_u64(now));
            let new = shape.grid(epoch).0;
            let oldest = new.tag(new.tick(now).saturating_sub(u64::from(BUCKETS)));
            assert!(oldest > old.tag(old.tick(now)), "after {now}");
        }
    }
}
