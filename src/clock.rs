//! The clock of every breaker.

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

/// Tokio's clock: the system's monotonic one, at the same price, and the paused one where a test pauses it. Works
/// outside a runtime.
#[cfg(not(all(test, any(loom, shuttle))))]
#[inline]
pub(crate) fn now() -> std::time::Instant {
    tokio::time::Instant::now().into_std()
}
