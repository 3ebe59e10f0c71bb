//! Who may go.

use std::time::{Duration, Instant};

use crate::machine::core::{AskCooldown, Core, OwnCooldown, ServerWait};
use crate::machine::gate::{NEVER, Phase, Word};
use crate::machine::half_open::{Judged, ramp_admits};
use crate::machine::totals::Count;
use crate::machine::view::Transitions;
use crate::machine::{Lazy, Machine};
use crate::outcome::Class;
use crate::state::{Cause, State};
use crate::trip::rules::{Grew, nanos};

/// What an admitted call carries: the epoch it belongs to, when it started, what it has to give back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(super) epoch: u64,
    /// Nanoseconds of the machine; [`NEVER`] where no rule asks.
    pub(super) started: u64,
    pub(super) kind: Kind,
    /// Counted in flight.
    pub(super) tracked: bool,
    /// Counted by the overdue rule.
    pub(super) pending: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Counts.
    Counted,
    /// Holds a lease.
    Probe(u32),
    /// Counts nowhere.
    Inert,
}

impl Grant {
    const INERT: Self =
        Self { epoch: 0, started: NEVER, kind: Kind::Inert, tracked: false, pending: false };

    fn counted(epoch: u64) -> Self {
        Self { epoch, started: NEVER, kind: Kind::Counted, tracked: false, pending: false }
    }

    pub(crate) fn is_probe(&self) -> bool {
        matches!(self.kind, Kind::Probe(_))
    }

    pub(crate) fn is_inert(&self) -> bool {
        self.kind == Kind::Inert
    }
}

/// The answer to "may this call go?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Admitted(Grant),
    Rejected {
        state: State,
        /// Why the circuit opened.
        cause: Cause,
        retry_after: Option<Duration>,
    },
}

impl Machine {
    /// Asks for a permit.
    #[inline]
    pub(crate) fn admit(&self, now: impl FnOnce() -> Instant) -> (Admission, Transitions) {
        let word = self.gate.word();
        if word.phase() == Phase::Closed {
            let flags = self.params.flags();
            if flags.admits_freely() {
                let grant = Grant::counted(word.epoch());
                return (Admission::Admitted(grant), Transitions::default());
            }
        }
        self.admit_with_care(word, self.lazy(now))
    }

    /// Whether [`admit`](Self::admit) would reject now. Changes nothing; another thread may be faster.
    #[inline]
    pub(crate) fn would_reject(&self, now: impl FnOnce() -> Instant) -> bool {
        let word = self.gate.word();
        match word.phase() {
            Phase::Closed | Phase::Disabled | Phase::Ramp => false,
            _ if word.shadow() => false,
            // The clock need not be read for what never ends.
            Phase::ForcedOpen if self.gate.until(word) == Some(NEVER) => true,
            Phase::Open | Phase::Probing | Phase::ForcedOpen => {
                let mut now = self.lazy(now);
                self.closed_gate(word, &mut now).is_some() || self.would_reject_locked(now.get())
            }
        }
    }

    /// A rejection whatever the state is now: for a call whose service was told that it would be rejected, and was
    /// therefore never polled.
    pub(crate) fn reject(&self, now: impl FnOnce() -> Instant) -> (State, Cause, Option<Duration>) {
        self.counters.count(Count::Rejected);
        let word = self.gate.word();
        let mut now = self.lazy(now);
        match word.phase() {
            Phase::Open | Phase::Probing | Phase::ForcedOpen => {
                match self.closed_gate(word, &mut now) {
                    Some(Admission::Rejected { state, cause, retry_after }) => {
                        (state, cause, retry_after)
                    }
                    // A probe may go by now: at once.
                    _ => (word.phase().state(), word.cause(), Some(Duration::ZERO)),
                }
            }
            phase => (phase.state(), word.cause(), Some(Duration::ZERO)),
        }
    }

