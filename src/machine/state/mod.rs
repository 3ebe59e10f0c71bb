//! The state of a breaker and every transition between its phases.
//!
//! All of it is behind the machine's lock. Each transition is a method of [`Locked`] in this file:
//!
//! | from | to | method | when |
//! |---|---|---|---|
//! | Closed, Probing, Ramp | Open | [`trip`](Locked::trip) | a rule fires, or too many probes fail |
//! | Closed, Ramp | Open | [`hold`](Locked::hold) | the server asks for a pause |
//! | Open | Probing | [`half_open_if_due`](Locked::half_open_if_due) | a call comes after the cooldown and all holds |
//! | Probing | Ramp, Closed | [`recover`](Locked::recover) | enough probes succeed |
//! | Ramp | Closed | [`lapse`](Locked::lapse) | the last step ends |
//! | ForcedOpen | Open | [`release`](Locked::release) | an operator releases it, or its time ends |
//! | any | any | [`manual`](Locked::manual) | an operator uses the handle |
//!
//! A transition that begins a new epoch returns a [`Transition`]. Only the step from Probing to Ramp stays in its
//! epoch. Nothing here runs user code or wakes a task; that happens after the lock is released.

mod admission;
mod locked;
mod probing;
mod read;
mod waits;

use std::mem;
use std::sync::Arc;
use std::time::Duration;

pub(super) use locked::Locked;
pub(super) use probing::ProbeEnd;
pub(super) use waits::{CallbackCooldown, NeedsCallback, NextCooldown, ServerWait};

use crate::machine::gate::PhaseTag;
use crate::machine::half_open::{HalfOpen, Leases, RampProgress};
use crate::machine::last_error::LastErrorBits;
use crate::machine::snapshot::{Transition, WindowSnapshot};
use crate::machine::units::Nanos;
use crate::state::{Cause, Mode};

/// The phase of the breaker, with the data that only this phase has.
#[derive(Debug)]
enum Phase {
    /// Calls pass, and the rules count them.
    Closed,
    /// Calls are rejected until [`Locked::open_until`].
    Open,
    /// Half-open: a few probes pass, and their results decide.
    Probing(HalfOpen),
    /// Half-open: a growing share of the calls passes.
    Ramp(RampProgress),
    /// Calls are rejected until an operator releases the breaker or `until` has come.
    ForcedOpen { until: Option<Nanos> },
    /// Calls pass, and nothing is counted.
    Disabled,
}

impl Phase {
    fn tag(&self) -> PhaseTag {
        match self {
            Self::Closed => PhaseTag::Closed,
            Self::Open => PhaseTag::Open,
            Self::Probing(_) => PhaseTag::Probing,
            Self::Ramp(_) => PhaseTag::Ramp,
            Self::ForcedOpen { .. } => PhaseTag::ForcedOpen,
            Self::Disabled => PhaseTag::Disabled,
        }
    }

    fn leases(&self) -> Option<&Leases> {
        match self {
            Self::Probing(half_open) => Some(half_open.leases()),
            Self::Ramp(ramp) => Some(ramp.leases()),
            Self::Closed | Self::Open | Self::ForcedOpen { .. } | Self::Disabled => None,
        }
    }

    fn leases_mut(&mut self) -> Option<&mut Leases> {
        match self {
            Self::Probing(half_open) => Some(half_open.leases_mut()),
            Self::Ramp(ramp) => Some(ramp.leases_mut()),
            Self::Closed | Self::Open | Self::ForcedOpen { .. } | Self::Disabled => None,
        }
    }
}

/// An action of an operator.
///
/// Each begins a new epoch, except [`Release`](Self::Release) if there is nothing to release, and
/// [`HoldFor`](Self::HoldFor) if the breaker is open, forced open or disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    ForceOpen(Option<Duration>),
    Release,
    ForceClosed,
    Disable,
    Shadow,
    Reset,
    HoldFor(Duration),
}

impl Locked {
    /// Begins a new epoch in `phase`. `due_since` is the time from which it could have begun.
    fn begin(
        &mut self,
        phase: Phase,
        cause: Cause,
        now: Nanos,
        due_since: Option<Nanos>,
        window: WindowSnapshot,
    ) -> Transition {
        let from = self.phase.tag().state();
        if let Some(leases) = self.phase.leases_mut() {
            self.spare_leases = mem::take(leases).cleared();
        }
        self.phase = phase;
        self.epoch = self.epoch.next();
        self.since = now;
        self.cause = cause;
        let open_until = match self.phase {
            Phase::Closed => {
                self.open_until = Nanos::ZERO;
                self.asked_until = Nanos::ZERO;
                None
            }
            Phase::Open => {
                self.trip_cause = cause;
                Some(self.open_until)
            }
            Phase::ForcedOpen { until } => {
                self.trip_cause = cause;
                until
            }
            Phase::Probing(_) | Phase::Ramp(_) | Phase::Disabled => None,
        };
        Transition {
            breaker: Arc::clone(&self.name),
            epoch: self.epoch.get(),
            from,
            to: self.phase.tag().state(),
            mode: self.mode,
            cause,
            at: self.instant(now),
            due_since: due_since.map(|due| self.instant(due)),
            open_for: open_until.map(|until| until.since(now).to_duration()),
            attempt: self.attempt.unwrap_or(0),
            window,
            last_error: self.last_error.error(),
        }
    }

