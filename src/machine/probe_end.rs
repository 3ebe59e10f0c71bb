//! How a probe ended.

use crate::machine::Machine;
use crate::machine::core::{CallbackCooldown, Core, NeedsCallback};
use crate::machine::flags::Flags;
use crate::machine::gate::Phase;
use crate::machine::grant::PermitState;
use crate::machine::half_open::ProbeDecision;
use crate::machine::settle::{Settled, Verdict};
use crate::machine::totals::Count;
use crate::machine::view::{Transitions, WindowSnapshot};
use crate::outcome::Class;
use crate::state::Cause;

impl Machine {
    #[cold]
    pub(super) fn settle_probe(
        &self,
        grant: &PermitState,
        verdict: &Verdict<'_>,
        flags: Flags,
        now: &mut impl FnMut() -> u64,
    ) -> Settled {
        self.note_error(verdict);
        let at = now();
        let (settled, ended) = self.locked(|core, own| {
            let now = core.clamp(at);
            if core.epoch != grant.epoch() {
                let freed = core.raise_late(verdict.wait(), now);
                return Ok((Settled { freed, ..Settled::default() }, ProbeEnd::Late));
            }
            // A lease that has ended is a failed probe, whatever comes after.
            let transitions = self.lapse(core, now, own)?;
            let serial = grant.serial();
            if !core.half_open.is_in_time(serial, now) {
                // A ramp does not end leases: nobody waits for them.
                core.half_open.give_back(serial, None);
                core.raise_late(verdict.wait(), now);
                return Ok((Settled { transitions, freed: true, decided: false }, ProbeEnd::Late));
            }
            // Another probe has closed the circuit, by and by: this is a call of the ramp.
            if core.phase == Phase::Ramp {
                core.half_open.give_back(serial, None);
                return Ok((Settled { transitions, freed: true, decided: true }, ProbeEnd::InRamp));
            }
            let decided = verdict.of_probe() == Some(true);
            let mut settled = Settled { transitions, freed: true, decided };
            let window = || self.window_at(grant.epoch(), now);
            core.end_probe(serial, verdict, now, own, window, &mut settled.transitions)?;
            Ok((settled, ProbeEnd::InTime))
        });
        match ended {
            ProbeEnd::InTime => self.count(verdict),
            ProbeEnd::Late => self.counters.count(Count::Late),
            ProbeEnd::InRamp => {
                let settled = self.settle_counted(grant, verdict, flags, now);
                return Settled { decided: true, ..settled };
            }
        }
        settled
    }
}

/// Where a probe's result went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProbeEnd {
    /// Into the verdict.
    InTime,
    /// Nowhere.
    Late,
    /// Nowhere yet: it is a call of a ramp.
    InRamp,
}

impl Verdict<'_> {
    /// Whether a probe that ended like this succeeded; `None` if it says nothing.
    pub(super) fn of_probe(&self) -> Option<bool> {
        match self.class {
            Class::Ignored => None,
            _ if self.slow => Some(false),
            Class::Success => Some(true),
            Class::Failure | Class::Throttled | Class::Exhausted => Some(false),
            Class::Cancelled => None,
        }
    }
}

impl Core {
    fn end_probe(
        &mut self,
        serial: u32,
        verdict: &Verdict<'_>,
        now: u64,
        own: Option<CallbackCooldown>,
        window: impl FnOnce() -> WindowSnapshot,
        transitions: &mut Transitions,
    ) -> Result<(), NeedsCallback> {
        let probe = self.settings.probe;
        let success = verdict.of_probe();
        let judged = match success {
            Some(true) => self.half_open.after_success(&probe),
            Some(false) => self.half_open.after_failures(&probe, 1),
            None => ProbeDecision::Undecided,
        };
        if success == Some(false) && judged != ProbeDecision::Reopens {
            // Its wait is the floor of the next Open, if there is one before a close.
            self.raise(verdict.wait(), now);
        }
        match judged {
            ProbeDecision::Undecided => self.half_open.give_back(serial, success),
            ProbeDecision::Reopens => {
                let planned = self.plan_cooldown(now, own)?;
                transitions.push(self.trip(
                    Cause::ProbeFailed,
                    now,
                    planned,
                    verdict.wait(),
                    window(),
                ));
            }
            ProbeDecision::Recovers => {
                self.half_open.give_back(serial, success);
                transitions.extend(self.recover(now, window()));
            }
        }
        Ok(())
    }
}