    #[cold]
    fn would_reject_locked(&self, now: u64) -> bool {
        let core = self.core.lock();
        let settings = &core.settings;
        match core.phase {
            Phase::Closed | Phase::Disabled => false,
            Phase::Open => now < core.open_until,
            Phase::ForcedOpen => now < core.forced_until || now < core.open_until,
            Phase::Probing => {
                let expired = core.half_open.expired(now);
                match core.half_open.after_failures(&settings.probe, expired) {
                    Judged::Reopens => true,
                    _ => core.half_open.free(&settings.probe) == 0 && expired == 0,
                }
            }
            // Who passes is decided call by call, by asking.
            Phase::Ramp => false,
        }
    }

    /// A rejection that needs no lock: the time of the gate has not come.
    #[inline]
    fn closed_gate<F: FnOnce() -> Instant>(
        &self,
        word: Word,
        now: &mut Lazy<F>,
    ) -> Option<Admission> {
        let until = self.gate.until(word)?;
        let phase = word.phase();
        let left = match until {
            0 => return None,
            NEVER => None,
            until => {
                let left = until.checked_sub(now.get()).filter(|left| *left > 0)?;
                Some(Duration::from_nanos(match phase {
                    Phase::Probing => left.min(self.params.first_cooldown()),
                    _ => left,
                }))
            }
        };
        Some(Admission::Rejected { state: phase.state(), cause: word.cause(), retry_after: left })
    }

    /// Everything but a Closed in which nothing is to be noted.
    fn admit_with_care<F: FnOnce() -> Instant>(
        &self,
        word: Word,
        mut now: Lazy<F>,
    ) -> (Admission, Transitions) {
        let (admission, transitions) = match word.phase() {
            Phase::Closed | Phase::Ramp => self.admit_unless_overdue(word, &mut now),
            Phase::Disabled => (Admission::Admitted(Grant::INERT), Transitions::default()),
            _ => match self.closed_gate(word, &mut now) {
                Some(rejected) => (rejected, Transitions::default()),
                None => self.admit_locked(&mut now),
            },
        };
        match admission {
            Admission::Admitted(grant) => {
                (Admission::Admitted(self.note_start(grant, &mut now)), transitions)
            }
            // Whoever rejects in shadow only says so. A rule that fired on this very admission counts, too.
            Admission::Rejected { .. } if self.gate.word().shadow() => {
                self.counters.count(Count::WouldReject);
                (Admission::Admitted(Grant::INERT), transitions)
            }
            Admission::Rejected { .. } => {
                self.counters.count(Count::Rejected);
                (admission, transitions)
            }
        }
    }

    /// The admission on which the rule of overdue calls fires is rejected.
    fn admit_unless_overdue<F: FnOnce() -> Instant>(
        &self,
        word: Word,
        now: &mut Lazy<F>,
    ) -> (Admission, Transitions) {
        let mut transitions = match self.params.flags().overdue() {
            true => self.ask_overdue(word, now.get()),
            false => Transitions::default(),
        };
        if transitions.is_empty() && word.phase() == Phase::Closed {
            return (Admission::Admitted(Grant::counted(word.epoch())), transitions);
        }
        let (admission, more) = self.admit_locked(now);
        transitions.extend(more);
        (admission, transitions)
    }

    fn note_start<F: FnOnce() -> Instant>(&self, mut grant: Grant, now: &mut Lazy<F>) -> Grant {
        if grant.is_inert() {
            return grant;
        }
        let flags = self.params.flags();
        if flags.timed() || grant.is_probe() {
            grant.started = now.get();
        }
        if flags.overdue() {
            grant.pending = true;
            self.overdue.start(grant.epoch, self.params.overdue(grant.epoch), grant.started);
        }
        if flags.tracks() {
            grant.tracked = true;
            self.counters.start();
        }
        grant
    }

    /// Asks the rule of overdue calls, at most once per part of its time.
    pub(super) fn ask_overdue(&self, word: Word, now: u64) -> Transitions {
        let flags = self.params.flags();
        let epoch = word.epoch();
        if !flags.overdue() || !self.overdue.due(self.params.overdue(epoch), now) {
            return Transitions::default();
        }
        let grew = Grew { overdue: true, ..Grew::default() };
        self.judge(epoch, flags, None, grew, || now, ServerWait::NONE)
    }

