//! The settings as the hot path reads them: a few words, replaced one by one.

use std::time::Duration;

use crate::machine::flags::Flags;
use crate::machine::settings::{Settings, ThrottledAction};
use crate::sync::{AtomicU32, AtomicU64, Ordering};
use crate::trip::overdue;
use crate::trip::rules::{Rules, nanos};
use crate::window::Window;
use crate::window::grid::Grid;

#[derive(Debug, Default)]
pub(crate) struct Params {
    /// A [`ThrottledAction`].
    throttled: AtomicU32,
    slow_after: AtomicU64,
    cancelled_after: AtomicU64,
    /// The first cooldown before jitter: the bound of a half-open rejection's wait.
    first_cooldown: AtomicU64,
    window: Shape,
    overdue: Shape,
    pub(crate) rules: Rules,
}

/// What a change of settings did to what was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cleared {
    pub(crate) window: bool,
    pub(crate) overdue: bool,
}

impl Params {
    /// Takes over new settings. Only under the machine's lock.
    pub(crate) fn store(
        &self,
        settings: &Settings,
        (before, flags): (Flags, Flags),
        epoch: u64,
        now: u64,
    ) -> Cleared {
        let set = |word: &AtomicU64, value: Option<Duration>| {
            word.store(value.map_or(u64::MAX, nanos), Ordering::Relaxed);
        };
        let trip = &settings.trip;
        set(&self.slow_after, trip.slow.map(|rule| rule.after));
        set(&self.cancelled_after, settings.cancelled_after);
        set(&self.first_cooldown, Some(settings.cooldown.nominal(0)));
        self.throttled.store(settings.throttled.action as u32, Ordering::Relaxed);
        let (width, buckets, most) = match settings.window {
            Window::Time { period, buckets } => {
                (nanos(period) / u64::from(buckets.max(1)), buckets, u64::MAX)
            }
            Window::Count { calls } => (0, calls, u64::from(calls)),
        };
        self.rules.store(trip, most);
        let old = self.window(epoch).0;
        let window = self.window.store(width, buckets) || before.window() != flags.window();
        if window {
            self.window.clear(old, epoch, now);
        }
        let width = trip.overdue.map_or(0, |rule| nanos(rule.after).div_ceil(overdue::PARTS));
        let old = self.overdue(epoch);
        let overdue = self.overdue.store(width, 0);
        if overdue {
            self.overdue.clear(old, epoch, now);
        }
        Cleared { window, overdue }
    }

    pub(crate) fn throttled(&self) -> ThrottledAction {
        match self.throttled.load(Ordering::Relaxed) {
            0 => ThrottledAction::Hold,
            1 => ThrottledAction::CountAsFailure,
            _ => ThrottledAction::Ignore,
        }
    }

    #[inline]
    pub(crate) fn slow_after(&self) -> u64 {
        self.slow_after.load(Ordering::Relaxed)
    }

    pub(crate) fn cancelled_after(&self) -> u64 {
        self.cancelled_after.load(Ordering::Relaxed)
    }

    pub(crate) fn first_cooldown(&self) -> u64 {
        self.first_cooldown.load(Ordering::Relaxed)
    }

    /// The grid of the time window in an epoch, and its number of buckets.
    #[inline]
    pub(crate) fn window(&self, epoch: u64) -> (Grid, u32) {
        self.window.grid(epoch)
    }

    /// The grid of the overdue rule in an epoch.
    #[inline]
    pub(crate) fn overdue(&self, epoch: u64) -> Grid {
        self.overdue.grid(epoch).0
    }
}

/// A bucket length and how often it was changed: part of every tag, so that a changed shape clears.
#[derive(Debug, Default)]
struct Shape {
    width: AtomicU64,
    /// Number of buckets in the low 32 bits, changes in the high ones.
    buckets: AtomicU64,
}

impl Shape {
    /// Whether this is another shape.
    fn store(&self, width: u64, buckets: u32) -> bool {
        let old = self.buckets.load(Ordering::Relaxed);
        let same = self.width.load(Ordering::Relaxed) == width && old as u32 == buckets;
        self.width.store(width, Ordering::Relaxed);
        self.buckets.store(old & !u64::from(u32::MAX) | u64::from(buckets), Ordering::Release);
        !same
    }

    /// Moves the tags past every one that was given in the `old` grid until `now`. Where buckets became longer, their
    /// numbers fell: by more, after a long life, than one clear makes up for. One clear more than that, because a
    /// window reaches back, and a clock may have stepped back.
    fn clear(&self, old: Grid, epoch: u64, now: u64) {
        let last = old.tag(old.tick(now));
        let tick = self.grid(epoch).0.tick(now);
        let clears = (last.saturating_sub(tick) >> Grid::GAP) + 2;
        let buckets = self.buckets.load(Ordering::Relaxed);
        let more = clears.saturating_sub(epoch).max((buckets >> 32) + 1);
        let low = buckets & u64::from(u32::MAX);
        self.buckets.store(more << 32 | low, Ordering::Release);
    }

    #[inline]
    fn grid(&self, epoch: u64) -> (Grid, u32) {
        let buckets = self.buckets.load(Ordering::Acquire);
        let width = self.width.load(Ordering::Relaxed);
        (Grid { width, clears: epoch.wrapping_add(buckets >> 32) }, buckets as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_of_longer_buckets_reaches_back_to_none_that_was_counted_in_before() {
        const BUCKETS: u32 = 10;
        // Where half the number is a little less than some clears move the tags.
        for now in [0, 8_170, 8_180, 8_190, 16_380, 24_570, 1 << 40] {
            let shape = Shape::default();
            shape.store(1, BUCKETS);
            let old = shape.grid(1).0;
            assert!(shape.store(2, BUCKETS));
            shape.clear(old, 1, now);
            let new = shape.grid(1).0;
            let oldest = new.tag(new.tick(now).saturating_sub(u64::from(BUCKETS)));
            assert!(oldest > old.tag(old.tick(now)), "after {now}");
        }
    }
}