    /// Opens the circuit for a cooldown, or for as long as the server asked if that is longer.
    pub(super) fn trip(
        &mut self,
        cause: Cause,
        now: Nanos,
        cooldown: NextCooldown,
        wait: ServerWait,
        window: WindowSnapshot,
    ) -> Transition {
        self.take_cooldown(cooldown, now);
        self.raise(wait, now);
        self.begin(Phase::Open, cause, now, None, window)
    }

    /// Opens a circuit in which no rule fired, because the server asked for a pause. Returns `None` if the wait is
    /// shorter than the minimum.
    pub(super) fn hold(
        &mut self,
        wait: ServerWait,
        now: Nanos,
        window: impl FnOnce() -> WindowSnapshot,
    ) -> Option<Transition> {
        let cause = self.cause_of_hold(wait)?;
        self.forget_attempts_if_stable(now);
        self.raise(wait, now);
        Some(self.begin(Phase::Open, cause, now, None, window()))
    }

    /// Begins the half-open period if the circuit is open and the cooldown and all holds have ended.
    pub(super) fn half_open_if_due(
        &mut self,
        now: Nanos,
        window: impl FnOnce() -> WindowSnapshot,
    ) -> Option<Transition> {
        let due = self.open_until;
        if !matches!(self.phase, Phase::Open) || now < due {
            return None;
        }
        let probing = Phase::Probing(HalfOpen::new(mem::take(&mut self.spare_leases)));
        Some(self.begin(probing, Cause::CooldownElapsed, now, Some(due), window()))
    }

    /// Closes the circuit, or starts the ramp if the settings have one. The ramp belongs to the same epoch.
    fn recover(
        &mut self,
        now: Nanos,
        window: impl FnOnce() -> WindowSnapshot,
    ) -> Option<Transition> {
        if self.settings.ramp.is_some() {
            let leases = self.phase.leases_mut().map(mem::take).unwrap_or_default();
            self.phase = Phase::Ramp(RampProgress::new(now, leases));
            return None;
        }
        Some(self.begin(Phase::Closed, Cause::Recovered, now, None, window()))
    }

    /// Makes the transition that is due by time alone: ends a forced open, expired leases or a ramp.
    ///
    /// An open period that is over stays open until a call comes.
    pub(super) fn lapse(
        &mut self,
        now: Nanos,
        callback: Option<CallbackCooldown>,
        window: impl FnOnce() -> WindowSnapshot,
    ) -> Result<Option<Transition>, NeedsCallback> {
        match &self.phase {
            Phase::ForcedOpen { until: Some(until) } if now >= *until => {
                let due = Some(*until);
                Ok(Some(self.release(Cause::ForceOpenExpired, now, due, window())))
            }
            Phase::Probing(half_open) if half_open.is_due(&self.settings.probe, now) => {
                self.end_leases(now, callback, window)
            }
            Phase::Ramp(ramp) => {
                let end = ramp.end(self.settings.ramp.as_ref());
                if now < end {
                    return Ok(None);
                }
                self.attempt = None;
                Ok(Some(self.begin(Phase::Closed, Cause::Recovered, now, Some(end), window())))
            }
            _ => Ok(None),
        }
    }

    /// Ends a forced open. The circuit is open until every wait is over; then a probe decides.
    fn release(
        &mut self,
        cause: Cause,
        now: Nanos,
        due_since: Option<Nanos>,
        window: WindowSnapshot,
    ) -> Transition {
        self.mode = Mode::Normal;
        self.open_until = self.open_until.max(now);
        self.begin(Phase::Open, cause, now, due_since, window)
    }

    /// Executes a manual operation.
    pub(super) fn manual(
        &mut self,
        verb: Verb,
        now: Nanos,
        window: WindowSnapshot,
    ) -> Option<Transition> {
        self.forget_attempts_if_stable(now);
        let (phase, mode, cause) = match verb {
            Verb::ForceOpen(time) => {
                let until = time.map(|time| now.after(Nanos::from_duration(time)));
                (Phase::ForcedOpen { until }, Mode::ForcedOpen, Cause::ForceOpen)
            }
            Verb::Release => match self.mode {
                Mode::Normal => return None,
                Mode::ForcedOpen => return Some(self.release(Cause::Release, now, None, window)),
                Mode::Disabled | Mode::Shadow => (Phase::Closed, Mode::Normal, Cause::Release),
            },
            Verb::ForceClosed => {
                self.attempt = None;
                (Phase::Closed, Mode::Normal, Cause::ForceClosed)
            }
            Verb::Disable => (Phase::Disabled, Mode::Disabled, Cause::Disable),
            Verb::Shadow => (Phase::Closed, Mode::Shadow, Cause::Shadow),
            Verb::Reset => {
                self.attempt = None;
                self.last_error = LastErrorBits::default();
                (Phase::Closed, Mode::Normal, Cause::Reset)
            }
            Verb::HoldFor(time) => {
                if matches!(self.phase, Phase::Disabled) {
                    return None;
                }
                self.open_until = self.open_until.max(now.after(Nanos::from_duration(time)));
                if matches!(self.phase, Phase::Open | Phase::ForcedOpen { .. }) {
                    return None;
                }
                (Phase::Open, self.mode, Cause::Hold)
            }
        };
        self.mode = mode;
        let transition = self.begin(phase, cause, now, None, window);
        if verb == Verb::Reset {
            // A reset breaker reads like a new one.
            self.cause = Cause::Start;
            self.trip_cause = Cause::Start;
        }
        Some(transition)
    }
}
