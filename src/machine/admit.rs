//! Who may go.

use std::time::Instant;

use crate::machine::core::{AskCooldown, Core, OwnCooldown, ServerWait};
use crate::machine::gate::{NEVER, Phase, Word};
use crate::machine::half_open::{Judged, Ramping, ramp_admits};
use crate::machine::totals::Count;
use crate::machine::view::{Transition, Transitions};
use crate::machine::{Lazy, Machine};
use crate::outcome::Class;
use crate::state::{Cause, Mode, State};
use crate::trip::rules::{Grew, nanos};

/// What an admitted call carries: the epoch it belongs to, when it started, what it has to give back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(super) epoch: u64,
    /// Nanoseconds of the machine; [`NEVER`] where no rule asks.
    pub(super) started: u64,
    /// Marks in the low half, the serial number of a probe's lease in the high one. One word, like the others: what
    /// is written in parts is slow to read as a whole.
    marks: u64,
}

impl Grant {
    /// Holds a lease.
    const PROBE: u64 = 1;
    /// Counts nowhere.
    const INERT: u64 = 1 << 1;
    /// Counted in flight.
    const TRACKED: u64 = 1 << 2;
    /// Counted by the overdue rule.
    const PENDING: u64 = 1 << 3;
    /// In the hands of a classifier.
    const JUDGED: u64 = 1 << 4;
    const SERIAL_SHIFT: u32 = 32;

    #[inline]
    fn counted(epoch: u64) -> Self {
        Self { epoch, started: NEVER, marks: 0 }
    }

    fn inert() -> Self {
        Self { marks: Self::INERT, ..Self::counted(0) }
    }

    fn probe(epoch: u64, serial: u32) -> Self {
        let serial = u64::from(serial) << Self::SERIAL_SHIFT;
        Self { marks: Self::PROBE | serial, ..Self::counted(epoch) }
    }

    /// Nothing to give back.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        self.marks & !Self::JUDGED == 0
    }

    /// Of the lease, if this is a probe.
    pub(super) fn serial(&self) -> u32 {
        (self.marks >> Self::SERIAL_SHIFT) as u32
    }

    pub(crate) fn is_judged(&self) -> bool {
        self.marks & Self::JUDGED != 0
    }

    #[inline]
    pub(crate) fn judged(self) -> Self {
        Self { marks: self.marks | Self::JUDGED, ..self }
    }

    pub(crate) fn is_probe(&self) -> bool {
        self.marks & Self::PROBE != 0
    }

    pub(crate) fn is_inert(&self) -> bool {
        self.marks & Self::INERT != 0
    }

    pub(super) fn is_tracked(&self) -> bool {
        self.marks & Self::TRACKED != 0
    }

    pub(super) fn is_pending(&self) -> bool {
        self.marks & Self::PENDING != 0
    }
}

/// The answer to "may this call go?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Admitted(Grant),
    Rejected(Refusal),
}

impl Admission {
    pub(crate) fn granted(self) -> Option<Grant> {
        match self {
            Self::Admitted(grant) => Some(grant),
            Self::Rejected(_) => None,
        }
    }
}

/// What a rejected caller is told, at the moment when that was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    word: Word,
    /// Nanoseconds until a call may be admitted; [`NEVER`] where nobody knows.
    pub(crate) wait: u64,
}

impl Refusal {
    pub(crate) fn state(self) -> State {
        self.word.phase().state()
    }

    /// Why the circuit opened.
    pub(crate) fn cause(self) -> Cause {
        self.word.cause()
    }
}

impl Machine {
    /// Asks for a permit where that is only a look: Closed, and nothing to note.
    #[inline(always)]
    pub(crate) fn admit_freely(&self, now: impl FnOnce() -> Instant) -> Option<Grant> {
        let word = self.gate.word();
        if !word.admits_freely() {
            return None;
        }
        let started = if word.flags().timed() { self.nanos_at(now()) } else { NEVER };
        Some(Grant { started, ..Grant::counted(word.epoch()) })
    }

    /// A permit for what has failed already; only where it decides nothing by being given.
    pub(crate) fn grant_without_asking(&self) -> Option<Grant> {
        let word = self.gate.word();
        matches!(word.phase(), Phase::Closed | Phase::Ramp).then(|| Grant::counted(word.epoch()))
    }

