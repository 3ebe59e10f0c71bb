//! Calls whose answer has begun before they end.

use std::time::Instant;

use crate::machine::Machine;
use crate::machine::core::{CallbackCooldown, Core, NeedsCallback};
use crate::machine::gate::Phase;
use crate::machine::grant::PermitState;
use crate::machine::half_open::ProbeDecision;
use crate::machine::settle::{Settled, Verdict};
use crate::machine::totals::Count;
use crate::machine::view::{Transitions, WindowSnapshot};
use crate::outcome::{Class, Outcome};
use crate::state::Cause;

impl Machine {
    /// The answer has begun: the time of the call ends. A probe has succeeded by that; what is left of it is a watch.
    pub(crate) fn answered(
        &self,
        mut grant: PermitState,
        now: impl FnOnce() -> Instant,
    ) -> (PermitState, Settled) {
        if grant.is_inert() || grant.is_watch() {
            return (grant, Settled::default());
        }
        if grant.is_probe() {
            return self.probe_answered(grant, now);
        }
        if grant.is_timed() {
            if grant.is_pending() {
                let grid = self.params.overdue(grant.epoch());
                self.overdue.finish(grant.epoch(), grid, grant.started);
            }
            grant.answer(self.nanos_at(now()));
        }
        (grant, Settled::default())
    }

    /// The same call without its time, for whoever knows that it says nothing.
    #[cfg(feature = "http")]
    pub(crate) fn untimed(&self, mut grant: PermitState) -> PermitState {
        if grant.is_pending() {
            let grid = self.params.overdue(grant.epoch());
            self.overdue.finish(grant.epoch(), grid, grant.started);
        }
        grant.forget_time();
        grant
    }

    fn probe_answered(
        &self,
        grant: PermitState,
        now: impl FnOnce() -> Instant,
    ) -> (PermitState, Settled) {
        let settled = self.settle(grant, Outcome::success(), now);
        if !settled.decided {
            // It was late: nothing followed from it, and nothing follows from its end.
            return (PermitState::inert(), settled);
        }
        // Where another probe is needed, no epoch has followed.
        let epoch = settled.transitions.last_epoch().unwrap_or(grant.epoch());
        (PermitState::watch(epoch), settled)
    }

    /// The body of a probe that had succeeded has ended.
    #[cold]
    pub(super) fn settle_watch(
        &self,
        grant: &PermitState,
        outcome: &Outcome,
        now: &mut impl FnMut() -> u64,
    ) -> Settled {
        let word = self.gate.word();
        let verdict = self.weigh(grant, outcome, word.flags(), now);
        if !matches!(verdict.class, Class::Failure | Class::Throttled | Class::Exhausted) {
            return Settled::default();
        }
        self.counters.count(Count::BrokenAfter);
        if word.epoch() != grant.epoch() {
            return self.raise_late(&verdict, now);
        }
        match word.phase() {
            Phase::Closed | Phase::Ramp => {
                self.tell_rules(grant.epoch(), &verdict, word.flags(), now)
            }
            _ => self.take_probe_back(grant.epoch(), &verdict, now),
        }
    }

    /// The success is one no more, and the period of its probe goes on.
    fn take_probe_back(
        &self,
        epoch: u64,
        verdict: &Verdict<'_>,
        now: &mut impl FnMut() -> u64,
    ) -> Settled {
        self.note_error(verdict);
        self.settle_in(epoch, verdict.wait(), now(), |core, now, own, settled| {
            if core.phase != Phase::Probing {
                // Another probe has closed the circuit, by and by, since it was read.
                settled.freed = core.raise_late(verdict.wait(), now);
                return Ok(());
            }
            let window = || self.window_at(epoch, now);
            core.take_probe_back(verdict, now, own, window, &mut settled.transitions)?;
            settled.freed = true;
            Ok(())
        })
    }
}

impl Core {
    fn take_probe_back(
        &mut self,
        verdict: &Verdict<'_>,
        now: u64,
        own: Option<CallbackCooldown>,
        window: impl FnOnce() -> WindowSnapshot,
        transitions: &mut Transitions,
    ) -> Result<(), NeedsCallback> {
        if self.half_open.after_failures(&self.settings.probe, 1) == ProbeDecision::Reopens {
            let planned = self.plan_cooldown(now, own)?;
            let wait = verdict.wait();
            transitions.push(self.trip(Cause::ProbeFailed, now, planned, wait, window()));
        } else {
            self.half_open.take_back();
            self.raise(verdict.wait(), now);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
