//! The admission of calls.

use std::time::Instant;

use crate::machine::gate::{GateWord, PhaseTag};
use crate::machine::permit_state::{Admission, PermitState, Rejection, WouldReject};
use crate::machine::snapshot::Transitions;
use crate::machine::totals::Count;
use crate::machine::units::Nanos;
use crate::machine::{Clock, Lazy, Machine};

impl Machine {
    /// Returns the word of the gate if the breaker is closed and an admission records at most the start of the call.
    #[inline(always)]
    pub(crate) fn free(&self) -> Option<GateWord> {
        let word = self.gate.word();
        word.admits_freely().then_some(word)
    }

    /// Admits a call if the gate still has the word that [`free`](Self::free) returned to the caller.
    #[inline(always)]
    pub(crate) fn admit_again(&self, seen: u64, clock: &impl Clock) -> Option<PermitState> {
        let word = self.gate.word();
        (word.bits() == seen).then(|| self.admit_by(word, clock))
    }

    /// Admits a call if the breaker is closed and the admission records at most the start of the call.
    #[inline(always)]
    pub(crate) fn admit_freely(&self, clock: &impl Clock) -> Option<PermitState> {
        Some(self.admit_by(self.free()?, clock))
    }

    /// Returns the permit of a call that this word admits.
    #[inline(always)]
    fn admit_by(&self, word: GateWord, clock: &impl Clock) -> PermitState {
        if word.is_plain() {
            return PermitState::free(word, Nanos::NEVER);
        }
        let started = match word.flags() {
            flags if flags.slow() => clock.exact(),
            flags if flags.timed() => clock.recent(),
            _ => Nanos::NEVER,
        };
        let word = if word.takes_success() { word } else { GateWord::of_epoch(word.epoch()) };
        PermitState::free(word, started)
    }

    /// Returns a permit for a call that has already failed, if its admission decides nothing.
    pub(crate) fn admit_failed(&self) -> Option<PermitState> {
        let word = self.gate.word();
        matches!(word.phase(), PhaseTag::Closed | PhaseTag::Ramp)
            .then(|| PermitState::counted(word.epoch()))
    }

    /// Admits or rejects a call.
    pub(crate) fn admit(&self, now: impl FnOnce() -> Instant) -> (Admission, Transitions) {
        self.admit_slow(self.gate.word(), self.lazy(now))
    }

    /// Returns whether [`admit`](Self::admit) would reject a call now. Another thread may change the state at any time.
    #[inline(always)]
    pub(crate) fn would_reject(&self, clock: &impl Clock) -> WouldReject {
        let word = self.gate.word();
        if !word.rejects() {
            return WouldReject::No;
        }
        self.gate_wait(word, |until| {
            let left = until.since(clock.recent().max(self.gate.seen()));
            // Near the end, the exact clock is read, so that a wait that is over is never reported.
            if left > clock.behind() {
                return left;
            }
            until.since(clock.exact().max(self.gate.seen()))
        })
    }

    /// Returns how long the gate alone rejects calls. The decision needs the lock if the time of the gate has passed or
    /// belongs to another word.
    ///
    /// `left` computes the remaining wait from its end.
    #[inline(always)]
    fn gate_wait(&self, word: GateWord, left: impl FnOnce(Nanos) -> Nanos) -> WouldReject {
        let until = match self.gate.until(word) {
            None | Some(Nanos::ZERO) => return WouldReject::NeedsLock,
            Some(Nanos::NEVER) => return WouldReject::For(Nanos::NEVER),
            Some(until) => until,
        };
        match left(until) {
            Nanos::ZERO => WouldReject::NeedsLock,
            left if word.phase() == PhaseTag::Probing => {
                WouldReject::For(left.min(self.params.first_cooldown()))
            }
            left => WouldReject::For(left),
        }
    }

    /// Returns how long calls are rejected, under the lock. Makes the transition that is due by time alone; otherwise
    /// the lease of a hung probe would never end if callers only ask and never call.
    #[cold]
    pub(crate) fn would_reject_locked(&self, now: Nanos) -> (Option<Nanos>, Transitions) {
        self.with_state(|state, callback| {
            let now = state.clamp(now);
            let transitions = self.lapse(state, now, callback)?;
            Ok((state.would_reject(now).map(|rejection| rejection.wait), transitions))
        })
    }

