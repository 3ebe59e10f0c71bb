//! The limits of the trip rules, and their comparison with the counts.

use std::time::Duration;

use crate::sync::{AtomicU64, Ordering};
use crate::trip::{Consecutive, FailureRate, Slow, Trip};
use crate::window::tally::{Tally, per_million};

/// The counts that the rules compare with their limits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Evidence {
    pub(crate) tally: Tally,
    /// Consecutive failures.
    pub(crate) streak: u32,
    /// The time from the first to the last of them.
    pub(crate) streak_nanos: u64,
    pub(crate) overdue: u64,
}

/// The numerators that grew. Only their rules are evaluated.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Grew {
    pub(crate) failures: bool,
    pub(crate) slow: bool,
    pub(crate) overdue: bool,
}

/// The limits of the rules, as integers.
///
/// Every word is read and written with `Relaxed`. A reader may see old and new words mixed while `reconfigure` replaces
/// them under the machine's lock. That can only delay or repeat an evaluation, because a rule that fires is evaluated
/// again under the same lock before the circuit opens.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    consecutive: AtomicU64,
    over: AtomicU64,
    overdue: AtomicU64,
    rate: AtomicU64,
    rate_min: AtomicU64,
    failures: AtomicU64,
    slow_rate: AtomicU64,
    slow_min: AtomicU64,
}

/// The limit of a rule that is off.
const OFF: u64 = u64::MAX;

impl Rules {
    /// Stores the rules of the settings. `most` is the capacity of the window; a larger minimum could never be reached
    /// and is lowered to it.
    pub(crate) fn store(&self, trip: &Trip, most: u64) {
        let set = |word: &AtomicU64, value: Option<u64>| {
            word.store(value.unwrap_or(OFF), Ordering::Relaxed)
        };
        let min = |calls: u32| u64::from(calls).min(most);
        let Trip { consecutive, overdue, failure_rate, failures, slow } = *trip;
        set(&self.consecutive, consecutive.map(|Consecutive { failures, .. }| u64::from(failures)));
        set(&self.over, Some(consecutive.map_or(0, |rule| nanos(rule.over))));
        set(&self.overdue, overdue.map(|rule| u64::from(rule.calls)));
        set(&self.rate, failure_rate.map(|FailureRate { rate, .. }| per_million(rate)));
        set(&self.rate_min, Some(failure_rate.map_or(1, |rule| min(rule.min_calls))));
        set(&self.failures, failures.map(u64::from));
        set(&self.slow_rate, slow.map(|Slow { rate, .. }| per_million(rate)));
        set(&self.slow_min, Some(slow.map_or(1, |rule| min(rule.min_calls))));
    }

    /// Returns whether consecutive failures must span a minimum time.
    #[inline]
    pub(crate) fn streak_is_timed(&self) -> bool {
        self.over.load(Ordering::Relaxed) > 0
    }

    /// Returns the limit of consecutive failures, regardless of the time that they must span.
    #[inline]
    pub(crate) fn consecutive(&self) -> u64 {
        self.consecutive.load(Ordering::Relaxed)
    }

    /// Returns the cause of the first rule that fires. The order of the rules is the order in which causes are
    /// reported.
    pub(crate) fn fired(&self, seen: &Evidence, grew: Grew) -> Option<crate::state::Cause> {
        use crate::state::Cause;
        let at = |word: &AtomicU64| word.load(Ordering::Relaxed);
        let reached = |limit: u64, value: u64| limit != OFF && value >= limit;
        if grew.failures
            && reached(at(&self.consecutive), u64::from(seen.streak))
            && seen.streak_nanos >= at(&self.over)
        {
            return Some(Cause::ConsecutiveFailures);
        }
        if grew.overdue && reached(at(&self.overdue), seen.overdue) {
            return Some(Cause::Overdue);
        }
        if grew.failures {
            let rate = at(&self.rate);
            if rate != OFF
                && seen.tally.failure_rate(at(&self.rate_min)).is_some_and(|now| now.at_least(rate))
            {
                return Some(Cause::FailureRate);
            }
            if reached(at(&self.failures), seen.tally.failures()) {
                return Some(Cause::FailureCount);
            }
        }
        if grew.slow {
            let rate = at(&self.slow_rate);
            if rate != OFF
                && seen.tally.slow_rate(at(&self.slow_min)).is_some_and(|now| now.at_least(rate))
            {
                return Some(Cause::SlowRate);
            }
        }
        None
    }

