//! Who may go.

use std::time::Instant;

use crate::machine::gate::{NEVER, Phase, Word};
use crate::machine::grant::{Admission, PermitState, Rejection, WouldReject};
use crate::machine::totals::Count;
use crate::machine::view::Transitions;
use crate::machine::{Clock, Lazy, Machine};

impl Machine {
    /// The gate, if a call has at most its start to note when it is admitted.
    #[inline(always)]
    pub(crate) fn free(&self) -> Option<Word> {
        let word = self.gate.word();
        word.admits_freely().then_some(word)
    }

    /// Asks for a permit of whoever has seen the gate [`free`](Self::free), if it still has that word.
    #[inline(always)]
    pub(crate) fn admit_again(&self, seen: u64, clock: &impl Clock) -> Option<PermitState> {
        let word = self.gate.word();
        (word.bits() == seen).then(|| self.admitted(word, clock))
    }

    /// Asks for a permit where that is only a look: Closed, and at most its start to note.
    #[inline(always)]
    pub(crate) fn admit_freely(&self, clock: &impl Clock) -> Option<PermitState> {
        Some(self.admitted(self.free()?, clock))
    }

    /// The permit of a call that was let pass.
    #[inline(always)]
    fn admitted(&self, word: Word, clock: &impl Clock) -> PermitState {
        if word.is_plain() {
            return PermitState::free(word, NEVER);
        }
        let started = match word.flags() {
            flags if flags.slow() => clock.exact(),
            flags if flags.timed() => clock.recent(),
            _ => NEVER,
        };
        let word = if word.takes_success() { word } else { Word::of_epoch(word.epoch()) };
        PermitState::free(word, started)
    }

    /// A permit for what has failed already; only where it decides nothing by being given.
    pub(crate) fn grant_without_asking(&self) -> Option<PermitState> {
        let word = self.gate.word();
        matches!(word.phase(), Phase::Closed | Phase::Ramp)
            .then(|| PermitState::counted(word.epoch()))
    }

    /// Asks for a permit.
    pub(crate) fn admit(&self, now: impl FnOnce() -> Instant) -> (Admission, Transitions) {
        self.admit_slow(self.gate.word(), self.lazy(now))
    }

    /// Whether [`admit`](Self::admit) would reject now; another thread may be faster.
    #[inline(always)]
    pub(crate) fn would_reject(&self, clock: &impl Clock) -> WouldReject {
        let word = self.gate.word();
        if !word.rejects() {
            return WouldReject::No;
        }
        let until = match self.gate.until(word) {
            None | Some(0) => return WouldReject::NeedsLock,
            Some(NEVER) => return WouldReject::For(NEVER),
            Some(until) => until,
        };
        let mut left = until.saturating_sub(clock.recent().max(self.gate.seen()));
        // Nobody is told to wait who need not.
        if left <= clock.behind() {
            left = until.saturating_sub(clock.exact().max(self.gate.seen()));
        }
        match left {
            0 => WouldReject::NeedsLock,
            left if word.phase() == Phase::Probing => {
                WouldReject::For(left.min(self.params.first_cooldown()))
            }
            left => WouldReject::For(left),
        }
    }

    /// The same under the lock: for how long. Does what time has made due: somebody who never asks for more than this
    /// must not keep a hung probe's lease alive.
    #[cold]
    pub(crate) fn would_reject_locked(&self, now: u64) -> (Option<u64>, Transitions) {
        self.locked(|core, own| {
            let now = core.clamp(now);
            let transitions = self.lapse(core, now, own)?;
            Ok((core.rejection(now).map(|rejection| rejection.wait), transitions))
        })
    }

    /// Rejects a call that was refused for `wait` before it was made. If the circuit lets calls pass by now, it may
    /// come back at once.
    #[inline(always)]
    pub(crate) fn reject(&self, wait: u64) -> Rejection {
        self.counters.count(Count::Rejected);
        let word = self.gate.word();
        Rejection { word, wait: if word.is_shut() { wait } else { 0 } }
    }

    /// A rejection that needs no lock: the time of the gate has not come.
    #[inline]
    fn closed_gate<F: FnOnce() -> Instant>(
        &self,
        word: Word,
        now: &mut Lazy<F>,
    ) -> Option<Rejection> {
        let until = self.gate.until(word)?;
        let phase = word.phase();
        let wait = match until {
            0 => return None,
            NEVER => NEVER,
            until => {
                let now = now.get().max(self.gate.seen());
                let left = until.checked_sub(now).filter(|left| *left > 0)?;
                match phase {
                    Phase::Probing => left.min(self.params.first_cooldown()),
                    _ => left,
                }
            }
        };
        Some(Rejection { word, wait })
    }

    /// Everything but a Closed in which nothing is to be noted.
    fn admit_slow<F: FnOnce() -> Instant>(
        &self,
        word: Word,
        mut now: Lazy<F>,
    ) -> (Admission, Transitions) {
        let (admission, transitions) = match word.phase() {
            Phase::Closed | Phase::Ramp => self.admit_unless_overdue(word, &mut now),
            Phase::Disabled => (Admission::Admitted(PermitState::inert()), Transitions::default()),
            _ => match self.closed_gate(word, &mut now) {
                Some(rejection) => (Admission::Rejected(rejection), Transitions::default()),
                None => self.admit_locked(&mut now),
            },
        };
        match admission {
            Admission::Admitted(grant) => {
                (Admission::Admitted(self.note_start(grant, &mut now)), transitions)
            }
            // Whoever rejects in shadow only says so. By the mode in which that was decided: it may have ended since,
            // or begun.
            Admission::Rejected(rejection) if rejection.word.shadow() => {
                self.counters.count(Count::WouldReject);
                (Admission::Admitted(PermitState::inert()), transitions)
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
        let mut transitions = self.ask_overdue(word, || now.get());
        if transitions.is_empty() && word.phase() == Phase::Closed {
            return (Admission::Admitted(PermitState::counted(word.epoch())), transitions);
        }
        let (admission, more) = self.admit_locked(now);
        transitions.extend(more);
        (admission, transitions)
    }

    fn note_start<F: FnOnce() -> Instant>(
        &self,
        mut grant: PermitState,
        now: &mut Lazy<F>,
    ) -> PermitState {
        if grant.is_inert() {
            return grant;
        }
        let flags = self.gate.word().flags();
        if flags.timed() || grant.is_probe() {
            grant.started = now.get();
        }
        if flags.overdue() {
            grant.marks |= PermitState::PENDING;
            self.overdue.start(grant.epoch(), self.params.overdue(grant.epoch()), grant.started);
        }
        if flags.tracks() {
            grant.marks |= PermitState::TRACKED;
            self.counters.start();
        }
        grant
    }

    fn admit_locked<F: FnOnce() -> Instant>(&self, now: &mut Lazy<F>) -> (Admission, Transitions) {
        let now = now.get();
        self.locked(|core, own| {
            let now = core.clamp(now);
            let mut transitions = self.lapse(core, now, own)?;
            if core.health_checks == 0 {
                transitions.extend(self.half_open_if_due(core, now));
            }
            Ok((core.admit(now), transitions))
        })
    }

    /// Leaves the probing to somebody in the background, or gives it back to the callers.
    pub(crate) fn count_health_check(&self, comes: bool) {
        self.locked(|core, _| {
            core.health_checks =
                if comes { core.health_checks + 1 } else { core.health_checks - 1 };
            Ok(())
        });
    }

    /// The permit for a probe in the background, if one is due.
    pub(crate) fn admit_health_check(&self, now: Instant) -> (Option<PermitState>, Transitions) {
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
}

#[cfg(test)]
mod tests;