    /// Rejects a call whose service was not polled ready, because [`would_reject`](Self::would_reject) returned `wait`.
    /// If the circuit has admitted calls again since, the wait is zero.
    #[inline(always)]
    pub(crate) fn reject(&self, wait: Nanos) -> Rejection {
        self.counters.count(Count::Rejected);
        let word = self.gate.word();
        Rejection { word, wait: if word.is_rejecting() { wait } else { Nanos::ZERO } }
    }

    /// Admits or rejects a call in any phase and under any settings.
    fn admit_slow<F: FnOnce() -> Instant>(
        &self,
        word: GateWord,
        mut now: Lazy<F>,
    ) -> (Admission, Transitions) {
        let (admission, transitions) = match word.phase() {
            PhaseTag::Closed | PhaseTag::Ramp => self.admit_unless_overdue(word, &mut now),
            PhaseTag::Disabled => {
                (Admission::Admitted(PermitState::inert()), Transitions::default())
            }
            PhaseTag::Open | PhaseTag::Probing | PhaseTag::ForcedOpen => {
                match self.gate_wait(word, |until| until.since(now.get().max(self.gate.seen()))) {
                    WouldReject::For(wait) => {
                        (Admission::Rejected(Rejection { word, wait }), Transitions::default())
                    }
                    WouldReject::No | WouldReject::NeedsLock => self.admit_locked(&mut now),
                }
            }
        };
        match admission {
            Admission::Admitted(permit) => {
                (Admission::Admitted(self.note_start(permit, &mut now)), transitions)
            }
            // Shadow only counts the rejection. The mode at the time of the decision applies, even if it has changed
            // since.
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

    /// Admits a call of a closed circuit or of a ramp. The call that makes the overdue rule fire is rejected.
    fn admit_unless_overdue<F: FnOnce() -> Instant>(
        &self,
        word: GateWord,
        now: &mut Lazy<F>,
    ) -> (Admission, Transitions) {
        let mut transitions = self.evaluate_overdue(word, || now.get());
        if transitions.is_empty() && word.phase() == PhaseTag::Closed {
            return (Admission::Admitted(PermitState::counted(word.epoch())), transitions);
        }
        let (admission, more) = self.admit_locked(now);
        transitions.extend(more);
        (admission, transitions)
    }

    /// Records the start of a call for the rules that need it.
    fn note_start<F: FnOnce() -> Instant>(
        &self,
        mut permit: PermitState,
        now: &mut Lazy<F>,
    ) -> PermitState {
        if permit.is_inert() {
            return permit;
        }
        let flags = self.gate.word().flags();
        if flags.timed() || permit.is_probe() {
            permit.started = now.get();
        }
        if flags.overdue() {
            permit.set_pending();
            let epoch = permit.epoch();
            self.overdue.start(epoch.get(), self.params.overdue(epoch), permit.started.get());
        }
        if flags.tracks() {
            permit.set_tracked();
            self.counters.start();
        }
        permit
    }

    fn admit_locked<F: FnOnce() -> Instant>(&self, now: &mut Lazy<F>) -> (Admission, Transitions) {
        let now = now.get();
        self.with_state(|state, callback| {
            let now = state.clamp(now);
            let mut transitions = self.lapse(state, now, callback)?;
            if !state.has_health_check() {
                transitions.extend(self.half_open_if_due(state, now));
            }
            Ok((state.admit(now), transitions))
        })
    }

    /// Counts a health check that begins or ends. While one runs, no call is used as a probe.
    pub(crate) fn count_health_check(&self, begins: bool) {
        self.with_state(|state, _| {
            state.count_health_check(begins);
            Ok(())
        });
    }

    /// Returns the permit for a health check, if a probe may start.
    pub(crate) fn admit_health_check(&self, now: Instant) -> (Option<PermitState>, Transitions) {
        let at = self.nanos_at(now);
        let (permit, transitions) = self.with_state(|state, callback| {
            let at = state.clamp(at);
            let mut transitions = self.lapse(state, at, callback)?;
            transitions.extend(self.half_open_if_due(state, at));
            Ok((state.lease(at), transitions))
        });
        (permit.map(|permit| self.note_start(permit, &mut self.lazy(|| now))), transitions)
    }
}

#[cfg(test)]
mod tests;
