use super::{Consecutive, Gate, Rule};

/// Failures in a row, where a call dropped after a time is a failure.
#[derive(Debug)]
pub struct CancelledAfter {
    consecutive: Consecutive,
    after: u64,
}

impl CancelledAfter {
    /// Trips at `limit`; a call dropped `after` nanoseconds or later has failed.
    pub fn new(limit: u32, after: u64) -> Self {
        Self { consecutive: Consecutive::new(limit), after }
    }
}

impl Rule for CancelledAfter {
    /// When the call began.
    type Ticket = u64;

    #[inline]
    fn admit(&self, gate: &Gate) -> Option<u64> {
        Some(gate.recent())
    }

    #[inline]
    fn settle(&self, gate: &Gate, _: u64, failed: bool) {
        self.consecutive.count(gate, failed);
    }

    #[inline]
    fn dropped(&self, gate: &Gate, started: u64) {
        if gate.now() - started >= self.after {
            self.consecutive.count(gate, true);
        }
    }
}