    /// Asks for a permit.
    pub(crate) fn admit(&self, now: impl FnOnce() -> Instant) -> (Admission, Transitions) {
        self.admit_with_care(self.gate.word(), self.lazy(now))
    }

    #[inline(always)]
    pub(crate) fn is_closed(&self) -> bool {
        self.gate.word().phase() == Phase::Closed
    }

    /// The rejection that [`admit`](Self::admit) would answer with now, if it would; another thread may be faster.
    /// Does what time has made due: somebody who never asks for more than this must not keep a hung probe's lease
    /// alive.
    #[inline]
    pub(crate) fn refusal(&self, now: impl FnOnce() -> Instant) -> (Option<Refusal>, Transitions) {
        let word = self.gate.word();
        match word.phase() {
            Phase::Closed => (None, Transitions::default()),
            _ => self.refusal_unless_closed(word, self.lazy(now)),
        }
    }

    fn refusal_unless_closed<F: FnOnce() -> Instant>(
        &self,
        word: Word,
        mut now: Lazy<F>,
    ) -> (Option<Refusal>, Transitions) {
        let known = match word.phase() {
            // In a ramp, who passes is decided call by call, by asking.
            Phase::Closed | Phase::Disabled | Phase::Ramp => None,
            _ if word.shadow() => None,
            Phase::Open | Phase::Probing | Phase::ForcedOpen => {
                match self.closed_gate(word, &mut now) {
                    Some(refusal) => Some(refusal),
                    None => return self.refusal_locked(now.get()),
                }
            }
        };
        (known, Transitions::default())
    }

    #[cold]
    fn refusal_locked(&self, now: u64) -> (Option<Refusal>, Transitions) {
        self.locked(|core, own| {
            let now = core.clamp(now);
            let transitions = self.lapse(core, now, own)?;
            Ok((core.refusal(now), transitions))
        })
    }

    /// Rejects a call that was refused before it was made. If the circuit has changed since, it may come back at once.
    #[inline]
    pub(crate) fn reject(&self, refusal: Refusal) -> Refusal {
        self.counters.count(Count::Rejected);
        let word = self.gate.word();
        if word == refusal.word { refusal } else { Refusal { word, wait: 0 } }
    }

    /// A rejection that needs no lock: the time of the gate has not come.
    #[inline]
    fn closed_gate<F: FnOnce() -> Instant>(
        &self,
        word: Word,
        now: &mut Lazy<F>,
    ) -> Option<Refusal> {
        let until = self.gate.until(word)?;
        let phase = word.phase();
        let wait = match until {
            0 => return None,
            NEVER => NEVER,
            until => {
                let left = until.checked_sub(now.get()).filter(|left| *left > 0)?;
                match phase {
                    Phase::Probing => left.min(self.params.first_cooldown()),
                    _ => left,
                }
            }
        };
        Some(Refusal { word, wait })
    }

