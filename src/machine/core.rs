//! The state itself, and how it changes. Everything here runs under the machine's lock and calls nobody.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::backoff::{FOREVER, Random};
use crate::machine::flags::Flags;
use crate::machine::gate::{NEVER, Phase, Word};
use crate::machine::half_open::{HalfOpen, Ramping};
use crate::machine::last_error::LastErrorBits;
use crate::machine::settings::Settings;
use crate::machine::view::{Transition, WindowSnapshot};
use crate::machine::waits::ServerWait;
use crate::state::{Cause, Mode, State};
use crate::trip::rules::nanos;

/// The locked part of the machine. Times are nanoseconds since `base`.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) name: Arc<str>,
    pub(crate) base: Instant,
    pub(crate) settings: Settings,
    pub(crate) flags: Flags,
    pub(crate) phase: Phase,
    pub(crate) mode: Mode,
    pub(crate) epoch: u64,
    pub(crate) since: u64,
    pub(crate) cause: Cause,
    /// Why the circuit last opened: what rejections tell.
    trip_cause: Cause,
    /// The floor of every Open; forgotten on close.
    pub(crate) open_until: u64,
    pub(crate) asked_until: u64,
    /// When a forced open ends by itself.
    pub(crate) forced_until: u64,
    /// The number of the last cooldown; `None` before the first.
    pub(crate) attempt: Option<u32>,
    last_cooldown: u64,
    pub(crate) half_open: HalfOpen,
    /// Somebody probes in the background: no caller's request does.
    pub(crate) health_checks: u32,
    pub(crate) last_error: LastErrorBits,
    pub(super) random: Random,
    /// The latest time that was seen here: nothing moves back.
    seen: u64,
    /// The user's cooldown function replaces the settings' formula.
    callback_cooldown: bool,
}

/// The user's cooldown function has to be asked, outside the lock, for this attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NeedsCallback(pub(crate) u32);

/// What the user's function answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallbackCooldown {
    pub(crate) attempt: u32,
    /// `None`: it panicked, and the settings' formula stands in.
    pub(crate) wait: Option<Duration>,
}

/// A cooldown that was worked out before anything is changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NextCooldown {
    attempt: u32,
    wait: Duration,
}

impl Core {
    pub(crate) fn new(
        name: Arc<str>,
        settings: Settings,
        base: Instant,
        seed: u64,
        callback_cooldown: bool,
        flags: Flags,
    ) -> Self {
        let mut half_open = HalfOpen::default();
        half_open.reserve(&settings.probe);
        Self {
            name,
            base,
            random: Random::new(settings.seed.unwrap_or(seed)),
            settings,
            flags,
            phase: Phase::Closed,
            mode: Mode::Normal,
            epoch: 1,
            since: 0,
            cause: Cause::Start,
            trip_cause: Cause::Start,
            open_until: 0,
            asked_until: 0,
            forced_until: NEVER,
            attempt: None,
            last_cooldown: 0,
            half_open,
            health_checks: 0,
            last_error: LastErrorBits::default(),
            seen: 0,
            callback_cooldown,
        }
    }

    /// A time that is never earlier than the one before.
    pub(crate) fn clamp(&mut self, now: u64) -> u64 {
        self.seen = self.seen.max(now);
        self.seen
    }

    /// The latest time that was seen here.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    /// The word for the gate, and its time.
    pub(crate) fn gate(&self) -> (Word, u64) {
        let shadow = self.mode == Mode::Shadow;
        let until = match self.phase {
            Phase::Open => self.open_until,
            Phase::ForcedOpen => self.forced_until,
            Phase::Probing if !self.probes_callers() => self.half_open.first_end().unwrap_or(0),
            Phase::Closed | Phase::Probing | Phase::Ramp | Phase::Disabled => 0,
        };
        (Word::new(self.epoch, self.phase, shadow, self.trip_cause, self.flags), until)
    }

    /// Whether a caller's request may be the next probe of this half-open period.
    pub(crate) fn probes_callers(&self) -> bool {
        self.health_checks == 0 && self.half_open.free(&self.settings.probe) > 0
    }

    pub(crate) fn instant(&self, at: u64) -> Instant {
        self.base.checked_add(Duration::from_nanos(at)).unwrap_or(self.base)
    }

