//! The admission of calls.

use std::time::Duration;

use crate::state::{Cause, Mode};

use super::config::DecideBy;
use super::{AdmitResult, Call, Lease, Phase, Reference};

impl Reference {
    /// Admits or rejects a call. Also returns the number by which it is settled, or `None` if it counts nowhere.
    pub(crate) fn admit(&mut self, now: Duration) -> (AdmitResult, Option<u64>) {
        let (result, id) = self.decide(now);
        match result {
            AdmitResult::Rejected { .. } if self.mode == Mode::Shadow => {
                self.totals.would_reject += 1;
                (AdmitResult::Inert, None)
            }
            AdmitResult::Rejected { .. } => {
                self.totals.rejected += 1;
                (result, None)
            }
            _ => (result, id),
        }
    }

    fn decide(&mut self, now: Duration) -> (AdmitResult, Option<u64>) {
        match self.phase {
            Phase::Disabled => return (AdmitResult::Inert, None),
            Phase::Closed | Phase::Ramp { .. } => {
                let fired = self.evaluate_overdue(now);
                if self.phase == Phase::Closed && !fired {
                    return self.start_call(now, false);
                }
            }
            Phase::Open | Phase::Probing | Phase::ForcedOpen => {
                if let Some(wait) = self.deadline_ahead(now) {
                    return (self.rejection(wait), None);
                }
            }
        }
        let at = self.work_at(now);
        self.lapse(at);
        if !self.health_check {
            self.half_open_if_due(at);
        }
        let passes = match self.phase {
            Phase::Closed => true,
            Phase::Disabled => return (AdmitResult::Inert, None),
            Phase::Open | Phase::ForcedOpen => false,
            Phase::Probing => self.probes_calls(),
            Phase::Ramp { since, asked } => {
                self.phase = Phase::Ramp { since, asked: asked + 1 };
                let percent = self.ramp_percent(since, at);
                (asked + 1) * percent / 100 > asked * percent / 100
            }
        };
        if !passes {
            return (self.rejection(self.wait_of_rejection(at)), None);
        }
        let (result, id) = self.start_call(now, self.phase == Phase::Probing);
        if let (Phase::Probing, Some(id)) = (self.phase, id) {
            self.leases.push(Lease { id, ends: at + self.config.lease });
        }
        (result, id)
    }

    /// Records the start of a call.
    fn start_call(&mut self, now: Duration, probe: bool) -> (AdmitResult, Option<u64>) {
        let timed = probe || self.config.keeps_time();
        let id = self.add_call(timed.then_some(now), probe);
        if let Some(call) = self.calls.last_mut() {
            call.pending = self.config.overdue.is_some();
            call.tracked = self.config.keeps_in_flight();
        }
        let bucket = self.overdue_bucket(now).unwrap_or(0);
        self.overdue_newest = self.overdue_newest.max(bucket);
        (AdmitResult::Counted { probe }, Some(id))
    }

    fn add_call(&mut self, started: Option<Duration>, probe: bool) -> u64 {
        let (id, epoch) = (self.next_id, self.epoch);
        self.next_id += 1;
        self.calls.push(Call {
            id,
            epoch,
            started,
            took: None,
            tail: None,
            probe,
            pending: false,
            tracked: false,
        });
        id
    }

    /// Admits a call whose service failed before it was called. Nothing else is known about the call.
    pub(crate) fn admit_unready(&mut self, now: Duration) -> (AdmitResult, Option<u64>) {
        match self.phase {
            Phase::Closed | Phase::Ramp { .. } => {
                (AdmitResult::Counted { probe: false }, Some(self.add_call(None, false)))
            }
            _ => self.admit(now),
        }
    }

    /// Returns how long the next call would be rejected, and makes the transition that is due. Returns `None` in a
    /// ramp, which decides call by call.
    pub(crate) fn would_reject(&mut self, now: Duration) -> Option<Option<Duration>> {
        if self.mode == Mode::Shadow {
            return None;
        }
        match self.phase {
            Phase::Closed | Phase::Disabled | Phase::Ramp { .. } => return None,
            Phase::Open | Phase::Probing | Phase::ForcedOpen => {}
        }
        if let Some(wait) = self.deadline_ahead(now) {
            return Some(wait);
        }
        let now = self.work_at(now);
        self.lapse(now);
        let rejects = match self.phase {
            Phase::Closed | Phase::Disabled | Phase::Ramp { .. } => false,
            Phase::Open => now < self.open_until || self.health_check,
            Phase::ForcedOpen => true,
            Phase::Probing => !self.probes_calls(),
        };
        rejects.then(|| self.wait_of_rejection(now))
    }

