//! The sums of a window, and its rates.

/// One million parts: the unit in which rates are compared.
pub(crate) const MILLION: u64 = 1_000_000;

/// The contribution of one call to a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: EntryKind,
    pub(crate) slow: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    Success,
    /// With its weight, 1 to 100.
    Failure(u8),
    /// A slow call that was cancelled. It counts on both sides of the slow-call rate and in no other sum.
    Cancelled,
}

/// The sums over a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Calls that succeeded or failed.
    pub(crate) calls: u64,
    /// Of those, calls that failed.
    pub(crate) failed: u64,
    /// The weight of the failures beyond one each.
    pub(crate) extra: u64,
    /// Of `calls`, those that were slow.
    pub(crate) slow: u64,
    /// Calls that were cancelled after they became slow.
    pub(crate) slow_cancelled: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, entry: Entry) {
        self.apply(entry, 1, |sum, by| *sum += by);
    }

    pub(crate) fn remove(&mut self, entry: Entry) {
        self.apply(entry, 1, |sum, by| *sum -= by);
    }

    fn apply(&mut self, entry: Entry, one: u64, op: impl Fn(&mut u64, u64)) {
        match entry.kind {
            EntryKind::Cancelled => return op(&mut self.slow_cancelled, one),
            EntryKind::Success => {}
            EntryKind::Failure(weight) => {
                op(&mut self.failed, one);
                op(&mut self.extra, u64::from(weight.saturating_sub(1)));
            }
        }
        op(&mut self.calls, one);
        if entry.slow {
            op(&mut self.slow, one);
        }
    }

    /// Returns the failures by weight.
    pub(crate) fn failures(&self) -> u64 {
        self.failed + self.extra
    }

    /// Returns failures by weight over calls by weight, or `None` below `min` calls.
    pub(crate) fn failure_rate(&self, min: u64) -> Option<Rate> {
        Rate::of(self.failures(), self.calls + self.extra, self.calls, min)
    }

    /// Returns slow calls over calls, or `None` below `min` calls.
    pub(crate) fn slow_rate(&self, min: u64) -> Option<Rate> {
        let calls = self.calls + self.slow_cancelled;
        Rate::of(self.slow + self.slow_cancelled, calls, calls, min)
    }
}

/// A share, stored as numerator and denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    part: u64,
    whole: u64,
}

impl Rate {
    fn of(part: u64, whole: u64, calls: u64, min: u64) -> Option<Self> {
        (calls >= min.max(1)).then_some(Self { part, whole })
    }

    /// Returns whether the rate is at least `per_million`. Exact, without rounding or division.
    pub(crate) fn at_least(self, per_million: u64) -> bool {
        u128::from(self.part) * u128::from(MILLION)
            >= u128::from(per_million) * u128::from(self.whole)
    }

    /// Returns the rate as a number for display.
    pub(crate) fn as_f64(self) -> f64 {
        self.part as f64 / self.whole as f64
    }
}

/// Converts a rate of the settings, 0.0 to 1.0, to parts per million; at least one part.
///
/// The result is never rounded up; otherwise two of three would not reach `2.0 / 3.0`. The added millionth of a part
/// corrects products like `0.57 * 1e6` that fall just short of an integer.
pub(crate) fn per_million(rate: f64) -> u64 {
    ((rate * MILLION as f64 + 1e-6) as u64).clamp(1, MILLION)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(successes: u64, failures: u64) -> Tally {
        Tally { calls: successes + failures, failed: failures, ..Tally::default() }
    }

    #[test]
    fn a_rate_equal_to_the_threshold_reaches_it() {
        let rate = |tally: Tally| tally.failure_rate(1).expect("enough calls");
        assert!(rate(tally(1, 1)).at_least(500_000));
        assert!(!rate(tally(101, 99)).at_least(500_000), "99 of 200 is not 50 %");
        assert!(rate(tally(2, 1)).at_least(333_333) && !rate(tally(2, 1)).at_least(333_334));
    }

    #[test]
    fn below_the_minimum_there_is_no_rate() {
        assert_eq!(tally(10, 9).failure_rate(20), None);
        assert!(tally(10, 10).failure_rate(20).is_some());
        assert_eq!(Tally::default().failure_rate(0), None);
    }

    #[test]
    fn a_weight_counts_on_both_sides_of_the_rate_and_not_in_the_minimum() {
        let mut tally = tally(10, 0);
        tally.add(Entry { kind: EntryKind::Failure(10), slow: false });
        assert_eq!((tally.calls, tally.failures()), (11, 10));
        assert!(tally.failure_rate(11).expect("11 calls").at_least(500_000));
        assert_eq!(tally.failure_rate(12), None);
    }

    #[test]
    fn remove_reverts_add() {
        let entries = [
            Entry { kind: EntryKind::Success, slow: true },
            Entry { kind: EntryKind::Failure(7), slow: true },
            Entry { kind: EntryKind::Failure(1), slow: false },
            Entry { kind: EntryKind::Cancelled, slow: true },
        ];
        let mut tally = Tally::default();
        entries.iter().for_each(|entry| tally.add(*entry));
        assert_eq!(tally, Tally { calls: 3, failed: 2, extra: 6, slow: 2, slow_cancelled: 1 });
        entries.iter().for_each(|entry| tally.remove(*entry));
        assert_eq!(tally, Tally::default());
    }

    #[test]
    fn a_rate_of_the_settings_is_at_least_one_part() {
        assert_eq!(per_million(0.5), 500_000);
        assert_eq!(per_million(1e-9), 1);
        assert_eq!(per_million(1.0), 1_000_000);
    }

    #[test]
    fn a_rate_of_the_settings_is_reached_by_exactly_that_fraction() {
        // Fewer fractions under miri, which is slow.
        for whole in 1..=if cfg!(miri) { 25_u64 } else { 1_000 } {
            for part in 1..=whole {
                let rate = per_million(part as f64 / whole as f64);
                assert!(Rate { part, whole }.at_least(rate), "{part} of {whole}");
                assert!(
                    !Rate { part: part - 1, whole }.at_least(rate),
                    "less than {part} of {whole}"
                );
            }
        }
    }
}
