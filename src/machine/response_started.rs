//! Calls whose response starts before they end.

use std::time::Instant;

use crate::machine::Machine;
use crate::machine::gate::PhaseTag;
use crate::machine::permit_state::PermitState;
use crate::machine::settle::{CallResult, Settled};
use crate::machine::totals::Count;
use crate::machine::units::{Epoch, Nanos};
use crate::outcome::Outcome;

impl Machine {
    /// Records that the response has started. The time of the call ends. A probe succeeds, and its permit becomes the
    /// body tail.
    pub(crate) fn response_started(
        &self,
        mut permit: PermitState,
        now: impl FnOnce() -> Instant,
    ) -> (PermitState, Settled) {
        if permit.is_inert() || permit.is_tail() {
            return (permit, Settled::default());
        }
        if permit.is_probe() {
            return self.probe_response_started(permit, now);
        }
        if permit.is_timed() {
            if permit.is_pending() {
                self.finish_pending(&permit);
            }
            permit.start_response(self.nanos_at(now()));
        }
        (permit, Settled::default())
    }

    /// Returns the permit without its time, for a call whose duration says nothing about the dependency.
    #[cfg(feature = "http")]
    pub(crate) fn without_time(&self, mut permit: PermitState) -> PermitState {
        if permit.is_pending() {
            self.finish_pending(&permit);
        }
        permit.forget_time();
        permit
    }

    fn probe_response_started(
        &self,
        permit: PermitState,
        now: impl FnOnce() -> Instant,
    ) -> (PermitState, Settled) {
        let settled = self.settle(permit, Outcome::success(), now);
        if !settled.probe_succeeded {
            // The probe was late or slow. Its body decides nothing.
            return (PermitState::inert(), settled);
        }
        // The epoch stays the same if more probes are needed.
        let epoch = settled.transitions.last_epoch().map_or(permit.epoch(), Epoch::from_u64);
        (PermitState::tail(epoch), settled)
    }

    /// Settles the body tail of a probe that succeeded when its response started.
    #[cold]
    pub(super) fn settle_tail(
        &self,
        permit: &PermitState,
        outcome: &Outcome,
        now: &mut impl FnMut() -> Nanos,
    ) -> Settled {
        let word = self.gate.word();
        let (epoch, flags) = (permit.epoch(), word.flags());
        let result = self.result_of(permit, outcome, flags, now);
        if !result.is_bad() {
            return Settled::default();
        }
        self.counters.count(Count::BrokenAfter);
        if word.epoch() != epoch {
            return self.take_late_wait(&result, now);
        }
        match word.phase() {
            PhaseTag::Closed | PhaseTag::Ramp => self.record(epoch, &result, flags, now),
            _ => self.revoke_success(epoch, &result, now),
        }
    }

    /// Turns the success of a probe into a failure, in a half-open period that is not decided yet.
    fn revoke_success(
        &self,
        epoch: Epoch,
        result: &CallResult<'_>,
        now: &mut impl FnMut() -> Nanos,
    ) -> Settled {
        self.note_error(result);
        let wait = result.wait();
        self.settle_in(epoch, wait, now(), |state, now, callback, settled| {
            let window = || self.window_at(epoch, now);
            let (freed, changed) = state.revoke_success(wait, now, callback, window)?;
            settled.freed = freed;
            settled.transitions.extend(changed);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;
