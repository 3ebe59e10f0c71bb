//! The settings as the hot path reads them: a few words, replaced one by one.

use std::time::Duration;

use crate::machine::settings::{Settings, ThrottledAction};
use crate::sync::{AtomicU32, AtomicU64, Ordering};
use crate::trip::overdue;
use crate::trip::rules::{Rules, nanos};
use crate::window::Window;
use crate::window::time::Grid;

/// Which work a call has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags(u32);

impl Flags {
    const STREAK: u32 = 1;
    const TIME_WINDOW: u32 = 1 << 1;
    const COUNT_WINDOW: u32 = 1 << 2;
    const SLOW: u32 = 1 << 3;
    const OVERDUE: u32 = 1 << 4;
    const CANCELLED_AFTER: u32 = 1 << 5;
    const TRACK: u32 = 1 << 6;

    fn of(settings: &Settings, custom_rule: bool) -> Self {
        let trip = &settings.trip;
        let windowed = custom_rule
            || trip.failure_rate.is_some()
            || trip.failures.is_some()
            || trip.slow.is_some();
        let window = match settings.window {
            _ if !windowed => 0,
            Window::Time { .. } => Self::TIME_WINDOW,
            Window::Count { .. } => Self::COUNT_WINDOW,
        };
        let flag = |on: bool, flag| if on { flag } else { 0 };
        Self(
            window
                | flag(trip.consecutive.is_some() || custom_rule, Self::STREAK)
                | flag(trip.slow.is_some(), Self::SLOW)
                | flag(trip.overdue.is_some(), Self::OVERDUE)
                | flag(settings.cancelled_after.is_some(), Self::CANCELLED_AFTER)
                | flag(settings.track_in_flight, Self::TRACK),
        )
    }

    #[inline]
    fn has(self, any: u32) -> bool {
        self.0 & any != 0
    }

    /// Nothing to note when a call is admitted.
    #[inline]
    pub(crate) fn admits_freely(self) -> bool {
        !self.has(Self::SLOW | Self::OVERDUE | Self::CANCELLED_AFTER | Self::TRACK)
    }

    /// A call has to know when it started.
    #[inline]
    pub(crate) fn timed(self) -> bool {
        self.has(Self::SLOW | Self::OVERDUE | Self::CANCELLED_AFTER)
    }

    #[inline]
    pub(crate) fn streak(self) -> bool {
        self.has(Self::STREAK)
    }

    #[inline]
    pub(crate) fn time_window(self) -> bool {
        self.has(Self::TIME_WINDOW)
    }

    #[inline]
    pub(crate) fn count_window(self) -> bool {
        self.has(Self::COUNT_WINDOW)
    }

    #[inline]
    pub(crate) fn slow(self) -> bool {
        self.has(Self::SLOW)
    }

    #[inline]
    pub(crate) fn overdue(self) -> bool {
        self.has(Self::OVERDUE)
    }

    #[inline]
    pub(crate) fn cancelled_after(self) -> bool {
        self.has(Self::CANCELLED_AFTER)
    }

    /// Calls in flight are counted.
    #[inline]
    pub(crate) fn tracks(self) -> bool {
        self.has(Self::TRACK | Self::OVERDUE)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Params {
    flags: AtomicU32,
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
    pub(crate) fn store(&self, settings: &Settings, custom_rule: bool) -> Cleared {
        let set = |word: &AtomicU64, value: Option<Duration>| {
            word.store(value.map_or(u64::MAX, nanos), Ordering::Relaxed);
        };
        let flags = Flags::of(settings, custom_rule);
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
        let before = Flags(self.flags.load(Ordering::Relaxed));
        let windows = Flags::TIME_WINDOW | Flags::COUNT_WINDOW;
        let window = self.window.store(width, buckets) || before.0 & windows != flags.0 & windows;
        if window {
            self.window.clear();
        }
        let width = trip.overdue.map_or(0, |rule| nanos(rule.after) / overdue::PARTS);
        let overdue = self.overdue.store(width, 0);
        if overdue {
            self.overdue.clear();
        }
        self.flags.store(flags.0, Ordering::Release);
        Cleared { window, overdue }
    }

    #[inline]
    pub(crate) fn flags(&self) -> Flags {
        Flags(self.flags.load(Ordering::Relaxed))
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

    fn clear(&self) {
        let old = self.buckets.load(Ordering::Relaxed);
        self.buckets.store(old.wrapping_add(1 << 32), Ordering::Release);
    }

    #[inline]
    fn grid(&self, epoch: u64) -> (Grid, u32) {
        let buckets = self.buckets.load(Ordering::Acquire);
        let width = self.width.load(Ordering::Relaxed);
        (Grid { width, clears: epoch.wrapping_add(buckets >> 32) }, buckets as u32)
    }
}
