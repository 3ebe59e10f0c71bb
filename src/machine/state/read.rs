//! Read access to the state.

use std::time::Instant;

use super::{Locked, Phase};
use crate::machine::flags::Flags;
use crate::machine::gate::GateWord;
use crate::machine::snapshot::{Snapshot, WindowSnapshot};
use crate::machine::totals::Totals;
use crate::machine::units::{Epoch, Nanos};
use crate::outcome::LastError;
use crate::settings::Settings;
use crate::state::{Mode, State};

impl Locked {
    pub(in crate::machine) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(in crate::machine) fn mode(&self) -> Mode {
        self.mode
    }

    pub(in crate::machine) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(in crate::machine) fn flags(&self) -> Flags {
        self.flags
    }

    /// Returns whether the rules count calls in this phase.
    pub(in crate::machine) fn is_counting(&self) -> bool {
        matches!(self.phase, Phase::Closed | Phase::Ramp(_))
    }

    /// Returns the latest time that was seen under the lock.
    pub(in crate::machine) fn seen(&self) -> Nanos {
        self.seen
    }

    /// Returns the word of the gate and the time until which the gate rejects calls; zero if the lock must be taken.
    pub(in crate::machine) fn gate(&self) -> (GateWord, Nanos) {
        let until = match &self.phase {
            Phase::Open => self.open_until,
            Phase::ForcedOpen { until } => until.unwrap_or(Nanos::NEVER),
            Phase::Probing(half_open) if !self.probes_calls(half_open) => {
                half_open.first_end().unwrap_or(Nanos::ZERO)
            }
            Phase::Closed | Phase::Probing(_) | Phase::Ramp(_) | Phase::Disabled => Nanos::ZERO,
        };
        let shadow = self.mode == Mode::Shadow;
        (GateWord::new(self.epoch, self.phase.tag(), shadow, self.trip_cause, self.flags), until)
    }

    pub(in crate::machine) fn instant(&self, at: Nanos) -> Instant {
        self.base.checked_add(at.to_duration()).unwrap_or(self.base)
    }

    /// Returns the state that the next call meets.
    pub(in crate::machine) fn state_at(&self, now: Nanos) -> State {
        match &self.phase {
            Phase::Open if now >= self.open_until => State::HalfOpen,
            Phase::ForcedOpen { until: Some(until) } if now >= *until => {
                if now >= self.open_until {
                    State::HalfOpen
                } else {
                    State::Open
                }
            }
            Phase::Ramp(ramp) if now >= ramp.end(self.settings.ramp.as_ref()) => State::Closed,
            phase => phase.tag().state(),
        }
    }

    /// Returns when time alone changes the state or a reading of it.
    pub(in crate::machine) fn deadline(&self) -> Option<Nanos> {
        match &self.phase {
            Phase::Open => Some(self.open_until),
            Phase::ForcedOpen { until } => *until,
            Phase::Probing(half_open) => half_open.first_end(),
            Phase::Ramp(ramp) => Some(ramp.end(self.settings.ramp.as_ref())),
            Phase::Closed | Phase::Disabled => None,
        }
    }

    /// Returns until when calls are rejected.
    fn rejects_until(&self, now: Nanos) -> Option<Nanos> {
        match self.phase {
            Phase::Open => Some(self.open_until),
            // After its end, a forced open reads like the open period that follows.
            Phase::ForcedOpen { until: Some(until) } if now >= until => {
                Some(self.open_until.max(until))
            }
            Phase::ForcedOpen { until } => until,
            Phase::Closed | Phase::Probing(_) | Phase::Ramp(_) | Phase::Disabled => None,
        }
    }

    pub(in crate::machine) fn snapshot(
        &self,
        now: Nanos,
        window: WindowSnapshot,
        totals: Totals,
        last_error: Option<LastError>,
    ) -> Snapshot {
        Snapshot {
            breaker: self.name.clone(),
            state: self.state_at(now),
            mode: self.mode,
            epoch: self.epoch.get(),
            since: self.instant(self.since),
            until: self.rejects_until(now).map(|until| self.instant(until)),
            asked_until: (self.asked_until > now).then(|| self.instant(self.asked_until)),
            cause: self.cause,
            attempt: self.attempt.unwrap_or(0),
            probes: self.phase.leases().map_or(0, |leases| leases.count()),
            window,
            in_flight: totals.admitted.map(|admitted| admitted - totals.settled()),
            totals,
            last_error,
        }
    }
}
