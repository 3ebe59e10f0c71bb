//! Who may go.

use std::time::Duration;

use crate::state::{Cause, Mode};

use super::config::Verdict;
use super::{Answer, Call, Lease, Phase, Reference};

impl Reference {
    /// A call asks. The number is its own, for when it ends; `None` where it counts nowhere.
    pub(crate) fn admit(&mut self, now: Duration) -> (Answer, Option<u64>) {
        let (answer, id) = self.decide(now);
        match answer {
            Answer::Rejected { .. } if self.mode == Mode::Shadow => {
                self.totals.would_reject += 1;
                (Answer::Inert, None)
            }
            Answer::Rejected { .. } => {
                self.totals.rejected += 1;
                (answer, None)
            }
            _ => (answer, id),
        }
    }

    fn decide(&mut self, now: Duration) -> (Answer, Option<u64>) {
        match self.phase {
            Phase::Disabled => return (Answer::Inert, None),
            Phase::Closed | Phase::Ramp { .. } => {
                let fired = self.ask_overdue(now);
                if self.phase == Phase::Closed && !fired {
                    return self.give(now, false);
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
            Phase::Disabled => return (Answer::Inert, None),
            Phase::Open | Phase::ForcedOpen => false,
            Phase::Probing => self.takes_probe_of_caller(),
            Phase::Ramp { since, asked } => {
                self.phase = Phase::Ramp { since, asked: asked + 1 };
                let percent = self.ramp_percent(since, at);
                (asked + 1) * percent / 100 > asked * percent / 100
            }
        };
        if !passes {
            return (self.rejection(self.wait_of_rejection(at)), None);
        }
        let (answer, id) = self.give(now, self.phase == Phase::Probing);
        if let (Phase::Probing, Some(id)) = (self.phase, id) {
            self.leases.push(Lease { id, ends: at + self.config.lease });
        }
        (answer, id)
    }

    /// Notes that a call starts.
    fn give(&mut self, now: Duration, probe: bool) -> (Answer, Option<u64>) {
        let timed = probe || self.config.keeps_time();
        let id = self.note(timed.then_some(now), probe);
        if let Some(call) = self.calls.last_mut() {
            call.pending = self.config.overdue.is_some();
            call.tracked = self.config.keeps_in_flight();
        }
        let bucket = self.overdue_bucket(now).unwrap_or(0);
        self.overdue_newest = self.overdue_newest.max(bucket);
        (Answer::Admitted { probe }, Some(id))
    }

    fn note(&mut self, started: Option<Duration>, probe: bool) -> u64 {
        let (id, epoch) = (self.next_id, self.epoch);
        self.next_id += 1;
        self.calls.push(Call {
            id,
            epoch,
            started,
            took: None,
            watch: None,
            probe,
            pending: false,
            tracked: false,
        });
        id
    }

    /// The guarded service failed before it was called: a call of which nothing is known but that.
    pub(crate) fn admit_unready(&mut self, now: Duration) -> (Answer, Option<u64>) {
        match self.phase {
            Phase::Closed | Phase::Ramp { .. } => {
                (Answer::Admitted { probe: false }, Some(self.note(None, false)))
            }
            _ => self.admit(now),
        }
    }

    /// How long the next call is rejected, if it is. Does what is due. Nobody knows it of a ramp.
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
            Phase::Probing => !self.takes_probe_of_caller(),
        };
        rejects.then(|| self.wait_of_rejection(now))
    }

    /// Rejects a call that was told to be rejected before it was made, for so long.
    pub(crate) fn reject(&mut self, wait: Option<Duration>) -> Answer {
        self.totals.rejected += 1;
        match self.phase {
            Phase::Open | Phase::Probing | Phase::ForcedOpen => self.rejection(wait),
            // It may come back at once.
            Phase::Closed | Phase::Ramp { .. } | Phase::Disabled => {
                self.rejection(Some(Duration::ZERO))
            }
        }
    }

    /// A probe that is nobody's request.
    pub(crate) fn admit_health_check(&mut self, now: Duration) -> Option<u64> {
        let at = self.work_at(now);
        self.lapse(at);
        self.half_open_if_due(at);
        if self.phase != Phase::Probing || self.places() == 0 {
            return None;
        }
        let (_, id) = self.give(now, true);
        let id = id?;
        self.leases.push(Lease { id, ends: at + self.config.lease });
        Some(id)
    }

    pub(crate) fn set_canary(&mut self, health_check: bool) {
        self.health_check = health_check;
    }

    /// How many more probes may start: of a sample, none that cannot matter.
    pub(super) fn places(&self) -> u32 {
        let most = match self.config.verdict {
            Verdict::Successes(_) => self.config.probes,
            Verdict::Sample { calls, .. } => {
                let judged = self.probe_successes + self.probe_failures;
                self.config.probes.min(calls.saturating_sub(judged))
            }
        };
        most.saturating_sub(self.leases.len() as u32)
    }

    fn takes_probe_of_caller(&self) -> bool {
        !self.health_check && self.places() > 0
    }

    pub(super) fn first_lease_end(&self) -> Option<Duration> {
        self.leases.iter().map(|lease| lease.ends).min()
    }

    /// The wait of a rejection that a deadline to come decides.
    fn deadline_ahead(&self, now: Duration) -> Option<Option<Duration>> {
        // Nothing moves back.
        let now = now.max(self.seen);
        let ahead = |until: Duration| (now < until).then(|| until - now);
        match self.phase {
            Phase::Open => ahead(self.open_until).map(Some),
            Phase::ForcedOpen => match self.forced_until {
                None => Some(None),
                Some(until) => ahead(until).map(Some),
            },
            Phase::Probing if !self.takes_probe_of_caller() => {
                let left = ahead(self.first_lease_end()?)?;
                Some(Some(left.min(self.config.nominal(0))))
            }
            _ => None,
        }
    }

    /// The wait of a rejection, once all that is due is done.
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

    fn rejection(&self, wait: Option<Duration>) -> Answer {
        let cause: Cause = self.trip_cause;
        Answer::Rejected { state: self.phase.state(), cause, wait }
    }

    /// The share of calls that pass now.
    fn ramp_percent(&self, since: Duration, now: Duration) -> u64 {
        let Some((steps, step)) = &self.config.ramp else { return 100 };
        let at = now.saturating_sub(since).as_nanos() / step.as_nanos();
        let percent = usize::try_from(at).ok().and_then(|at| steps.get(at));
        percent.map_or(100, |percent| u64::from(*percent))
    }
}
