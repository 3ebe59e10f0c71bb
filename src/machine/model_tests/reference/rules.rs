//! The trip rules.

use std::time::Duration;

use crate::state::Cause;

use super::{Phase, Reference, Wait, WindowView};

/// The numerators that grew. Only their rules are evaluated.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Grew {
    pub(super) failures: bool,
    pub(super) slow: bool,
    pub(super) overdue: bool,
}

impl Reference {
    /// Returns the part of the overdue rule's time in which a moment lies.
    pub(super) fn overdue_bucket(&self, at: Duration) -> Option<u128> {
        Some(at.as_nanos() / self.config.overdue_part()?)
    }

    /// Returns how many calls of this epoch are overdue: those that started at least eleven parts ago, each a tenth of
    /// the rule's time. The rule is never early and at most one part late.
    pub(super) fn overdue(&self, now: Duration) -> Option<u64> {
        let current = self.overdue_bucket(now)?;
        // After the clock has stepped back by half the time of the rule, ages are unknown.
        if current < self.overdue_from || current + 5 < self.overdue_newest {
            return Some(0);
        }
        let is_overdue =
            |started| self.overdue_bucket(started).is_some_and(|at| at + 11 <= current);
        let pending = self.calls.iter().filter(|call| call.pending && call.epoch == self.epoch);
        Some(pending.filter(|call| call.started.is_some_and(is_overdue)).count() as u64)
    }

    /// Evaluates the overdue rule, once per part of its time. Returns whether the state changed.
    pub(super) fn evaluate_overdue(&mut self, now: Duration) -> bool {
        let Some(bucket) = self.overdue_bucket(now) else { return false };
        if self.overdue_evaluated.is_some_and(|last| bucket <= last) {
            return false;
        }
        self.overdue_evaluated = Some(bucket);
        self.evaluate(now, Grew { overdue: true, ..Grew::default() }, None)
    }

    /// Evaluates the rules whose numerators grew, and opens the circuit if one fires. Returns whether the state
    /// changed.
    pub(super) fn evaluate(&mut self, now: Duration, grew: Grew, wait: Option<Wait>) -> bool {
        let Some(cause) = self.fired(now, grew) else { return false };
        let window = self.window_view(now);
        let epoch = self.epoch;
        let at = self.work_at(now);
        self.lapse(at);
        if self.epoch == epoch {
            self.trip(cause, at, wait, window);
        } else {
            // The ramp was over, so that the call belongs to an older epoch.
            self.raise_late(wait, at);
        }
        true
    }

    fn fired(&self, now: Duration, grew: Grew) -> Option<Cause> {
        let sums = self.window.sums(&self.config, now);
        let config = &self.config;
        let span = self.streak.first().map_or(Duration::ZERO, |first| now.saturating_sub(*first));
        let row = self.streak.len() as u64;
        let consecutive =
            config.consecutive.is_some_and(|(n, over)| row >= u64::from(n) && span >= over);
        let overdue =
            config.overdue.is_some_and(|(n, _)| self.overdue(now).unwrap_or(0) >= u64::from(n));
        let failure_rate = config.failure_rate.is_some_and(|(per_million, _)| {
            sums.failure_rate(config).is_some_and(|rate| rate.reaches(per_million))
        });
        let failures = config.failures.is_some_and(|n| sums.failures_by_weight >= u64::from(n));
        let slow = config.slow.is_some_and(|rule| {
            sums.slow_rate(config).is_some_and(|rate| rate.reaches(rule.per_million))
        });
        let custom = config.custom.is_some_and(|n| custom_sum(&self.window_view(now)) >= n);
        let rules = [
            (grew.failures && consecutive, Cause::ConsecutiveFailures),
            (grew.overdue && overdue, Cause::Overdue),
            (grew.failures && failure_rate, Cause::FailureRate),
            (grew.failures && failures, Cause::FailureCount),
            (grew.slow && slow, Cause::SlowRate),
            (custom, Cause::Custom),
        ];
        rules.iter().find(|(fires, _)| *fires).map(|(_, cause)| *cause)
    }

    /// Returns the counts and rates that the rules compare with their limits.
    pub(super) fn window_view(&self, now: Duration) -> WindowView {
        let sums = self.window.sums(&self.config, now);
        WindowView {
            calls: sums.calls,
            failures: sums.failures_by_weight,
            slow: sums.slow_or_cancelled,
            failure_rate: sums.failure_rate(&self.config).map(|rate| rate.as_f64()),
            slow_rate: sums.slow_rate(&self.config).map(|rate| rate.as_f64()),
            consecutive_failures: self.streak.len() as u32,
            overdue: self.overdue(now),
        }
    }

    /// Applies the wait of a late result. It lengthens the current or the next open period, and opens no closed
    /// circuit.
    pub(super) fn raise_late(&mut self, wait: Option<Wait>, now: Duration) {
        match self.phase {
            Phase::Open | Phase::Probing | Phase::Ramp { .. } | Phase::ForcedOpen => {
                self.raise(wait, now);
            }
            Phase::Closed | Phase::Disabled => {}
        }
    }
}

/// The sum that the user's rule of this test compares with its limit.
pub(crate) fn custom_sum(seen: &WindowView) -> u64 {
    seen.failures + seen.slow + 2 * u64::from(seen.consecutive_failures)
}
