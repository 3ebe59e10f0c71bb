use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use coarsetime::Instant as CoarseInstant;
use tokio::time::Instant;

/// The time for which a floor stays open: one hour.
const COOLDOWN: u64 = 3_600_000_000_000;

/// The state, open or closed, in one word.
#[derive(Debug)]
pub struct Gate {
    base: Instant,
    coarse_base: CoarseInstant,
    /// Nanoseconds after `base`; 0 while closed.
    open_until: AtomicU64,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            base: Instant::now(),
            coarse_base: CoarseInstant::now_without_cache_update(),
            open_until: AtomicU64::new(0),
        }
    }
}

impl Gate {
    /// Returns the nanoseconds since the floor was created. Reads the exact clock once.
    #[inline]
    pub fn now(&self) -> u64 {
        self.base.elapsed().as_nanos() as u64
    }

    /// Returns about the same from the coarse clock, which the crate reads for a success in a window and for a
    /// rejection.
    #[inline]
    pub fn recent(&self) -> u64 {
        CoarseInstant::now_without_cache_update().duration_since(self.coarse_base).as_nanos()
    }

    /// Returns the time for which calls are still rejected. Reads the clock only while open.
    #[inline]
    pub fn rejects(&self) -> Option<Duration> {
        match self.open_until.load(Ordering::Acquire) {
            0 => None,
            until => match until.saturating_sub(self.recent()) {
                0 => {
                    self.open_until.store(0, Ordering::Release);
                    None
                }
                left => Some(Duration::from_nanos(left)),
            },
        }
    }

    /// Opens the circuit.
    #[cold]
    pub fn open(&self) {
        self.open_until.store(self.recent() + COOLDOWN, Ordering::Release);
    }
}
