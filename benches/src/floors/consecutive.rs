use std::sync::atomic::{AtomicU32, Ordering};

use super::{Gate, Rule};

/// Trips on consecutive failures.
#[derive(Debug)]
pub struct Consecutive {
    limit: u32,
    streak: AtomicU32,
}

impl Consecutive {
    /// Creates a rule that trips at `limit` failures.
    pub fn new(limit: u32) -> Self {
        Self { limit, streak: AtomicU32::new(0) }
    }

    /// Counts one result. A success writes only if there is a streak to end.
    #[inline]
    pub fn count(&self, gate: &Gate, failed: bool) {
        if failed {
            if self.streak.fetch_add(1, Ordering::AcqRel) + 1 >= self.limit {
                gate.open();
            }
        } else if self.streak.load(Ordering::Relaxed) != 0 {
            self.streak.store(0, Ordering::Release);
        }
    }
}

impl Rule for Consecutive {
    type Ticket = ();

    #[inline]
    fn admit(&self, _: &Gate) -> Option<()> {
        Some(())
    }

    #[inline]
    fn settle(&self, gate: &Gate, (): (), failed: bool) {
        self.count(gate, failed);
    }
}