    /// Begins a new epoch.
    pub(crate) fn begin(
        &mut self,
        phase: Phase,
        cause: Cause,
        now: u64,
        window: WindowSnapshot,
    ) -> Transition {
        let from = self.phase.state();
        let due = match self.phase {
            Phase::Open if phase == Phase::Probing => Some(self.open_until),
            Phase::ForcedOpen if cause == Cause::ForceOpenExpired => Some(self.forced_until),
            Phase::Ramp if cause == Cause::Recovered => Some(self.ramp_end()),
            _ => None,
        };
        self.phase = phase;
        self.epoch += 1;
        self.since = now;
        self.cause = cause;
        self.half_open.clear();
        let open_until = match phase {
            Phase::Closed => {
                self.open_until = 0;
                self.asked_until = 0;
                None
            }
            Phase::Open => {
                self.trip_cause = cause;
                Some(self.open_until)
            }
            Phase::ForcedOpen => {
                self.trip_cause = cause;
                (self.forced_until != NEVER).then_some(self.forced_until)
            }
            Phase::Probing | Phase::Ramp | Phase::Disabled => None,
        };
        Transition {
            breaker: Arc::clone(&self.name),
            epoch: self.epoch,
            from,
            to: phase.state(),
            mode: self.mode,
            cause,
            at: self.instant(now),
            due_since: due.map(|due| self.instant(due)),
            open_for: open_until.map(|until| Duration::from_nanos(until.saturating_sub(now))),
            attempt: self.attempt.unwrap_or(0),
            window,
            last_error: self.last_error.error(),
        }
    }

    /// The next cooldown, without taking it: nothing has changed if the user's function has to be asked first.
    pub(crate) fn plan_cooldown(
        &mut self,
        now: u64,
        own: Option<CallbackCooldown>,
    ) -> Result<NextCooldown, NeedsCallback> {
        self.forget_attempts_if_stable(now);
        let attempt = self.attempt.map_or(0, |last| last.saturating_add(1));
        let cooldown = self.settings.cooldown;
        let nominal = match own {
            Some(own) if own.attempt == attempt => own.wait.unwrap_or(cooldown.nominal(attempt)),
            _ if self.callback_cooldown => return Err(NeedsCallback(attempt)),
            _ => cooldown.nominal(attempt),
        };
        let wait = if self.callback_cooldown {
            // The function is the maximum, too.
            cooldown.max(FOREVER).finish(nominal, &mut self.random)
        } else {
            cooldown.finish(nominal, &mut self.random)
        };
        Ok(NextCooldown { attempt, wait })
    }

    /// As if nothing had ever happened.
    pub(crate) fn forget_cause(&mut self) {
        self.cause = Cause::Start;
        self.trip_cause = Cause::Start;
    }

    /// A Closed that is left after it has lasted starts the attempts anew, whatever ends it.
    pub(crate) fn forget_attempts_if_stable(&mut self, now: u64) {
        if self.phase == Phase::Closed && now.saturating_sub(self.since) >= self.stable_for() {
            self.attempt = None;
        }
    }

    fn stable_for(&self) -> u64 {
        self.settings.stable_for.map_or(self.last_cooldown, nanos)
    }

    /// Opens the circuit for a cooldown, or for as long as the server asked if that is longer.
    pub(crate) fn trip(
        &mut self,
        cause: Cause,
        now: u64,
        planned: NextCooldown,
        wait: ServerWait,
        window: WindowSnapshot,
    ) -> Transition {
        let cooldown = nanos(planned.wait);
        self.attempt = Some(planned.attempt);
        self.last_cooldown = cooldown;
        self.open_until = self.open_until.max(now.saturating_add(cooldown));
        self.raise(wait, now);
        self.begin(Phase::Open, cause, now, window)
    }

    /// Enough probes succeeded: the circuit closes, or its traffic returns step by step.
    pub(crate) fn recover(&mut self, now: u64, window: WindowSnapshot) -> Option<Transition> {
        if self.settings.ramp.is_some() {
            // The leases stay: what ends after its own is late, in a ramp too.
            self.half_open.ramp = Some(Ramping { since: now, asked: 0 });
            self.phase = Phase::Ramp;
            return None;
        }
        Some(self.begin(Phase::Closed, Cause::Recovered, now, window))
    }

    /// When the ramp ends; at once if the settings no longer have one.
    pub(crate) fn ramp_end(&self) -> u64 {
        let since = self.half_open.ramp.map_or(0, |ramp| ramp.since);
        let length = self
            .settings
            .ramp
            .as_ref()
            .map_or(0, |ramp| nanos(ramp.step).saturating_mul(ramp.steps.len() as u64));
        since.saturating_add(length)
    }

    /// What the next call meets, without changing anything.
    pub(crate) fn state_at(&self, now: u64) -> State {
        match self.phase {
            Phase::Open if now >= self.open_until => State::HalfOpen,
            Phase::ForcedOpen if now >= self.forced_until => {
                if now >= self.open_until {
                    State::HalfOpen
                } else {
                    State::Open
                }
            }
            Phase::Ramp if now >= self.ramp_end() => State::Closed,
            phase => phase.state(),
        }
    }

    /// When time alone changes what is read or what should happen.
    pub(crate) fn deadline(&self) -> Option<u64> {
        match self.phase {
            Phase::Open => Some(self.open_until),
            Phase::ForcedOpen => (self.forced_until != NEVER).then_some(self.forced_until),
            Phase::Probing => self.half_open.first_end(),
            Phase::Ramp => Some(self.ramp_end()),
            Phase::Closed | Phase::Disabled => None,
        }
    }
}
