use std::sync::atomic::{AtomicU64, Ordering};

use super::{Consecutive, Gate, Rule};

const BUCKETS: usize = 10;
const BUCKET_NANOS: u64 = 3_000_000_000;

/// The counts of the last 10 × 3 s. A word holds the number of a bucket (24 bits) and its count (40 bits).
#[derive(Debug, Default)]
pub struct Counts([AtomicU64; BUCKETS]);

impl Counts {
    /// Returns the number of the bucket at the time `now`.
    #[inline]
    pub fn tick(now: u64) -> u64 {
        now / BUCKET_NANOS
    }

    /// Adds one to the bucket `tick`.
    #[inline]
    pub fn add(&self, tick: u64) {
        let word = &self.0[(tick % BUCKETS as u64) as usize];
        let seen = word.load(Ordering::Relaxed);
        if seen >> 40 == tick {
            word.fetch_add(1, Ordering::Relaxed);
        } else {
            self.begin(word, seen, tick);
        }
    }

    #[cold]
    fn begin(&self, word: &AtomicU64, seen: u64, tick: u64) {
        let fresh = (tick << 40) | 1;
        if word.compare_exchange(seen, fresh, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            word.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns the sum of the window.
    #[inline]
    pub fn sum(&self, tick: u64) -> u64 {
        let words = self.0.iter().map(|word| word.load(Ordering::Relaxed));
        words
            .filter(|word| (word >> 40) + BUCKETS as u64 > tick)
            .map(|word| word & ((1 << 40) - 1))
            .sum()
    }
}

/// Trips on consecutive failures, or on the failure rate of 30 s.
#[derive(Debug)]
pub struct Windowed {
    consecutive: Consecutive,
    min_calls: u64,
    succeeded: Counts,
    failed: Counts,
}

impl Windowed {
    /// Creates a rule that trips at `limit` consecutive failures, or when 50 % of at least `min_calls` calls failed.
    pub fn new(limit: u32, min_calls: u64) -> Self {
        let consecutive = Consecutive::new(limit);
        Self { consecutive, min_calls, succeeded: Counts::default(), failed: Counts::default() }
    }
}

impl Rule for Windowed {
    type Ticket = ();

    #[inline]
    fn admit(&self, _: &Gate) -> Option<()> {
        Some(())
    }

    #[inline]
    fn settle(&self, gate: &Gate, (): (), failed: bool) {
        self.consecutive.count(gate, failed);
        if !failed {
            return self.succeeded.add(Counts::tick(gate.recent()));
        }
        let tick = Counts::tick(gate.now());
        self.failed.add(tick);
        let failures = self.failed.sum(tick);
        let calls = failures + self.succeeded.sum(tick);
        if calls >= self.min_calls && failures * 2 >= calls {
            gate.open();
        }
    }
}
