//! The clocks that every breaker reads.

#[cfg(all(test, any(loom, shuttle)))]
mod checked;
#[cfg_attr(
    not(all(feature = "coarse-clock", target_os = "linux", not(any(miri, loom, shuttle)))),
    path = "clock/exact.rs"
)]
mod coarse;

#[cfg(all(test, any(loom, shuttle)))]
pub(crate) use checked::{Sleep, now, set, sleep_until};
pub(crate) use coarse::Coarse;
#[cfg(not(all(test, any(loom, shuttle))))]
pub(crate) use tokio::time::{Sleep, sleep_until};

/// Reads tokio's clock, which works outside a runtime.
///
/// It is the system's monotonic clock at the same cost, and the paused clock if a test has paused it.
#[cfg(not(all(test, any(loom, shuttle))))]
#[inline]
pub(crate) fn now() -> std::time::Instant {
    tokio::time::Instant::now().into_std()
}