    fn admit_locked<F: FnOnce() -> Instant>(&self, now: &mut Lazy<F>) -> (Admission, Transitions) {
        let now = now.get();
        self.locked(|core, own| {
            let now = core.clamp(now);
            let mut transitions = self.lapse(core, now, own)?;
            if core.phase == Phase::Open && now >= core.open_until {
                let window = self.window_at(core.epoch, now);
                transitions.push(core.begin(Phase::Probing, Cause::CooldownElapsed, now, window));
            }
            Ok((core.admit(now), transitions))
        })
    }

    /// Does what time alone has made due.
    pub(super) fn lapse(
        &self,
        core: &mut Core,
        now: u64,
        own: Option<OwnCooldown>,
    ) -> Result<Transitions, AskCooldown> {
        let mut transitions = Transitions::default();
        match core.phase {
            Phase::ForcedOpen if now >= core.forced_until => {
                let window = self.window_at(core.epoch, now);
                transitions.push(core.release(Cause::ForceOpenExpired, now, window));
            }
            Phase::Probing if core.half_open.expired(now) > 0 => {
                let probe = core.settings.probe;
                let expired = core.half_open.expired(now);
                match core.half_open.after_failures(&probe, expired) {
                    Judged::Reopens => {
                        let planned = core.plan_cooldown(now, own)?;
                        let window = self.window_at(core.epoch, now);
                        let wait = ServerWait::NONE;
                        transitions.push(core.trip(
                            Cause::LeaseExpired,
                            now,
                            planned,
                            wait,
                            window,
                        ));
                    }
                    Judged::Recovers => {
                        let window = self.window_at(core.epoch, now);
                        core.half_open.expire(now);
                        transitions.extend(core.recover(now, window));
                    }
                    Judged::Undecided => core.half_open.expire(now),
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

impl ServerWait {
    /// Nobody asked for anything.
    pub(super) const NONE: Self = Self { class: Class::Success, asked: None };
}

impl Core {
    /// The answer, once everything that was due is done.
    fn admit(&mut self, now: u64) -> Admission {
        match self.phase {
            Phase::Closed => Admission::Admitted(Grant::counted(self.epoch)),
            Phase::Disabled => Admission::Admitted(Grant::INERT),
            Phase::Open => self.reject(Some(self.open_until.saturating_sub(now))),
            Phase::ForcedOpen => {
                let left =
                    (self.forced_until != NEVER).then(|| self.forced_until.saturating_sub(now));
                self.reject(left)
            }
            Phase::Probing if self.half_open.free(&self.settings.probe) > 0 => {
                let ends = now.saturating_add(nanos(self.settings.probe.lease));
                let serial = self.half_open.lease(ends);
                let grant = Grant { kind: Kind::Probe(serial), ..Grant::counted(self.epoch) };
                Admission::Admitted(grant)
            }
            Phase::Probing => {
                let first = nanos(self.settings.cooldown.nominal(0));
                let left =
                    self.half_open.first_end().map(|ends| ends.saturating_sub(now).min(first));
                self.reject(left)
            }
            Phase::Ramp => {
                let percent = self.ramp_percent(now);
                match &mut self.half_open.ramp {
                    Some(ramp) => {
                        let admitted = ramp_admits(ramp.asked, percent);
                        ramp.asked += 1;
                        if admitted {
                            Admission::Admitted(Grant::counted(self.epoch))
                        } else {
                            self.reject(None)
                        }
                    }
                    None => Admission::Admitted(Grant::counted(self.epoch)),
                }
            }
        }
    }

    /// The share of calls that the ramp lets through now.
    fn ramp_percent(&self, now: u64) -> u8 {
        let (Some(ramp), Some(settings)) = (self.half_open.ramp, &self.settings.ramp) else {
            return 100;
        };
        let step = now.saturating_sub(ramp.since) / nanos(settings.step).max(1);
        usize::try_from(step).ok().and_then(|step| settings.steps.get(step)).copied().unwrap_or(100)
    }

    fn reject(&self, left: Option<u64>) -> Admission {
        let (word, _) = self.gate();
        Admission::Rejected {
            state: self.phase.state(),
            cause: word.cause(),
            retry_after: left.map(Duration::from_nanos),
        }
    }
}
