//! Calls whose answer has begun before they end.

use std::time::Duration;

use crate::outcome::{Class, Outcome};
use crate::state::Cause;

use super::due::Decision;
use super::settle::{Ended, is_hold};
use super::{Phase, Reference};

impl Reference {
    /// The answer of a call has begun. Whether the call goes on: a probe has succeeded, and only one that did is watched.
    pub(crate) fn answered(&mut self, id: u64, now: Duration) -> bool {
        let at = self.calls.iter().position(|call| call.id == id).expect("a call in flight");
        let call = &mut self.calls[at];
        if call.watch.is_some() {
            return true;
        }
        if !call.probe {
            if let (Some(started), None) = (call.started, call.took) {
                call.took = Some(now.saturating_sub(started));
                call.pending = false;
            }
            return true;
        }
        let call = *call;
        let successes = self.totals.success;
        let slow = self.weigh(call, Outcome::success(), now).slow;
        let in_ramp = matches!(self.phase, Phase::Ramp { .. });
        self.settle(id, Outcome::success(), now);
        let succeeded = self.totals.success > successes && (in_ramp || !slow);
        if succeeded {
            let watch = Some(self.epoch);
            let (started, took) = (None, None);
            let (pending, tracked) = (false, false);
            self.calls.push(super::Call { started, took, watch, pending, tracked, ..call });
        }
        succeeded
    }

    /// The body of a probe that had succeeded has ended.
    pub(super) fn end_watch(&mut self, epoch: u64, ended: Ended, now: Duration) {
        if ended.class != Class::Failure && !is_hold(ended.class) {
            return;
        }
        self.totals.broken_after += 1;
        if epoch != self.epoch {
            return self.too_late(ended, now);
        }
        if matches!(self.phase, Phase::Closed | Phase::Ramp { .. }) {
            return self.tell_rules(ended, now);
        }
        self.note_error(ended);
        let at = self.work_at(now);
        self.lapse(at);
        if epoch != self.epoch || self.phase != Phase::Probing {
            return self.raise_late(ended.wait, at);
        }
        // It has failed after all.
        self.probe_successes = self.probe_successes.saturating_sub(1);
        self.probe_failures += 1;
        match self.decision() {
            Decision::Reopen => {
                let window = self.window_view(at);
                self.trip(Cause::ProbeFailed, at, ended.wait, window);
            }
            _ => self.raise(ended.wait, at),
        }
    }
}
