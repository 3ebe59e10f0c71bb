//! The work that the settings require for each call, as bits.

use crate::machine::callbacks::Callbacks;
use crate::settings::Settings;
use crate::window::Window;

/// The work that the settings require for each call. Part of the gate's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flags(u64);

impl Flags {
    const STREAK: u64 = 1;
    const TIME_WINDOW: u64 = 1 << 1;
    const COUNT_WINDOW: u64 = 1 << 2;
    const SLOW: u64 = 1 << 3;
    const OVERDUE: u64 = 1 << 4;
    const CANCELLED_AFTER: u64 = 1 << 5;
    const TRACK: u64 = 1 << 6;
    /// An observer is notified of failed, throttled and exhausted calls.
    const OBSERVED: u64 = 1 << 7;

    /// The number of bits in a word.
    pub(super) const BITS: u32 = 8;
    /// The flags that need the start time of a call.
    pub(super) const FROM_THE_START: Self =
        Self(Self::SLOW | Self::OVERDUE | Self::CANCELLED_AFTER);
    /// The flags for which an admission records more than the start time.
    pub(super) const ON_ADMISSION: Self = Self(Self::OVERDUE | Self::TRACK);
    /// The flags for which a success does more than increment a counter.
    pub(super) const ON_SUCCESS: Self = Self(Self::SLOW | Self::COUNT_WINDOW);
    /// The flags for which a failure does more than extend the streak.
    pub(super) const ON_FAILURE: Self =
        Self(Self::SLOW | Self::COUNT_WINDOW | Self::TIME_WINDOW | Self::OBSERVED);

    pub(super) const fn from_bits(bits: u64) -> Self {
        Self(bits & ((1 << Self::BITS) - 1))
    }

    pub(super) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn bits(self) -> u64 {
        self.0
    }

    pub(super) fn of(settings: &Settings, callbacks: &Callbacks) -> Self {
        let custom_rule = callbacks.rule.is_some();
        let trip = &settings.trip;
        let windowed = custom_rule || trip.needs_window();
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
                | flag(settings.track_in_flight, Self::TRACK)
                | flag(callbacks.settled.is_some(), Self::OBSERVED),
        )
    }

    #[inline]
    fn has(self, any: u64) -> bool {
        self.0 & any != 0
    }

    /// Returns the flag of the window, or 0 without a window.
    pub(super) fn window(self) -> u64 {
        self.0 & (Self::TIME_WINDOW | Self::COUNT_WINDOW)
    }

    /// Returns whether the start time of a call is needed.
    #[inline]
    pub(super) fn timed(self) -> bool {
        self.has(Self::FROM_THE_START.0)
    }

    #[inline]
    pub(super) fn streak(self) -> bool {
        self.has(Self::STREAK)
    }

    #[inline]
    pub(super) fn time_window(self) -> bool {
        self.has(Self::TIME_WINDOW)
    }

    #[inline]
    pub(super) fn count_window(self) -> bool {
        self.has(Self::COUNT_WINDOW)
    }

    #[inline]
    pub(super) fn slow(self) -> bool {
        self.has(Self::SLOW)
    }

    #[inline]
    pub(super) fn overdue(self) -> bool {
        self.has(Self::OVERDUE)
    }

    #[inline]
    pub(super) fn cancelled_after(self) -> bool {
        self.has(Self::CANCELLED_AFTER)
    }

    /// Returns whether calls in flight are counted.
    #[inline]
    pub(super) fn tracks(self) -> bool {
        self.has(Self::TRACK | Self::OVERDUE)
    }
}
