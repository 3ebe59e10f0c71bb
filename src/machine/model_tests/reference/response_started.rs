//! Calls whose response starts before they end.

use std::time::Duration;

use crate::outcome::{Class, Outcome};
use crate::state::Cause;

use super::due::Decision;
use super::settle::{Ended, is_hold};
use super::{Phase, Reference};

impl Reference {
    /// Records the start of a response, with which a probe succeeds. Returns whether something is left to settle: a
    /// probe leaves a tail only if it succeeded.
    pub(crate) fn response_started(&mut self, id: u64, now: Duration) -> bool {
        let at = self.calls.iter().position(|call| call.id == id).expect("a call in flight");
        let call = &mut self.calls[at];
        if call.tail.is_some() {
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
        let slow = self.result_of(call, Outcome::success(), now).slow;
        let in_ramp = matches!(self.phase, Phase::Ramp { .. });
        self.settle(id, Outcome::success(), now);
        let succeeded = self.totals.success > successes && (in_ramp || !slow);
        if succeeded {
            let tail = Some(self.epoch);
            let (started, took) = (None, None);
            let (pending, tracked) = (false, false);
            self.calls.push(super::Call { started, took, tail, pending, tracked, ..call });
        }
        succeeded
    }

    /// Ends the body of a probe that had succeeded.
    pub(super) fn end_tail(&mut self, epoch: u64, ended: Ended, now: Duration) {
        if ended.class != Class::Failure && !is_hold(ended.class) {
            return;
        }
        self.totals.broken_after += 1;
        if epoch != self.epoch {
            return self.take_late_wait(ended, now);
        }
        if matches!(self.phase, Phase::Closed | Phase::Ramp { .. }) {
            return self.record(ended, now);
        }
        self.note_error(ended);
        let at = self.work_at(now);
        self.lapse(at);
        if epoch != self.epoch || self.phase != Phase::Probing {
            return self.raise_late(ended.wait, at);
        }
        // The success becomes a failure.
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
