//! Newtypes for numbers that are easy to confuse.

use std::time::Duration;

use crate::trip::rules::nanos;

/// A moment, in nanoseconds since the machine started, or a length of time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub(crate) struct Nanos(u64);

impl Nanos {
    /// The start of the machine, or a length of zero.
    pub(crate) const ZERO: Self = Self(0);

    /// A moment that never comes, or an unknown length of time.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    #[inline]
    pub(crate) const fn from_u64(nanos: u64) -> Self {
        Self(nanos)
    }

    #[inline]
    pub(crate) const fn get(self) -> u64 {
        self.0
    }

    /// Converts a duration, capped at 30 years so that sums do not overflow.
    pub(super) fn from_duration(duration: Duration) -> Self {
        Self(nanos(duration))
    }

    /// Converts the time that has passed since the machine started.
    #[inline]
    pub(super) fn since_start(elapsed: Duration) -> Self {
        let whole = elapsed.as_secs().saturating_mul(1_000_000_000);
        Self(whole.saturating_add(u64::from(elapsed.subsec_nanos())))
    }

    pub(super) fn to_duration(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    #[inline]
    pub(super) fn after(self, wait: Self) -> Self {
        Self(self.0.saturating_add(wait.0))
    }

    /// Returns the time from `earlier` to this moment, or zero if `earlier` is later.
    #[inline]
    pub(super) fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

/// The number of a state period. The first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Epoch(u64);

impl Epoch {
    /// An epoch that no breaker has.
    pub(super) const NONE: Self = Self(0);
    pub(super) const FIRST: Self = Self(1);

    #[inline]
    pub(super) const fn from_u64(number: u64) -> Self {
        Self(number)
    }

    #[inline]
    pub(crate) const fn get(self) -> u64 {
        self.0
    }

    pub(super) const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
