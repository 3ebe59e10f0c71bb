//! The settlement of calls.

use std::time::Instant;

use crate::machine::callbacks::SettledFn;
use crate::machine::flags::Flags;
use crate::machine::gate::PhaseTag;
use crate::machine::permit_state::PermitState;
use crate::machine::snapshot::Transitions;
use crate::machine::state::{CallbackCooldown, Locked, NeedsCallback, ProbeEnd, ServerWait};
use crate::machine::totals::Count;
use crate::machine::units::{Epoch, Nanos};
use crate::machine::{Clock, Machine};
use crate::outcome::{Class, Outcome};
use crate::settings::ThrottledAction;

/// What a settled call changed for other calls and for waiters.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Settled {
    pub(crate) transitions: Transitions,
    /// Waiters must check again: a lease was returned, or an open period that was over has become longer.
    pub(crate) freed: bool,
    /// The call was a probe that succeeded in time.
    pub(super) probe_succeeded: bool,
}

/// The outcome of a call under the current settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallResult<'a> {
    pub(super) outcome: &'a Outcome,
    pub(super) class: Class,
    pub(super) slow: bool,
}

/// The outcome of a call that was dropped after it had run for at least `cancelled_after`.
const CANCELLED_AFTER: Outcome = Outcome::failure().reason("cancelled after its time");

impl CallResult<'_> {
    pub(super) fn wait(&self) -> ServerWait {
        ServerWait { class: self.class, asked: self.outcome.wait() }
    }

    /// Returns whether the call failed, was throttled or met an exhausted quota.
    pub(super) fn is_bad(&self) -> bool {
        matches!(self.class, Class::Failure | Class::Throttled | Class::Exhausted)
    }

    /// Returns whether a probe with this result succeeded, or `None` if the result says nothing about the dependency.
    fn probe_success(&self) -> Option<bool> {
        match self.class {
            Class::Ignored => None,
            _ if self.slow => Some(false),
            Class::Success => Some(true),
            Class::Failure | Class::Throttled | Class::Exhausted => Some(false),
            Class::Cancelled => None,
        }
    }
}

impl Machine {
    /// Settles a success if it only has to be counted. Otherwise settles nothing and returns `false`.
    #[inline(always)]
    pub(crate) fn settle_success(&self, permit: &PermitState, clock: &impl Clock) -> bool {
        let word = self.gate.word();
        if word != permit.word {
            return false;
        }
        self.counters.count(Count::Class(Class::Success));
        self.streak.end(word.epoch().get());
        if word.flags().time_window() {
            // The clock is read first: values that are loaded before would be spilled around the call.
            let now = clock.recent();
            let (grid, _) = self.params.window(word.epoch());
            self.time_window.add_success(grid, now.get());
        }
        true
    }

    /// Settles a failure if it only extends the streak and stays below the limit. Otherwise settles nothing and returns
    /// `false`.
    #[inline(always)]
    pub(crate) fn settle_failure(&self, permit: &PermitState, outcome: &Outcome) -> bool {
        let word = self.gate.word();
        let rules = &self.params.rules;
        if word != permit.word
            || !word.takes_failure()
            || rules.streak_is_timed()
            || !self.streak.extend_below(word.epoch().get(), rules.consecutive())
        {
            return false;
        }
        self.counters.count(Count::Class(Class::Failure));
        self.last_error.note(outcome, Class::Failure);
        true
    }

    /// Settles a call.
    pub(crate) fn settle(
        &self,
        permit: PermitState,
        outcome: Outcome,
        now: impl FnOnce() -> Instant,
    ) -> Settled {
        if permit.is_inert() {
            return Settled::default();
        }
        let mut now = self.lazy(now);
        let mut now = || now.get();
        if permit.is_tail() {
            return self.settle_tail(&permit, &outcome, &mut now);
        }
        let word = self.gate.word();
        let flags = word.flags();
        self.note_end(&permit);
        let result = self.result_of(&permit, &outcome, flags, &mut now);
        if word.epoch() != permit.epoch() {
            return self.settle_late(&result, &mut now);
        }
        match word.phase() {
            PhaseTag::Closed => self.settle_counted(permit.epoch(), &result, flags, &mut now),
            PhaseTag::Ramp if !permit.is_probe() => {
                self.settle_counted(permit.epoch(), &result, flags, &mut now)
            }
            _ => self.settle_probe(&permit, &result, flags, &mut now),
        }
    }

    #[inline]
    fn note_end(&self, permit: &PermitState) {
        if permit.is_pending() {
            self.finish_pending(permit);
        }
        if permit.is_tracked() {
            self.counters.end();
        }
    }

    /// Removes a call from those that the overdue rule counts.
    #[inline]
    pub(super) fn finish_pending(&self, permit: &PermitState) {
        let epoch = permit.epoch();
        self.overdue.finish(epoch.get(), self.params.overdue(epoch), permit.started.get());
    }

