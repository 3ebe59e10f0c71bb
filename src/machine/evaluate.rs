//! The evaluation of the trip rules: records calls for them and opens the circuit when one fires.

use crate::machine::Machine;
use crate::machine::flags::Flags;
use crate::machine::gate::GateWord;
use crate::machine::settle::{CallResult, Settled};
use crate::machine::snapshot::{Transitions, WindowSnapshot};
use crate::machine::state::ServerWait;
use crate::machine::units::{Epoch, Nanos};
use crate::outcome::Class;
use crate::state::Cause;
use crate::trip::rules::{Evidence, Grew};
use crate::window::tally::{Entry, EntryKind, Rate, Tally};

impl Machine {
    /// Records a call of a closed circuit or of a ramp for the rules, and evaluates them.
    #[inline]
    pub(super) fn record(
        &self,
        epoch: Epoch,
        result: &CallResult<'_>,
        flags: Flags,
        now: &mut impl FnMut() -> Nanos,
    ) -> Settled {
        let class = result.class;
        let kind = match class {
            Class::Success => EntryKind::Success,
            Class::Failure => EntryKind::Failure(result.outcome.failure_weight()),
            Class::Cancelled if result.slow => EntryKind::Cancelled,
            Class::Throttled | Class::Exhausted => return self.hold(epoch, result, now),
            Class::Ignored | Class::Cancelled => return Settled::default(),
        };
        let failed = class == Class::Failure;
        let mut streak = 0;
        match class {
            Class::Success => self.streak.end(epoch.get()),
            Class::Failure if flags.streak() => {
                let timed = self.params.rules.streak_is_timed();
                streak = self.streak.extend(epoch.get(), timed, || now().get()).0;
            }
            _ => {}
        }
        let entry = Entry { kind, slow: result.slow };
        let mut tally = None;
        if flags.time_window() {
            let (grid, _) = self.params.window(epoch);
            self.time_window.add(grid, now().get(), entry);
        } else if flags.count_window() {
            match self.count_window.add(epoch.get(), entry) {
                Some(sums) => tally = Some(sums),
                // The epoch ended while this call was being counted: the call decides nothing.
                None => return Settled::default(),
            }
        }
        if !failed && !result.slow {
            return Settled::default();
        }
        if failed {
            self.note_error(result);
            // Without a window, only the streak can fire.
            if flags.window() == 0 && u64::from(streak) < self.params.rules.consecutive() {
                return Settled::default();
            }
        }
        let grew = Grew { failures: failed, slow: result.slow, overdue: false };
        self.evaluate(epoch, flags, tally, grew, now, result.wait())
    }

    /// Settles a throttled or exhausted call. It is in no rate and no streak, but may open the circuit for the wait
    /// that the server asked for.
    #[cold]
    fn hold(
        &self,
        epoch: Epoch,
        result: &CallResult<'_>,
        now: &mut impl FnMut() -> Nanos,
    ) -> Settled {
        self.note_error(result);
        let wait = result.wait();
        self.settle_in(epoch, wait, now(), |state, now, _, settled| {
            settled.transitions.extend(state.hold(wait, now, || self.window_at(epoch, now)));
            Ok(())
        })
    }

    /// Evaluates the overdue rule, at most once in each tenth of its time.
    pub(super) fn evaluate_overdue(
        &self,
        word: GateWord,
        now: impl FnOnce() -> Nanos,
    ) -> Transitions {
        let flags = word.flags();
        if !flags.overdue() {
            return Transitions::default();
        }
        let (epoch, now) = (word.epoch(), now());
        if !self.overdue.due(self.params.overdue(epoch), now.get()) {
            return Transitions::default();
        }
        let grew = Grew { overdue: true, ..Grew::default() };
        self.evaluate(epoch, flags, None, grew, || now, ServerWait::NONE).transitions
    }

    /// Evaluates the rules whose numerators grew, and opens the circuit if one fires.
    fn evaluate(
        &self,
        epoch: Epoch,
        flags: Flags,
        tally: Option<Tally>,
        grew: Grew,
        mut now: impl FnMut() -> Nanos,
        wait: ServerWait,
    ) -> Settled {
        let seen = self.evidence(epoch, flags, tally, &mut now);
        let cause = match self.params.rules.fired(&seen, grew) {
            Some(cause) => cause,
            None => match &self.callbacks.rule {
                Some(rule) if rule(&self.window_snapshot(&seen, flags)) => Cause::Custom,
                _ => return Settled::default(),
            },
        };
        self.trip(epoch, cause, &seen, grew, now(), wait)
    }

    /// Opens the circuit because a rule fired.
    #[cold]
    fn trip(
        &self,
        epoch: Epoch,
        cause: Cause,
        seen: &Evidence,
        grew: Grew,
        now: Nanos,
        wait: ServerWait,
    ) -> Settled {
        self.settle_in(epoch, wait, now, |state, now, callback, settled| {
            // The settings may have changed since the rules were read without the lock.
            if cause == Cause::Custom || self.params.rules.fired(seen, grew).is_some() {
                let cooldown = state.plan_cooldown(now, callback)?;
                let window = self.window_snapshot(seen, self.gate.word().flags());
                settled.transitions.push(state.trip(cause, now, cooldown, wait, window));
            }
            Ok(())
        })
    }

    /// Reads the counts that the rules compare with their limits.
    fn evidence(
        &self,
        epoch: Epoch,
        flags: Flags,
        tally: Option<Tally>,
        now: impl FnOnce() -> Nanos,
    ) -> Evidence {
        let timed = self.params.rules.streak_is_timed();
        let needs_now = flags.overdue() || timed || (flags.time_window() && tally.is_none());
        let now = if needs_now { now().get() } else { 0 };
        let (streak, first) = if flags.streak() { self.streak.read(epoch.get()) } else { (0, 0) };
        Evidence {
            tally: tally.unwrap_or_else(|| self.tally(epoch, flags, now)),
            streak,
            streak_nanos: if timed { now.saturating_sub(first) } else { 0 },
            overdue: if flags.overdue() {
                self.overdue.overdue(epoch.get(), self.params.overdue(epoch), now)
            } else {
                0
            },
        }
    }

    fn tally(&self, epoch: Epoch, flags: Flags, now: u64) -> Tally {
        if flags.time_window() {
            let (grid, buckets) = self.params.window(epoch);
            self.time_window.tally(grid, buckets, now)
        } else if flags.count_window() {
            self.count_window.tally(epoch.get())
        } else {
            Tally::default()
        }
    }

    fn window_snapshot(&self, seen: &Evidence, flags: Flags) -> WindowSnapshot {
        let (rate_min, slow_min) = self.params.rules.minimums();
        WindowSnapshot {
            calls: seen.tally.calls,
            failures: seen.tally.failures(),
            slow: seen.tally.slow + seen.tally.slow_cancelled,
            failure_rate: seen.tally.failure_rate(rate_min).map(Rate::as_f64),
            slow_rate: seen.tally.slow_rate(slow_min).map(Rate::as_f64),
            consecutive_failures: seen.streak,
            overdue: flags.overdue().then_some(seen.overdue),
        }
    }

    /// Returns the counts and rates at `now`, for a transition or a snapshot.
    pub(super) fn window_at(&self, epoch: Epoch, now: Nanos) -> WindowSnapshot {
        let flags = self.gate.word().flags();
        self.window_snapshot(&self.evidence(epoch, flags, None, || now), flags)
    }
}
