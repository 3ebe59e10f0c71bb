//! Sliding windows in fixed memory.

pub(crate) mod count;
pub(crate) mod grid;
pub(crate) mod stripe;
pub(crate) mod tagged;
pub(crate) mod tally;
pub(crate) mod time;

use std::time::Duration;

/// The calls that a window covers: the last N calls, or the calls of the last period.
///
/// ```
/// use std::time::Duration;
/// use tower_breaker::Window;
///
/// let by_time = Window::time(Duration::from_secs(30)); // 10 buckets of 3 s
/// let by_count = Window::count(100); // slides by one call: the oldest outcome leaves
/// # let _ = (by_time, by_count);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Window {
    /// The calls of the last `period`, in `buckets` of equal length. The oldest bucket leaves as a whole, so that the
    /// window covers between `period - period / buckets` and `period`.
    Time {
        /// The length of the window, at least 1 ms for each bucket.
        period: Duration,
        /// The number of buckets, 1 to 32.
        buckets: u32,
    },
    /// The last `calls` calls. Exact; every call takes a short lock.
    Count {
        /// The number of calls, 1 to 1 000 000. One byte each.
        calls: u32,
    },
}

impl Window {
    /// The largest number of buckets of a time window.
    pub const MAX_BUCKETS: u32 = 32;
    /// The largest number of calls of a count window.
    pub const MAX_CALLS: u32 = 1_000_000;

    /// Creates a window of the calls of the last `period`, in 10 buckets.
    pub const fn time(period: Duration) -> Self {
        Self::Time { period, buckets: 10 }
    }

    /// Creates a window of the last `calls` calls, 1 to 1 000 000.
    pub const fn count(calls: u32) -> Self {
        Self::Count { calls }
    }

    /// Sets the number of buckets of a time window, 1 to 32. Has no effect on a count window.
    pub const fn buckets(self, buckets: u32) -> Self {
        match self {
            Self::Time { period, .. } => Self::Time { period, buckets },
            count @ Self::Count { .. } => count,
        }
    }
}
