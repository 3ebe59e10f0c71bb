use super::windowed::Counts;
use super::{Consecutive, Gate, Rule};

/// Trips on consecutive failures, or on the share of slow calls in 30 s.
#[derive(Debug)]
pub struct Slow {
    consecutive: Consecutive,
    after: u64,
    calls: Counts,
    slow: Counts,
}

impl Slow {
    /// Creates a rule that trips at `limit` consecutive failures, or when 80 % of at least 20 calls took at least
    /// `after` nanoseconds.
    pub fn new(limit: u32, after: u64) -> Self {
        let consecutive = Consecutive::new(limit);
        Self { consecutive, after, calls: Counts::default(), slow: Counts::default() }
    }

    #[cold]
    fn slow(&self, gate: &Gate, tick: u64) {
        self.slow.add(tick);
        let (slow, calls) = (self.slow.sum(tick), self.calls.sum(tick));
        if calls >= 20 && slow * 10 >= calls * 8 {
            gate.open();
        }
    }
}

impl Rule for Slow {
    /// The start of the call.
    type Ticket = u64;

    #[inline]
    fn admit(&self, gate: &Gate) -> Option<u64> {
        Some(gate.now())
    }

    #[inline]
    fn settle(&self, gate: &Gate, started: u64, failed: bool) {
        let now = gate.now();
        let tick = Counts::tick(now);
        self.consecutive.count(gate, failed);
        self.calls.add(tick);
        if now - started >= self.after {
            self.slow(gate, tick);
        }
    }
}
