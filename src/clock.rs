//! The clock of every breaker.

use std::time::Instant;

/// Tokio's clock: the system's monotonic one, at the same price, and the paused one where a test pauses it. Works
/// outside a runtime.
#[inline]
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
