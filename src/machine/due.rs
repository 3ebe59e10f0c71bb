//! What time alone makes due.

use std::time::Instant;

use crate::machine::Machine;
use crate::machine::core::{CallbackCooldown, Core, NeedsCallback};
use crate::machine::gate::{Phase, Word};
use crate::machine::half_open::ProbeDecision;
use crate::machine::view::{Transition, Transitions};
use crate::machine::waits::ServerWait;
use crate::state::Cause;
use crate::trip::overdue;
use crate::trip::rules::Grew;

impl Machine {
    /// When time alone may change something, for whoever waits on the handle. `None`: not before a call.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        let now = self.nanos_at(now);
        let core = self.core.lock();
        let overdue = match core.phase {
            Phase::Closed | Phase::Ramp => self.overdue_deadline(core.epoch, now),
            _ => None,
        };
        let next = core.deadline().into_iter().chain(overdue).filter(|at| *at > now).min();
        next.map(|at| core.instant(at))
    }

    /// When the rule of overdue calls has to be asked again. While nothing is pending, nothing that starts later can
    /// be overdue before its whole time is over: a start wakes nobody.
    pub(super) fn overdue_deadline(&self, epoch: u64, now: u64) -> Option<u64> {
        if !self.gate.word().flags().overdue() {
            return None;
        }
        let grid = self.params.overdue(epoch);
        let ticks = if self.overdue.pending(epoch) > 0 { 1 } else { overdue::PARTS };
        Some((grid.tick(now) + ticks).saturating_mul(grid.width.max(1)))
    }

    /// Does what time alone has made due: a lease, a ramp or a forced open that ended, calls that are overdue. An
    /// Open past its deadline is none of these: a call has to come.
    pub(crate) fn tick(&self, now: Instant) -> Transitions {
        let now = self.nanos_at(now);
        let word = self.gate.word();
        if let Phase::Closed | Phase::Ramp = word.phase() {
            let transitions = self.ask_overdue(word, || now);
            if word.phase() == Phase::Closed || !transitions.is_empty() {
                return transitions;
            }
        }
        self.locked(|core, own| {
            let now = core.clamp(now);
            self.lapse(core, now, own)
        })
    }

    /// Asks the rule of overdue calls, at most once per part of its time.
    pub(super) fn ask_overdue(&self, word: Word, now: impl FnOnce() -> u64) -> Transitions {
        let flags = word.flags();
        if !flags.overdue() {
            return Transitions::default();
        }
        let (epoch, now) = (word.epoch(), now());
        if !self.overdue.due(self.params.overdue(epoch), now) {
            return Transitions::default();
        }
        let grew = Grew { overdue: true, ..Grew::default() };
        self.evaluate(epoch, flags, None, grew, || now, ServerWait::NONE).transitions
    }

    pub(super) fn half_open_if_due(&self, core: &mut Core, now: u64) -> Option<Transition> {
        (core.phase == Phase::Open && now >= core.open_until).then(|| {
            let window = self.window_at(core.epoch, now);
            core.begin(Phase::Probing, Cause::CooldownElapsed, now, window)
        })
    }

    /// Does what time alone has made due.
    pub(super) fn lapse(
        &self,
        core: &mut Core,
        now: u64,
        own: Option<CallbackCooldown>,
    ) -> Result<Transitions, NeedsCallback> {
        let mut transitions = Transitions::default();
        match core.phase {
            Phase::ForcedOpen if now >= core.forced_until => {
                let window = self.window_at(core.epoch, now);
                transitions.push(core.release(Cause::ForceOpenExpired, now, window));
            }
            Phase::Probing if core.half_open.is_due(&core.settings.probe, now) => {
                let probe = core.settings.probe;
                let expired = core.half_open.expired(now);
                match core.half_open.after_failures(&probe, expired) {
                    ProbeDecision::Reopens => {
                        let planned = core.plan_cooldown(now, own)?;
                        let window = self.window_at(core.epoch, now);
                        let wait = ServerWait::NONE;
                        let cause =
                            if expired > 0 { Cause::LeaseExpired } else { Cause::ProbeFailed };
                        transitions.push(core.trip(cause, now, planned, wait, window));
                    }
                    ProbeDecision::Recovers => {
                        let window = self.window_at(core.epoch, now);
                        core.half_open.expire(now);
                        transitions.extend(core.recover(now, window));
                    }
                    ProbeDecision::Undecided => core.half_open.expire(now),
                }
            }
            Phase::Ramp if now >= core.ramp_end() => {
                let window = self.window_at(core.epoch, now);
                core.attempt = None;
                transitions.push(core.begin(Phase::Closed, Cause::Recovered, now, window));
            }
            _ => {}
        }
        Ok(transitions)
    }
}

#[cfg(test)]
mod tests;
