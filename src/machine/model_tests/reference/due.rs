//! Transitions that are due by time alone.

use std::time::Duration;

use crate::state::Cause;

use super::config::DecideBy;
use super::{Phase, Reference};

/// The decision of the probes of a half-open period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Decision {
    Nothing,
    Reopen,
    Recover,
}

impl Reference {
    /// Makes the transition that is due, for a task that waits on the handle.
    pub(crate) fn tick(&mut self, now: Duration) {
        match self.phase {
            Phase::Closed => {
                self.evaluate_overdue(now);
            }
            Phase::Ramp { .. } => {
                if !self.evaluate_overdue(now) {
                    let now = self.work_at(now);
                    self.lapse(now);
                }
            }
            _ => {
                let now = self.work_at(now);
                self.lapse(now);
            }
        }
    }

    pub(super) fn half_open_if_due(&mut self, now: Duration) {
        if self.phase == Phase::Open && now >= self.open_until {
            let window = self.window_view(now);
            let due = Some(self.open_until);
            self.begin(Phase::Probing, Cause::CooldownElapsed, now, window, due);
        }
    }

    pub(super) fn lapse(&mut self, now: Duration) {
        match self.phase {
            Phase::ForcedOpen => {
                if let Some(until) = self.forced_until.filter(|until| *until <= now) {
                    self.release_forced(Cause::ForceOpenExpired, now, Some(until));
                }
            }
            Phase::Probing => self.end_leases(now),
            Phase::Ramp { since, .. } => {
                let end = self.ramp_end(since);
                if end <= now {
                    let window = self.window_view(now);
                    self.attempt = None;
                    self.begin(Phase::Closed, Cause::Recovered, now, window, Some(end));
                }
            }
            Phase::Closed | Phase::Open | Phase::Disabled => {}
        }
    }

    /// Counts the probes whose leases have ended as failed.
    fn end_leases(&mut self, now: Duration) {
        let over = self.leases.iter().filter(|lease| lease.ends <= now).count() as u32;
        let nothing_can_come = self.leases.is_empty() && self.free_probes() == 0;
        if over == 0 && !nothing_can_come {
            return;
        }
        self.leases.retain(|lease| lease.ends > now);
        self.probe_failures += over;
        match self.decision() {
            Decision::Nothing => {}
            Decision::Recover => self.recover(now),
            Decision::Reopen => {
                let cause = if over > 0 { Cause::LeaseExpired } else { Cause::ProbeFailed };
                let window = self.window_view(now);
                self.trip(cause, now, None, window);
            }
        }
    }

    pub(super) fn decision(&self) -> Decision {
        let (successes, failures) = (self.probe_successes, self.probe_failures);
        match self.config.decide_by {
            DecideBy::Successes(_) if failures > 0 => Decision::Reopen,
            DecideBy::Successes(needed) if successes >= needed => Decision::Recover,
            DecideBy::Successes(_) => Decision::Nothing,
            DecideBy::Sample { calls, per_million } => {
                let reached = |failures: u32| {
                    u64::from(failures) * 1_000_000 >= per_million * u64::from(calls)
                };
                let to_come = calls.saturating_sub(successes + failures);
                if reached(failures) {
                    Decision::Reopen
                } else if reached(failures + to_come) {
                    Decision::Nothing
                } else {
                    Decision::Recover
                }
            }
        }
    }

    /// Closes the circuit, or begins the ramp, which belongs to the same half-open period.
    pub(super) fn recover(&mut self, now: Duration) {
        if self.config.ramp.is_some() {
            self.phase = Phase::Ramp { since: now, asked: 0 };
        } else {
            let window = self.window_view(now);
            self.begin(Phase::Closed, Cause::Recovered, now, window, None);
        }
    }

    pub(super) fn ramp_end(&self, since: Duration) -> Duration {
        match &self.config.ramp {
            Some((steps, step)) => since + *step * steps.len() as u32,
            None => since,
        }
    }
}
