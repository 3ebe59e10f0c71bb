//! The window: a list of every outcome since it was cleared.

use std::time::Duration;

use super::config::{Config, Shape};

/// The contribution of one call to the window.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Success,
    Failure {
        weight: u64,
    },
    /// Cancelled after it had become slow: counts in the slow rate only.
    Cancelled,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    bucket: u128,
    kind: Kind,
    slow: bool,
}

#[derive(Debug, Default)]
pub(super) struct Window {
    entries: Vec<Entry>,
}

/// The sums over the window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub(super) calls: u64,
    pub(super) calls_by_weight: u64,
    pub(super) failures_by_weight: u64,
    pub(super) slow_or_cancelled: u64,
    pub(super) calls_or_cancelled: u64,
}

fn bucket(shape: Shape, now: Duration) -> u128 {
    match shape {
        Shape::Time { period, buckets } => {
            now.as_nanos() / (period.as_nanos() / u128::from(buckets))
        }
        Shape::Count(_) => 0,
    }
}

impl Window {
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Returns the bucket of `now`. After the clock has stepped back, calls count in the current bucket.
    fn current(&self, shape: Shape, now: Duration) -> u128 {
        let newest = self.entries.iter().map(|entry| entry.bucket).max().unwrap_or(0);
        newest.max(bucket(shape, now))
    }

    pub(super) fn add(&mut self, config: &Config, now: Duration, kind: Kind, slow: bool) {
        if let Some(shape) = config.shape() {
            let bucket = self.current(shape, now);
            self.entries.push(Entry { bucket, kind, slow });
        }
    }

    fn covered(&self, shape: Shape, now: Duration) -> Vec<Entry> {
        match shape {
            Shape::Time { buckets, .. } => {
                let current = self.current(shape, now);
                let young = |entry: &&Entry| entry.bucket + u128::from(buckets) > current;
                self.entries.iter().filter(young).copied().collect()
            }
            Shape::Count(calls) => {
                let first = self.entries.len().saturating_sub(calls as usize);
                self.entries[first..].to_vec()
            }
        }
    }

    pub(super) fn sums(&self, config: &Config, now: Duration) -> Sums {
        let mut sums = Sums::default();
        let Some(shape) = config.shape() else { return sums };
        for Entry { kind, slow, .. } in self.covered(shape, now) {
            sums.calls_or_cancelled += 1;
            if slow {
                sums.slow_or_cancelled += 1;
            }
            match kind {
                Kind::Cancelled => {}
                Kind::Success => {
                    sums.calls += 1;
                    sums.calls_by_weight += 1;
                }
                Kind::Failure { weight } => {
                    sums.calls += 1;
                    sums.calls_by_weight += weight;
                    sums.failures_by_weight += weight;
                }
            }
        }
        sums
    }
}

/// A share, as two numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate(u64, u64);

impl Rate {
    pub(super) fn reaches(self, per_million: u64) -> bool {
        u128::from(self.0) * 1_000_000 >= u128::from(per_million) * u128::from(self.1)
    }

    pub(super) fn as_f64(self) -> f64 {
        self.0 as f64 / self.1 as f64
    }
}

impl Sums {
    /// Returns the rate, or `None` below the minimum of calls.
    pub(super) fn failure_rate(&self, config: &Config) -> Option<Rate> {
        let min = config.failure_rate.map_or(1, |(_, min)| config.effective_min(min));
        let rate = Rate(self.failures_by_weight, self.calls_by_weight);
        (self.calls >= min).then_some(rate)
    }

    pub(super) fn slow_rate(&self, config: &Config) -> Option<Rate> {
        let min = config.slow.map_or(1, |rule| config.effective_min(rule.min_calls));
        let rate = Rate(self.slow_or_cancelled, self.calls_or_cancelled);
        (self.calls_or_cancelled >= min).then_some(rate)
    }
}