    /// Applies the settings for slow, cancelled and throttled calls to an outcome.
    #[inline]
    pub(super) fn result_of<'a>(
        &self,
        permit: &PermitState,
        outcome: &'a Outcome,
        flags: Flags,
        now: &mut impl FnMut() -> Nanos,
    ) -> CallResult<'a> {
        let mut result = CallResult { outcome, class: outcome.class(), slow: false };
        if result.class == Class::Throttled {
            result.class = match self.params.throttled() {
                ThrottledAction::Hold => Class::Throttled,
                ThrottledAction::CountAsFailure => Class::Failure,
                ThrottledAction::Ignore => Class::Ignored,
            };
        }
        let may_fail = flags.cancelled_after() && result.class == Class::Cancelled;
        if !(flags.slow() || may_fail) {
            return result;
        }
        let Some(took) = permit.took(now) else { return result };
        if may_fail && took >= self.params.cancelled_after() {
            result.outcome = &CANCELLED_AFTER;
            result.class = Class::Failure;
        }
        result.slow = flags.slow() && took >= self.params.slow_after();
        result
    }

    pub(super) fn count(&self, result: &CallResult<'_>) {
        self.counters.count(Count::Class(result.class));
    }

    /// Records an outcome as the last error and notifies the observers, if the call failed, was throttled or met an
    /// exhausted quota.
    pub(super) fn note_error(&self, result: &CallResult<'_>) {
        self.last_error.note(result.outcome, result.class);
        if let Some(settled) = &self.callbacks.settled {
            notify_settled(settled, result);
        }
    }

    /// Settles a call whose epoch is over.
    #[cold]
    fn settle_late(&self, result: &CallResult<'_>, now: &mut impl FnMut() -> Nanos) -> Settled {
        self.counters.count(Count::Late);
        self.take_late_wait(result, now)
    }

    /// Applies the wait that a late result carries. The result has no other effect.
    pub(super) fn take_late_wait(
        &self,
        result: &CallResult<'_>,
        now: &mut impl FnMut() -> Nanos,
    ) -> Settled {
        let wait = result.wait();
        if !wait.is_some() {
            return Settled::default();
        }
        let now = now();
        let freed = self.with_state(|state, _| {
            let now = state.clamp(now);
            Ok(state.raise_late(wait, now))
        });
        Settled { freed, ..Settled::default() }
    }

    /// Settles a call of a closed circuit or of a ramp.
    #[inline]
    fn settle_counted(
        &self,
        epoch: Epoch,
        result: &CallResult<'_>,
        flags: Flags,
        now: &mut impl FnMut() -> Nanos,
    ) -> Settled {
        self.count(result);
        self.record(epoch, result, flags, now)
    }

    #[cold]
    fn settle_probe(
        &self,
        permit: &PermitState,
        result: &CallResult<'_>,
        flags: Flags,
        now: &mut impl FnMut() -> Nanos,
    ) -> Settled {
        self.note_error(result);
        let (at, epoch, wait) = (now(), permit.epoch(), result.wait());
        let success = result.probe_success();
        let (settled, end) = self.with_state(|state, callback| {
            let now = state.clamp(at);
            if state.epoch() != epoch {
                let freed = state.raise_late(wait, now);
                return Ok((Settled { freed, ..Settled::default() }, ProbeEnd::Late));
            }
            // A probe whose lease has ended has failed, regardless of its result.
            let mut transitions = self.lapse(state, now, callback)?;
            let window = || self.window_at(epoch, now);
            let (end, changed) =
                state.end_probe(permit.serial(), success, wait, now, callback, window)?;
            transitions.extend(changed);
            let probe_succeeded = match end {
                ProbeEnd::InTime => success == Some(true),
                ProbeEnd::Late => false,
                ProbeEnd::InRamp => true,
            };
            Ok((Settled { transitions, freed: true, probe_succeeded }, end))
        });
        match end {
            ProbeEnd::InTime => self.count(result),
            ProbeEnd::Late => self.counters.count(Count::Late),
            ProbeEnd::InRamp => {
                let counted = self.settle_counted(epoch, result, flags, now);
                return Settled { probe_succeeded: true, ..counted };
            }
        }
        settled
    }

    /// Makes the transition that is due by time alone. Then runs `op`, unless the epoch of the call is over.
    pub(super) fn settle_in(
        &self,
        epoch: Epoch,
        wait: ServerWait,
        now: Nanos,
        mut op: impl FnMut(
            &mut Locked,
            Nanos,
            Option<CallbackCooldown>,
            &mut Settled,
        ) -> Result<(), NeedsCallback>,
    ) -> Settled {
        self.with_state(|state, callback| {
            let now = state.clamp(now);
            let transitions = self.lapse(state, now, callback)?;
            let mut settled = Settled { transitions, ..Settled::default() };
            if state.epoch() == epoch {
                op(state, now, callback, &mut settled)?;
            } else {
                settled.freed = state.raise_late(wait, now);
            }
            Ok(settled)
        })
    }
}

#[cold]
#[inline(never)]
fn notify_settled(settled: &SettledFn, result: &CallResult<'_>) {
    if result.is_bad() {
        settled(&result.outcome.counted_as(result.class));
    }
}

#[cfg(test)]
mod tests;
