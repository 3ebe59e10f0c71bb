//! The ends of probes: which results count, and the decisions that follow.

use super::{CallbackCooldown, Locked, NeedsCallback, Phase, ServerWait};
use crate::machine::half_open::ProbeDecision;
use crate::machine::snapshot::{Transition, WindowSnapshot};
use crate::machine::units::Nanos;
use crate::state::Cause;

/// How the result of a probe counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::machine) enum ProbeEnd {
    /// A result of the half-open period.
    InTime,
    /// A late result, which decides nothing.
    Late,
    /// A call of the ramp, which another probe started.
    InRamp,
}

impl Locked {
    /// Ends a probe of the current epoch. `success` is `None` if its result says nothing about the dependency.
    pub(in crate::machine) fn end_probe(
        &mut self,
        serial: u32,
        success: Option<bool>,
        wait: ServerWait,
        now: Nanos,
        callback: Option<CallbackCooldown>,
        window: impl FnOnce() -> WindowSnapshot,
    ) -> Result<(ProbeEnd, Option<Transition>), NeedsCallback> {
        let half_open = match &mut self.phase {
            Phase::Probing(half_open) if half_open.leases().is_in_time(serial, now) => half_open,
            phase => {
                let in_ramp = phase.leases().is_some_and(|leases| leases.is_in_time(serial, now));
                if let Some(leases) = phase.leases_mut() {
                    // A ramp does not remove the leases that end.
                    leases.give_back(serial);
                }
                if in_ramp {
                    return Ok((ProbeEnd::InRamp, None));
                }
                self.raise_late(wait, now);
                return Ok((ProbeEnd::Late, None));
            }
        };
        let decision = match success {
            Some(true) => half_open.after_success(&self.settings.probe),
            Some(false) => half_open.after_failures(&self.settings.probe, 1),
            None => ProbeDecision::Undecided,
        };
        if decision == ProbeDecision::Reopens {
            let cooldown = self.plan_cooldown(now, callback)?;
            let opened = self.trip(Cause::ProbeFailed, now, cooldown, wait, window());
            return Ok((ProbeEnd::InTime, Some(opened)));
        }
        half_open.end_probe(serial, success);
        if success == Some(false) {
            // If the circuit opens before it closes, the open period lasts at least that long.
            self.raise(wait, now);
        }
        let closed = match decision {
            ProbeDecision::Recovers => self.recover(now, window),
            ProbeDecision::Undecided | ProbeDecision::Reopens => None,
        };
        Ok((ProbeEnd::InTime, closed))
    }

    /// Turns a probe's success into a failure, because its body broke. Also returns whether waiters must check again.
    pub(in crate::machine) fn revoke_success(
        &mut self,
        wait: ServerWait,
        now: Nanos,
        callback: Option<CallbackCooldown>,
        window: impl FnOnce() -> WindowSnapshot,
    ) -> Result<(bool, Option<Transition>), NeedsCallback> {
        let Phase::Probing(half_open) = &mut self.phase else {
            // Another probe started the ramp in the meantime.
            return Ok((self.raise_late(wait, now), None));
        };
        if half_open.after_failures(&self.settings.probe, 1) == ProbeDecision::Reopens {
            let cooldown = self.plan_cooldown(now, callback)?;
            return Ok((true, Some(self.trip(Cause::ProbeFailed, now, cooldown, wait, window()))));
        }
        half_open.revoke_success();
        self.raise(wait, now);
        Ok((true, None))
    }

    /// Counts the probes whose leases have ended as failed, and evaluates the half-open period.
    pub(super) fn end_leases(
        &mut self,
        now: Nanos,
        callback: Option<CallbackCooldown>,
        window: impl FnOnce() -> WindowSnapshot,
    ) -> Result<Option<Transition>, NeedsCallback> {
        let Phase::Probing(half_open) = &mut self.phase else { return Ok(None) };
        let expired = half_open.expired(now);
        let decision = half_open.after_failures(&self.settings.probe, expired);
        if decision == ProbeDecision::Reopens {
            let cooldown = self.plan_cooldown(now, callback)?;
            let cause = if expired > 0 { Cause::LeaseExpired } else { Cause::ProbeFailed };
            return Ok(Some(self.trip(cause, now, cooldown, ServerWait::NONE, window())));
        }
        half_open.expire(now);
        Ok(match decision {
            ProbeDecision::Recovers => self.recover(now, window),
            ProbeDecision::Undecided | ProbeDecision::Reopens => None,
        })
    }
}
