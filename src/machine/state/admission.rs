//! The admission of calls under the lock, after the transitions that are due by time alone.

use super::{Locked, Phase};
use crate::machine::half_open::HalfOpen;
use crate::machine::permit_state::{Admission, PermitState, Rejection};
use crate::machine::units::Nanos;
use crate::state::Mode;

impl Locked {
    /// Admits or rejects a call.
    pub(in crate::machine) fn admit(&mut self, now: Nanos) -> Admission {
        let permit = match &mut self.phase {
            Phase::Closed => Some(PermitState::counted(self.epoch)),
            Phase::Disabled => Some(PermitState::inert()),
            Phase::Open | Phase::ForcedOpen { .. } => None,
            Phase::Probing(_) => (self.health_checks == 0).then(|| self.lease(now)).flatten(),
            Phase::Ramp(ramp) => ramp
                .admit(self.settings.ramp.as_ref(), now)
                .then(|| PermitState::counted(self.epoch)),
        };
        permit.map_or_else(|| Admission::Rejected(self.rejection(now)), Admission::Admitted)
    }

    /// Starts a probe, if the circuit is half-open and another probe may start.
    pub(in crate::machine) fn lease(&mut self, now: Nanos) -> Option<PermitState> {
        let probe = &self.settings.probe;
        let Phase::Probing(half_open) = &mut self.phase else { return None };
        let serial = (half_open.free(probe) > 0)
            .then(|| half_open.lease(now.after(Nanos::from_duration(probe.lease))))?;
        Some(PermitState::probe(self.epoch, serial))
    }

    /// Returns whether a call may be the next probe: another probe may start, and no health check runs.
    pub(super) fn probes_calls(&self, half_open: &HalfOpen) -> bool {
        self.health_checks == 0 && half_open.free(&self.settings.probe) > 0
    }

    /// Returns the rejection that the next call would get. Returns `None` during a ramp, which decides call by call,
    /// and in shadow, which rejects nothing.
    pub(in crate::machine) fn would_reject(&self, now: Nanos) -> Option<Rejection> {
        let rejects = match &self.phase {
            Phase::Closed | Phase::Disabled | Phase::Ramp(_) => false,
            Phase::Open => now < self.open_until || self.health_checks > 0,
            Phase::ForcedOpen { .. } => true,
            Phase::Probing(half_open) => !self.probes_calls(half_open),
        };
        (rejects && self.mode != Mode::Shadow).then(|| self.rejection(now))
    }

    fn rejection(&self, now: Nanos) -> Rejection {
        let probed_by = now.after(Nanos::from_duration(self.settings.cooldown.nominal(0)));
        let until = match &self.phase {
            Phase::Open if now < self.open_until => Some(self.open_until),
            Phase::ForcedOpen { until } => *until,
            // A probe is in flight or about to start. The first cooldown is the upper bound of the wait.
            Phase::Open => Some(probed_by),
            Phase::Probing(half_open) => {
                Some(half_open.first_end().map_or(probed_by, |ends| ends.min(probed_by)))
            }
            Phase::Closed | Phase::Ramp(_) | Phase::Disabled => None,
        };
        let wait = until.map_or(Nanos::NEVER, |until| until.since(now));
        Rejection { word: self.gate().0, wait }
    }

    pub(in crate::machine) fn has_health_check(&self) -> bool {
        self.health_checks > 0
    }

    /// Counts a health check that begins or ends. While one runs, no call is used as a probe.
    pub(in crate::machine) fn count_health_check(&mut self, begins: bool) {
        if begins {
            self.health_checks += 1;
        } else {
            self.health_checks -= 1;
        }
    }
}