    /// Returns the minimum number of calls of the failure rate and of the slow-call rate.
    pub(crate) fn minimums(&self) -> (u64, u64) {
        (self.rate_min.load(Ordering::Relaxed), self.slow_min.load(Ordering::Relaxed))
    }
}

/// Converts a duration to nanoseconds, capped at 30 years so that sums never overflow.
pub(crate) fn nanos(duration: Duration) -> u64 {
    let cut = duration.min(crate::backoff::FOREVER);
    cut.as_secs() * 1_000_000_000 + u64::from(cut.subsec_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Cause;

    fn rules(trip: Trip) -> Rules {
        let rules = Rules::default();
        rules.store(&trip, u64::MAX);
        rules
    }

    const FAILURE: Grew = Grew { failures: true, slow: false, overdue: false };
    const ALL: Grew = Grew { failures: true, slow: true, overdue: true };

    #[test]
    fn the_first_rule_in_order_is_the_cause() {
        let after = Duration::from_secs(1);
        let tally = Tally { calls: 10, failed: 10, slow: 10, ..Tally::default() };
        let seen = Evidence { tally, streak: 10, streak_nanos: 0, overdue: 10 };
        let trip = Trip::none()
            .consecutive(10)
            .overdue(10, after)
            .failure_rate(1.0, 10)
            .failures(10)
            .slow(after, 1.0, 10);
        assert_eq!(rules(trip).fired(&seen, ALL), Some(Cause::ConsecutiveFailures));
        let trip = trip.no_consecutive();
        assert_eq!(rules(trip).fired(&seen, ALL), Some(Cause::Overdue));
        let trip = trip.no_overdue();
        assert_eq!(rules(trip).fired(&seen, ALL), Some(Cause::FailureRate));
        let trip = trip.no_failure_rate();
        assert_eq!(rules(trip).fired(&seen, ALL), Some(Cause::FailureCount));
        let trip = trip.no_failures();
        assert_eq!(rules(trip).fired(&seen, ALL), Some(Cause::SlowRate));
        assert_eq!(rules(trip.no_slow()).fired(&seen, ALL), None);
    }

    #[test]
    fn a_rule_is_evaluated_only_when_its_own_numerator_grew() {
        let tally = Tally { calls: 10, failed: 5, slow: 10, ..Tally::default() };
        let seen = Evidence { tally, streak: 5, streak_nanos: 0, overdue: 9 };
        let trip =
            Trip::none().slow(Duration::from_secs(1), 1.0, 10).overdue(9, Duration::from_secs(1));
        assert_eq!(rules(trip).fired(&seen, FAILURE), None);
        let trip = Trip::none().consecutive(5).failure_rate(0.5, 10).failures(5);
        let slow = Grew { slow: true, overdue: true, failures: false };
        assert_eq!(rules(trip).fired(&seen, slow), None);
    }

    #[test]
    fn consecutive_failures_must_span_their_time() {
        let rules = rules(Trip::none().consecutive(5).consecutive_over(Duration::from_millis(500)));
        let mut seen = Evidence { streak: 100, streak_nanos: 499_999_999, ..Evidence::default() };
        assert_eq!(rules.fired(&seen, FAILURE), None);
        seen.streak_nanos += 1;
        assert_eq!(rules.fired(&seen, FAILURE), Some(Cause::ConsecutiveFailures));
    }

    #[test]
    fn a_minimum_above_the_size_of_the_window_is_lowered_to_it() {
        let rules = Rules::default();
        rules.store(&Trip::none().failure_rate(0.5, 100), 10);
        let tally = Tally { calls: 10, failed: 5, ..Tally::default() };
        let seen = Evidence { tally, ..Evidence::default() };
        assert_eq!(rules.fired(&seen, FAILURE), Some(Cause::FailureRate));
    }

    #[test]
    fn an_endless_duration_is_capped() {
        assert_eq!(nanos(Duration::MAX), 30 * 365 * 24 * 60 * 60 * 1_000_000_000);
    }
}
