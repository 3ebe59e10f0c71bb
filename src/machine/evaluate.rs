//! What the rules see, and what happens when one fires.

use crate::machine::Machine;
use crate::machine::flags::Flags;
use crate::machine::settle::Settled;
use crate::machine::view::WindowSnapshot;
use crate::machine::waits::ServerWait;
use crate::state::Cause;
use crate::trip::rules::{Evidence, Grew};
use crate::window::tally::{Rate, Tally};

impl Machine {
    /// Looks at what the rules look at.
    pub(super) fn evidence(
        &self,
        epoch: u64,
        flags: Flags,
        tally: Option<Tally>,
        now: impl FnOnce() -> u64,
    ) -> Evidence {
        let timed = self.params.rules.streak_is_timed();
        let needs_now = flags.overdue() || timed || (flags.time_window() && tally.is_none());
        let now = if needs_now { now() } else { 0 };
        let (streak, first) = if flags.streak() { self.streak.read(epoch) } else { (0, 0) };
        Evidence {
            tally: tally.unwrap_or_else(|| self.tally(epoch, flags, now)),
            streak,
            streak_nanos: if timed { now.saturating_sub(first) } else { 0 },
            overdue: if flags.overdue() {
                self.overdue.overdue(epoch, self.params.overdue(epoch), now)
            } else {
                0
            },
        }
    }

    pub(super) fn tally(&self, epoch: u64, flags: Flags, now: u64) -> Tally {
        if flags.time_window() {
            let (grid, buckets) = self.params.window(epoch);
            self.time_window.tally(grid, buckets, now)
        } else if flags.count_window() {
            self.count_window.tally(epoch)
        } else {
            Tally::default()
        }
    }

    pub(super) fn window_snapshot(&self, seen: &Evidence, flags: Flags) -> WindowSnapshot {
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

    /// What the rules see now, as people read it.
    pub(super) fn window_at(&self, epoch: u64, now: u64) -> WindowSnapshot {
        let flags = self.gate.word().flags();
        self.window_snapshot(&self.evidence(epoch, flags, None, || now), flags)
    }

    /// Asks the rules whose numerators grew, and opens the circuit if one fires.
    pub(super) fn evaluate(
        &self,
        epoch: u64,
        flags: Flags,
        tally: Option<Tally>,
        grew: Grew,
        mut now: impl FnMut() -> u64,
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
        self.open(epoch, cause, &seen, grew, now(), wait)
    }

    #[cold]
    pub(super) fn open(
        &self,
        epoch: u64,
        cause: Cause,
        seen: &Evidence,
        grew: Grew,
        now: u64,
        wait: ServerWait,
    ) -> Settled {
        self.settle_in(epoch, wait, now, |core, now, own, settled| {
            // The settings may have changed while they were read.
            if cause == Cause::Custom || self.params.rules.fired(seen, grew).is_some() {
                let planned = core.plan_cooldown(now, own)?;
                let window = self.window_snapshot(seen, self.gate.word().flags());
                settled.transitions.push(core.trip(cause, now, planned, wait, window));
            }
            Ok(())
        })
    }
}
