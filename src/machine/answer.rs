//! The answer to a caller, once everything that was due is done.

use crate::machine::core::Core;
use crate::machine::gate::{NEVER, Phase};
use crate::machine::grant::{Admission, PermitState, Rejection};
use crate::machine::half_open::{Ramping, ramp_admits};
use crate::state::Mode;
use crate::trip::rules::nanos;

impl Core {
    /// The answer, once everything that was due is done.
    pub(super) fn admit(&mut self, now: u64) -> Admission {
        let granted = match self.phase {
            Phase::Closed => PermitState::counted(self.epoch),
            Phase::Disabled => PermitState::inert(),
            Phase::Open | Phase::ForcedOpen => return Admission::Rejected(self.refuse(now)),
            Phase::Probing if self.probes_callers() => self.lease(now),
            Phase::Probing => return Admission::Rejected(self.refuse(now)),
            Phase::Ramp => {
                let percent = self.ramp_percent(now);
                let ramp = self.half_open.ramp.get_or_insert(Ramping { since: now, asked: 0 });
                ramp.asked += 1;
                if !ramp_admits(ramp.asked - 1, percent) {
                    return Admission::Rejected(self.refuse(now));
                }
                PermitState::counted(self.epoch)
            }
        };
        Admission::Admitted(granted)
    }

    /// Begins a probe.
    pub(super) fn lease(&mut self, now: u64) -> PermitState {
        let ends = now.saturating_add(nanos(self.settings.probe.lease));
        PermitState::probe(self.epoch, self.half_open.lease(ends))
    }

    /// The rejection that the next call meets, if it does, once everything that was due is done; but for those of a
    /// ramp.
    pub(super) fn rejection(&self, now: u64) -> Option<Rejection> {
        let rejects = match self.phase {
            Phase::Closed | Phase::Disabled | Phase::Ramp => false,
            Phase::Open => now < self.open_until || self.health_checks > 0,
            Phase::ForcedOpen => true,
            Phase::Probing => !self.probes_callers(),
        };
        (rejects && self.mode != Mode::Shadow).then(|| self.refuse(now))
    }

    /// The share of calls that the ramp lets through now.
    pub(super) fn ramp_percent(&self, now: u64) -> u8 {
        let (Some(ramp), Some(settings)) = (self.half_open.ramp, &self.settings.ramp) else {
            return 100;
        };
        let step = now.saturating_sub(ramp.since) / nanos(settings.step).max(1);
        usize::try_from(step).ok().and_then(|step| settings.steps.get(step)).copied().unwrap_or(100)
    }

    pub(super) fn refuse(&self, now: u64) -> Rejection {
        let first = now.saturating_add(nanos(self.settings.cooldown.nominal(0)));
        let until = match self.phase {
            Phase::Open if now < self.open_until => Some(self.open_until),
            Phase::ForcedOpen => (self.forced_until != NEVER).then_some(self.forced_until),
            // Somebody probes, or will in a moment.
            Phase::Open | Phase::Probing => {
                Some(self.half_open.first_end().map_or(first, |ends| ends.min(first)))
            }
            Phase::Closed | Phase::Ramp | Phase::Disabled => None,
        };
        let wait = until.map_or(NEVER, |until| until.saturating_sub(now));
        Rejection { word: self.gate().0, wait }
    }
}