    /// Everything but a Closed in which nothing is to be noted.
    fn admit_with_care<F: FnOnce() -> Instant>(
        &self,
        word: Word,
        mut now: Lazy<F>,
    ) -> (Admission, Transitions) {
        let (admission, transitions) = match word.phase() {
            Phase::Closed | Phase::Ramp => self.admit_unless_overdue(word, &mut now),
            Phase::Disabled => (Admission::Admitted(Grant::inert()), Transitions::default()),
            _ => match self.closed_gate(word, &mut now) {
                Some(refusal) => (Admission::Rejected(refusal), Transitions::default()),
                None => self.admit_locked(&mut now),
            },
        };
        match admission {
            Admission::Admitted(grant) => {
                (Admission::Admitted(self.note_start(grant, &mut now)), transitions)
            }
            // Whoever rejects in shadow only says so. A rule that fired on this very admission counts, too.
            Admission::Rejected(_) if self.gate.word().shadow() => {
                self.counters.count(Count::WouldReject);
                (Admission::Admitted(Grant::inert()), transitions)
            }
            Admission::Rejected(_) => {
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
        let mut transitions = match self.gate.word().flags().overdue() {
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
        let flags = self.gate.word().flags();
        if flags.timed() || grant.is_probe() {
            grant.started = now.get();
        }
        if flags.overdue() {
            grant.marks |= Grant::PENDING;
            self.overdue.start(grant.epoch, self.params.overdue(grant.epoch), grant.started);
        }
        if flags.tracks() {
            grant.marks |= Grant::TRACKED;
            self.counters.start();
        }
        grant
    }

    /// Asks the rule of overdue calls, at most once per part of its time.
    pub(super) fn ask_overdue(&self, word: Word, now: u64) -> Transitions {
        let flags = self.gate.word().flags();
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
            if core.canaries == 0 {
                transitions.extend(self.half_open_if_due(core, now));
            }
            Ok((core.admit(now), transitions))
        })
    }

    fn half_open_if_due(&self, core: &mut Core, now: u64) -> Option<Transition> {
        (core.phase == Phase::Open && now >= core.open_until).then(|| {
            let window = self.window_at(core.epoch, now);
            core.begin(Phase::Probing, Cause::CooldownElapsed, now, window)
        })
    }

    /// Leaves the probing to somebody in the background, or gives it back to the callers.
    pub(crate) fn count_canary(&self, comes: bool) {
        self.locked(|core, _| {
            core.canaries = if comes { core.canaries + 1 } else { core.canaries - 1 };
            Ok(())
        });
    }

    /// The permit for a probe in the background, if one is due.
    pub(crate) fn admit_canary(&self, now: Instant) -> (Option<Grant>, Transitions) {
        let at = self.nanos_at(now);
        let (grant, transitions) = self.locked(|core, own| {
            let at = core.clamp(at);
            let mut transitions = self.lapse(core, at, own)?;
            transitions.extend(self.half_open_if_due(core, at));
            let free =
                core.phase == Phase::Probing && core.half_open.free(&core.settings.probe) > 0;
            Ok((free.then(|| core.lease(at)), transitions))
        });
        (grant.map(|grant| self.note_start(grant, &mut self.lazy(|| now))), transitions)
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
            Phase::Probing if core.half_open.is_due(&core.settings.probe, now) => {
                let probe = core.settings.probe;
                let expired = core.half_open.expired(now);
                match core.half_open.after_failures(&probe, expired) {
                    Judged::Reopens => {
                        let planned = core.plan_cooldown(now, own)?;
                        let window = self.window_at(core.epoch, now);
                        let wait = ServerWait::NONE;
                        let cause =
                            if expired > 0 { Cause::LeaseExpired } else { Cause::ProbeFailed };
                        transitions.push(core.trip(cause, now, planned, wait, window));
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
        let granted = match self.phase {
            Phase::Closed => Grant::counted(self.epoch),
            Phase::Disabled => Grant::inert(),
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
                Grant::counted(self.epoch)
            }
        };
        Admission::Admitted(granted)
    }

    /// Begins a probe.
    fn lease(&mut self, now: u64) -> Grant {
        let ends = now.saturating_add(nanos(self.settings.probe.lease));
        Grant::probe(self.epoch, self.half_open.lease(ends))
    }

    /// The rejection that the next call meets, if it does, once everything that was due is done; but for those of a
    /// ramp.
    fn refusal(&self, now: u64) -> Option<Refusal> {
        let rejects = match self.phase {
            Phase::Closed | Phase::Disabled | Phase::Ramp => false,
            Phase::Open => now < self.open_until || self.canaries > 0,
            Phase::ForcedOpen => true,
            Phase::Probing => !self.probes_callers(),
        };
        (rejects && self.mode != Mode::Shadow).then(|| self.refuse(now))
    }

    /// The share of calls that the ramp lets through now.
    fn ramp_percent(&self, now: u64) -> u8 {
        let (Some(ramp), Some(settings)) = (self.half_open.ramp, &self.settings.ramp) else {
            return 100;
        };
        let step = now.saturating_sub(ramp.since) / nanos(settings.step).max(1);
        usize::try_from(step).ok().and_then(|step| settings.steps.get(step)).copied().unwrap_or(100)
    }

    fn refuse(&self, now: u64) -> Refusal {
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
        Refusal { word: self.gate().0, wait }
    }
}
