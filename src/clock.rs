//! The clock of every breaker.

#[cfg(all(feature = "coarse-clock", target_os = "linux", not(miri)))]
mod coarse;
#[cfg(not(all(feature = "coarse-clock", target_os = "linux", not(miri))))]
mod exact;

use std::time::Instant;

#[cfg(all(feature = "coarse-clock", target_os = "linux", not(miri)))]
pub(crate) use coarse::Coarse;
#[cfg(not(all(feature = "coarse-clock", target_os = "linux", not(miri))))]
pub(crate) use exact::Coarse;

/// Tokio's clock: the system's monotonic one, at the same price, and the paused one where a test pauses it. Works
/// outside a runtime.
#[inline]
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
