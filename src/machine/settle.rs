//! How a call ended.

use std::time::Instant;

use crate::machine::core::{CallbackCooldown, Core, NeedsCallback};
use crate::machine::flags::Flags;
use crate::machine::gate::Phase;
use crate::machine::grant::PermitState;
use crate::machine::settings::ThrottledAction;
use crate::machine::totals::Count;
use crate::machine::view::Transitions;
use crate::machine::waits::ServerWait;
use crate::machine::{Clock, Machine};
use crate::outcome::{Class, Outcome};
use crate::trip::rules::Grew;
use crate::window::tally::{Entry, EntryKind};

/// What a settled call did to others.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Settled {
    pub(crate) transitions: Transitions,
    /// Whoever waits has to look again: a lease came back, or an Open that was over goes on.
    pub(crate) freed: bool,
    /// The probe was in time, and a success.
    pub(super) decided: bool,
}

/// An outcome as the rules see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict<'a> {
    pub(super) outcome: &'a Outcome,
    pub(super) class: Class,
    pub(super) slow: bool,
}

/// What a call is that was dropped after it had run for too long.
const CANCELLED_LATE: Outcome = Outcome::failure().reason("cancelled after its time");

impl Machine {
    /// Takes a success where that is only a count. `false`: it was not taken.
    #[inline(always)]
    pub(crate) fn settle_success(&self, grant: &PermitState, clock: &impl Clock) -> bool {
        let word = self.gate.word();
        if word != grant.word {
            return false;
        }
        self.counters.count(Count::Class(Class::Success));
        self.streak.end(word.epoch());
        if word.flags().time_window() {
            // The clock first: what is read before it would have to be kept meanwhile.
            let now = clock.recent();
            let (grid, _) = self.params.window(word.epoch());
            self.time_window.add_success(grid, now);
        }
        true
    }

    /// Takes a failure that no rule looks at but that of failures in a row, and that is not enough for it. `false`:
    /// it was not taken.
    #[inline(always)]
    pub(crate) fn settle_failure(&self, grant: &PermitState, outcome: &Outcome) -> bool {
        let word = self.gate.word();
        let rules = &self.params.rules;
        if word != grant.word
            || !word.takes_failure()
            || rules.streak_is_timed()
            || !self.streak.extend_below(word.epoch(), rules.consecutive())
        {
            return false;
        }
        self.counters.count(Count::Class(Class::Failure));
        self.last_error.note(outcome, Class::Failure);
        true
    }

    /// Takes a call's outcome.
    pub(crate) fn settle(
        &self,
        grant: PermitState,
        outcome: Outcome,
        now: impl FnOnce() -> Instant,
    ) -> Settled {
        if grant.is_inert() {
            return Settled::default();
        }
        let mut now = self.lazy(now);
        let mut now = || now.get();
        if grant.is_watch() {
            return self.settle_watch(&grant, &outcome, &mut now);
        }
        let word = self.gate.word();
        let flags = word.flags();
        self.note_end(&grant);
        let verdict = self.weigh(&grant, &outcome, flags, &mut now);
        if word.epoch() != grant.epoch() {
            return self.settle_late(&verdict, &mut now);
        }
        match word.phase() {
            Phase::Closed => self.settle_counted(&grant, &verdict, flags, &mut now),
            Phase::Ramp if !grant.is_probe() => {
                self.settle_counted(&grant, &verdict, flags, &mut now)
            }
            _ => self.settle_probe(&grant, &verdict, flags, &mut now),
        }
    }

    #[inline]
    fn note_end(&self, grant: &PermitState) {
        if grant.is_pending() {
            self.overdue.finish(grant.epoch(), self.params.overdue(grant.epoch()), grant.started);
        }
        if grant.is_tracked() {
            self.counters.end();
        }
    }