    /// Rejects a call whose service was not polled ready, because it would be rejected for `wait`.
    pub(crate) fn reject(&mut self, wait: Option<Duration>) -> AdmitResult {
        self.totals.rejected += 1;
        match self.phase {
            Phase::Open | Phase::Probing | Phase::ForcedOpen => self.rejection(wait),
            // The circuit admits calls again, so that there is nothing to wait for.
            Phase::Closed | Phase::Ramp { .. } | Phase::Disabled => {
                self.rejection(Some(Duration::ZERO))
            }
        }
    }

    /// Admits a health check, if a probe may start.
    pub(crate) fn admit_health_check(&mut self, now: Duration) -> Option<u64> {
        let at = self.work_at(now);
        self.lapse(at);
        self.half_open_if_due(at);
        if self.phase != Phase::Probing || self.free_probes() == 0 {
            return None;
        }
        let (_, id) = self.start_call(now, true);
        let id = id?;
        self.leases.push(Lease { id, ends: at + self.config.lease });
        Some(id)
    }

    pub(crate) fn set_health_check(&mut self, health_check: bool) {
        self.health_check = health_check;
    }

    /// Returns how many more probes may start. A sample starts no probe whose result could not matter.
    pub(super) fn free_probes(&self) -> u32 {
        let most = match self.config.decide_by {
            DecideBy::Successes(_) => self.config.probes,
            DecideBy::Sample { calls, .. } => {
                let finished = self.probe_successes + self.probe_failures;
                self.config.probes.min(calls.saturating_sub(finished))
            }
        };
        most.saturating_sub(self.leases.len() as u32)
    }

    fn probes_calls(&self) -> bool {
        !self.health_check && self.free_probes() > 0
    }

    pub(super) fn first_lease_end(&self) -> Option<Duration> {
        self.leases.iter().map(|lease| lease.ends).min()
    }

    /// Returns the wait of a rejection by a deadline that has not come.
    fn deadline_ahead(&self, now: Duration) -> Option<Option<Duration>> {
        // Time does not go back.
        let now = now.max(self.seen);
        let ahead = |until: Duration| (now < until).then(|| until - now);
        match self.phase {
            Phase::Open => ahead(self.open_until).map(Some),
            Phase::ForcedOpen => match self.forced_until {
                None => Some(None),
                Some(until) => ahead(until).map(Some),
            },
            Phase::Probing if !self.probes_calls() => {
                let left = ahead(self.first_lease_end()?)?;
                Some(Some(left.min(self.config.nominal(0))))
            }
            _ => None,
        }
    }

    /// Returns the wait of a rejection, after the transition that is due.
    fn wait_of_rejection(&self, now: Duration) -> Option<Duration> {
        let first = self.config.nominal(0);
        match self.phase {
            Phase::Open if now < self.open_until => Some(self.open_until - now),
            Phase::ForcedOpen => self.forced_until.map(|until| until.saturating_sub(now)),
            Phase::Open | Phase::Probing => {
                let left = self.first_lease_end().map_or(first, |ends| ends.saturating_sub(now));
                Some(left.min(first))
            }
            Phase::Closed | Phase::Ramp { .. } | Phase::Disabled => None,
        }
    }

    fn rejection(&self, wait: Option<Duration>) -> AdmitResult {
        let cause: Cause = self.trip_cause;
        AdmitResult::Rejected { state: self.phase.state(), cause, wait }
    }

    /// Returns the share of calls that pass now.
    fn ramp_percent(&self, since: Duration, now: Duration) -> u64 {
        let Some((steps, step)) = &self.config.ramp else { return 100 };
        let at = now.saturating_sub(since).as_nanos() / step.as_nanos();
        let percent = usize::try_from(at).ok().and_then(|at| steps.get(at));
        percent.map_or(100, |percent| u64::from(*percent))
    }
}
