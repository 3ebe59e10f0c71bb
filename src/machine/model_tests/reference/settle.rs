//! The settlement of calls.

use std::time::Duration;

use crate::outcome::{Class, Outcome};
use crate::state::Cause;

use super::config::Throttled;
use super::due::Decision;
use super::rules::Grew;
use super::window::Kind;
use super::{Call, Phase, Reference, Wait};

/// The outcome of a call under the current settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) class: Class,
    weight: u64,
    code: Option<u16>,
    pub(super) slow: bool,
    /// Whether the server asked for a wait, even if the settings ignore it.
    asked: bool,
    pub(super) wait: Option<Wait>,
}

impl Reference {
    /// Settles the call with this number.
    pub(crate) fn settle(&mut self, id: u64, outcome: Outcome, now: Duration) {
        let at = self.calls.iter().position(|call| call.id == id).expect("a call in flight");
        let call = self.calls.remove(at);
        let ended = self.result_of(call, outcome, now);
        if let Some(epoch) = call.tail {
            self.end_tail(epoch, ended, now);
        } else if call.epoch != self.epoch {
            self.totals.late += 1;
            self.take_late_wait(ended, now);
        } else if call.probe {
            self.end_probe(call, ended, now);
        } else {
            self.count(ended, now);
        }
    }

    /// Applies the wait of a call whose epoch is over.
    pub(super) fn take_late_wait(&mut self, ended: Ended, now: Duration) {
        if ended.asked || ended.wait.is_some() || is_hold(ended.class) {
            let now = self.work_at(now);
            self.raise_late(ended.wait, now);
        }
    }

    pub(super) fn result_of(&self, call: Call, outcome: Outcome, now: Duration) -> Ended {
        let running = call.started.map(|started| now.saturating_sub(started));
        let took = call.took.or(running);
        let lasted = |limit: Option<Duration>| {
            limit.is_some_and(|limit| took.is_some_and(|took| took >= limit))
        };
        let class = match (outcome.class(), self.config.throttled) {
            (Class::Throttled, Throttled::CountAsFailure) => Class::Failure,
            (Class::Throttled, Throttled::Ignore) => Class::Ignored,
            (Class::Cancelled, _) if lasted(self.config.cancelled_after) => Class::Failure,
            (class, _) => class,
        };
        Ended {
            class,
            weight: outcome.failure_weight().into(),
            code: outcome.status(),
            slow: lasted(self.config.slow.map(|rule| rule.after)),
            asked: outcome.wait().is_some(),
            wait: self.wait(class, outcome.wait()),
        }
    }

    /// Returns the wait that the server asked for, or its default.
    fn wait(&self, class: Class, asked: Option<Duration>) -> Option<Wait> {
        let config = &self.config;
        let (asked, cap) = match class {
            Class::Failure => (asked?, config.max_hold),
            Class::Throttled => (asked.or(config.default_hold)?, config.max_hold),
            Class::Exhausted => (asked.unwrap_or(config.exhausted_hold), config.exhausted_max),
            Class::Success | Class::Ignored | Class::Cancelled => return None,
        };
        Some(Wait { asked, cap })
    }

    /// Counts a call of a closed circuit or of a ramp.
    fn count(&mut self, ended: Ended, now: Duration) {
        self.totals.count(ended.class);
        self.record(ended, now);
    }

    /// Records a call of a closed circuit or of a ramp for the rules.
    pub(super) fn record(&mut self, ended: Ended, now: Duration) {
        let Ended { class, weight, slow, wait, .. } = ended;
        self.note_error(ended);
        let kind = match class {
            Class::Success => Kind::Success,
            Class::Failure => Kind::Failure { weight },
            Class::Cancelled if slow => Kind::Cancelled,
            Class::Throttled | Class::Exhausted => return self.hold(class, wait, now),
            Class::Ignored | Class::Cancelled => return,
        };
        let failed = class == Class::Failure;
        if failed && self.config.keeps_streak() {
            self.streak.push(now);
        }
        if class == Class::Success {
            self.streak.clear();
        }
        self.window.add(&self.config, now, kind, slow);
        if failed || slow {
            self.evaluate(now, Grew { failures: failed, slow, overdue: false }, wait);
        }
    }

    /// Settles a throttled or exhausted call. It is in no rate and no streak, but may open the circuit.
    fn hold(&mut self, class: Class, wait: Option<Wait>, now: Duration) {
        let now = self.work_at(now);
        let epoch = self.epoch;
        self.lapse(now);
        if self.epoch != epoch {
            return self.raise_late(wait, now);
        }
        if wait.is_none_or(|wait| wait.asked < self.config.min_hold) {
            return;
        }
        self.forget_attempts_if_stable(now);
        let window = self.window_view(now);
        self.raise(wait, now);
        let cause = if class == Class::Exhausted { Cause::Exhausted } else { Cause::Throttled };
        self.begin(Phase::Open, cause, now, window, None);
    }

    pub(super) fn end_probe(&mut self, call: Call, ended: Ended, now: Duration) {
        self.note_error(ended);
        let at = self.work_at(now);
        self.lapse(at);
        let in_time = self.leases.iter().any(|lease| lease.id == call.id && lease.ends > at);
        self.leases.retain(|lease| lease.id != call.id);
        if !in_time {
            self.totals.late += 1;
            return self.raise_late(ended.wait, at);
        }
        if let Phase::Ramp { .. } = self.phase {
            // Another probe started the ramp in the meantime. This is a call of the ramp.
            return self.count(ended, now);
        }
        self.totals.count(ended.class);
        let failed = match ended.class {
            Class::Ignored => return,
            Class::Failure | Class::Throttled | Class::Exhausted => true,
            Class::Success | Class::Cancelled if ended.slow => true,
            Class::Success => false,
            Class::Cancelled => return,
        };
        if failed {
            self.probe_failures += 1;
        } else {
            self.probe_successes += 1;
        }
        let window = self.window_view(at);
        match (self.decision(), failed) {
            (Decision::Reopen, _) => self.trip(Cause::ProbeFailed, at, ended.wait, window),
            (decision, failed) => {
                if failed {
                    // The earliest end of the next open period. A close clears it.
                    self.raise(ended.wait, at);
                }
                if decision == Decision::Recover {
                    self.recover(at);
                }
            }
        }
    }

    pub(super) fn note_error(&mut self, ended: Ended) {
        if ended.class == Class::Failure || is_hold(ended.class) {
            self.last_error = Some((ended.class, ended.code));
        }
    }
}

pub(super) fn is_hold(class: Class) -> bool {
    matches!(class, Class::Throttled | Class::Exhausted)
}