    /// Applies what the settings say about slow, cancelled and throttled calls.
    #[inline]
    pub(super) fn weigh<'a>(
        &self,
        grant: &PermitState,
        outcome: &'a Outcome,
        flags: Flags,
        now: &mut impl FnMut() -> u64,
    ) -> Verdict<'a> {
        let mut verdict = Verdict { outcome, class: outcome.class(), slow: false };
        if verdict.class == Class::Throttled {
            verdict.class = match self.params.throttled() {
                ThrottledAction::Hold => Class::Throttled,
                ThrottledAction::CountAsFailure => Class::Failure,
                ThrottledAction::Ignore => Class::Ignored,
            };
        }
        let too_long = flags.cancelled_after() && verdict.class == Class::Cancelled;
        if !(flags.slow() || too_long) {
            return verdict;
        }
        let Some(took) = grant.took(now) else { return verdict };
        if too_long && took >= self.params.cancelled_after() {
            verdict.outcome = &CANCELLED_LATE;
            verdict.class = Class::Failure;
        }
        verdict.slow = flags.slow() && took >= self.params.slow_after();
        verdict
    }

    pub(super) fn count(&self, verdict: &Verdict<'_>) {
        self.counters.count(Count::Class(verdict.class));
    }

    /// Remembers a bad outcome.
    pub(super) fn note_error(&self, verdict: &Verdict<'_>) {
        self.last_error.note(verdict.outcome, verdict.class);
    }

    #[cold]
    fn settle_late(&self, verdict: &Verdict<'_>, now: &mut impl FnMut() -> u64) -> Settled {
        self.counters.count(Count::Late);
        self.raise_late(verdict, now)
    }

    /// What a call of an epoch that is over leaves behind: what the server asked for.
    pub(super) fn raise_late(
        &self,
        verdict: &Verdict<'_>,
        now: &mut impl FnMut() -> u64,
    ) -> Settled {
        let wait = verdict.wait();
        if wait.asked.is_none() && !matches!(wait.class, Class::Throttled | Class::Exhausted) {
            return Settled::default();
        }
        let now = now();
        let freed = self.locked(|core, _| {
            let now = core.clamp(now);
            Ok(core.raise_late(wait, now))
        });
        Settled { freed, ..Settled::default() }
    }

    /// A call of a Closed epoch, or of a ramp.
    #[inline]
    pub(super) fn settle_counted(
        &self,
        grant: &PermitState,
        verdict: &Verdict<'_>,
        flags: Flags,
        now: &mut impl FnMut() -> u64,
    ) -> Settled {
        self.count(verdict);
        self.tell_rules(grant.epoch(), verdict, flags, now)
    }

    /// Tells the rules of a Closed epoch, or of a ramp.
    #[inline]
    pub(super) fn tell_rules(
        &self,
        epoch: u64,
        verdict: &Verdict<'_>,
        flags: Flags,
        now: &mut impl FnMut() -> u64,
    ) -> Settled {
        let class = verdict.class;
        let kind = match class {
            Class::Success => EntryKind::Success,
            Class::Failure => EntryKind::Failure(verdict.outcome.failure_weight()),
            Class::Cancelled if verdict.slow => EntryKind::Cancelled,
            Class::Throttled | Class::Exhausted => return self.settle_hold(epoch, verdict, now),
            Class::Ignored | Class::Cancelled => return Settled::default(),
        };
        let failed = class == Class::Failure;
        let mut streak = 0;
        match class {
            Class::Success => self.streak.end(epoch),
            Class::Failure if flags.streak() => {
                let timed = self.params.rules.streak_is_timed();
                streak = self.streak.extend(epoch, timed, &mut *now).0;
            }
            _ => {}
        }
        let entry = Entry { kind, slow: verdict.slow };
        let mut tally = None;
        if flags.time_window() {
            let (grid, _) = self.params.window(epoch);
            self.time_window.add(grid, now(), entry);
        } else if flags.count_window() {
            match self.count_window.add(epoch, entry) {
                Some(sums) => tally = Some(sums),
                // The epoch ended while this call was being counted: it decides nothing.
                None => return Settled::default(),
            }
        }
        if !failed && !verdict.slow {
            return Settled::default();
        }
        if failed {
            self.note_error(verdict);
            // Where there is no window, only the streak can have fired.
            if flags.window() == 0 && u64::from(streak) < self.params.rules.consecutive() {
                return Settled::default();
            }
        }
        let grew = Grew { failures: failed, slow: verdict.slow, overdue: false };
        self.evaluate(epoch, flags, tally, grew, now, verdict.wait())
    }

    /// Throttled or exhausted: in no rate and no streak, but the server may have asked for a pause.
    #[cold]
    fn settle_hold(
        &self,
        epoch: u64,
        verdict: &Verdict<'_>,
        now: &mut impl FnMut() -> u64,
    ) -> Settled {
        self.note_error(verdict);
        self.settle_in(epoch, verdict.wait(), now(), |core, now, _, settled| {
            let window = || self.window_at(epoch, now);
            settled.transitions.extend(core.hold(verdict.wait(), now, window));
            Ok(())
        })
    }

    /// Does what is due and then, if the call's epoch is not over by that, `op`.
    pub(super) fn settle_in(
        &self,
        epoch: u64,
        wait: ServerWait,
        now: u64,
        mut op: impl FnMut(
            &mut Core,
            u64,
            Option<CallbackCooldown>,
            &mut Settled,
        ) -> Result<(), NeedsCallback>,
    ) -> Settled {
        self.locked(|core, own| {
            let now = core.clamp(now);
            let mut settled =
                Settled { transitions: self.lapse(core, now, own)?, ..Settled::default() };
            if core.epoch == epoch {
                op(core, now, own, &mut settled)?;
            } else {
                settled.freed = core.raise_late(wait, now);
            }
            Ok(settled)
        })
    }
}

impl Verdict<'_> {
    pub(super) fn wait(&self) -> ServerWait {
        ServerWait { class: self.class, asked: self.outcome.wait() }
    }
}

#[cfg(test)]
mod tests;
