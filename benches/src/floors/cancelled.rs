use super::{Consecutive, Gate, Rule};

/// Trips on consecutive failures. A call that is dropped after the given time is a failure.
#[derive(Debug)]
pub struct CancelledAfter {
    consecutive: Consecutive,
    after: u64,
}

impl CancelledAfter {
    /// Creates a rule that trips at `limit` failures. A call dropped after at least `after` nanoseconds counts as one.
    pub fn new(limit: u32, after: u64) -> Self {
        Self { consecutive: Consecutive::new(limit), after }
    }
}

impl Rule for CancelledAfter {
    /// The start of the call.
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
