//! The machine, with the types of the reference.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::reference::{AdmitResult, Chance, Change, Config, Totals, View, WindowView, custom_sum};
use super::translate::{cooldown, settings};
use crate::backoff::{self, FOREVER, Random};
use crate::machine::{
    self, Admission, Callbacks, Clock, Machine, Nanos, PermitState, Rejection, Transition,
    Transitions, Verb, WindowSnapshot, WouldReject,
};
use crate::outcome::{Class, LastError, Outcome};

const SEED: u64 = 42;

/// A machine that is called as a breaker calls it, with times since its start.
#[derive(Debug)]
pub(super) struct Real {
    machine: Machine,
    start: Instant,
    changes: Vec<Change>,
}

/// A clock that is always exact. The rules do not depend on how far a coarse clock is behind.
struct At(Duration);

impl Clock for At {
    fn exact(&self) -> Nanos {
        Nanos::since_start(self.0)
    }

    fn recent(&self) -> Nanos {
        self.exact()
    }

    fn behind(&self) -> Nanos {
        Nanos::ZERO
    }
}

impl Real {
    pub(super) fn new(config: &Config) -> Self {
        let start = Instant::now();
        let custom = config.custom;
        let step = config.cooldown.callback;
        let callbacks = Callbacks {
            rule: custom.map(|n| -> machine::callbacks::CustomRule {
                Arc::new(move |seen: &WindowSnapshot| custom_sum(&window_view(seen)) >= n)
            }),
            cooldown: step.map(|step| -> machine::callbacks::CooldownFn {
                Arc::new(move |attempt| step * (attempt + 1))
            }),
            settled: None,
        };
        let machine = Machine::new(Arc::from("model"), settings(config), callbacks, start, SEED);
        Self { machine, start, changes: Vec::new() }
    }

    pub(super) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    pub(super) fn admit(&mut self, now: Duration) -> (AdmitResult, Option<PermitState>) {
        let at = self.start + now;
        let seen = self.machine.free();
        let again = seen.and_then(|seen| self.machine.admit_again(seen.bits(), &At(now)));
        if let Some(permit) = again.or_else(|| self.machine.admit_freely(&At(now))) {
            return (AdmitResult::Counted { probe: false }, Some(permit));
        }
        let (admission, transitions) = self.machine.admit(|| at);
        self.push_changes(transitions);
        match admission {
            Admission::Admitted(permit) if permit.is_inert() => (AdmitResult::Inert, Some(permit)),
            Admission::Admitted(permit) => {
                (AdmitResult::Counted { probe: permit.is_probe() }, Some(permit))
            }
            Admission::Rejected(rejection) => (rejected(rejection), None),
        }
    }

    pub(super) fn admit_unready(&mut self, now: Duration) -> (AdmitResult, Option<PermitState>) {
        match self.machine.admit_failed() {
            Some(permit) => (AdmitResult::Counted { probe: false }, Some(permit)),
            None => self.admit(now),
        }
    }

    /// Settles by the fast path if it takes the call, as a permit does.
    pub(super) fn settle(
        &mut self,
        permit: PermitState,
        outcome: Outcome,
        short: bool,
        now: Duration,
    ) {
        let at = self.start + now;
        let bare = outcome.class() == Class::Success;
        if short && bare && self.machine.settle_success(&permit, &At(now)) {
            return;
        }
        let failed = outcome.class() == Class::Failure;
        if failed && self.machine.settle_failure(&permit, &outcome) {
            return;
        }
        let settled = self.machine.settle(permit, outcome, || at);
        self.push_changes(settled.transitions);
    }

    /// Returns what is left to settle, or `None` if the rest counts nowhere.
    pub(super) fn response_started(
        &mut self,
        permit: PermitState,
        now: Duration,
    ) -> Option<PermitState> {
        let at = self.start + now;
        let (rest, settled) = self.machine.response_started(permit, || at);
        self.push_changes(settled.transitions);
        (permit.is_inert() || !rest.is_inert()).then_some(rest)
    }

    pub(super) fn would_reject(&mut self, now: Duration) -> Option<Option<Duration>> {
        let wait = match self.machine.would_reject(&At(now)) {
            WouldReject::No => None,
            WouldReject::For(wait) => Some(wait),
            WouldReject::NeedsLock => {
                let (wait, transitions) = self.machine.would_reject_locked(At(now).exact());
                self.push_changes(transitions);
                wait
            }
        };
        wait.map(known)
    }

    pub(super) fn reject(&mut self, wait: Option<Duration>) -> AdmitResult {
        rejected(self.machine.reject(wait.map_or(Nanos::NEVER, Nanos::since_start)))
    }

    pub(super) fn tick(&mut self, now: Duration) {
        let transitions = self.machine.tick(self.start + now);
        self.push_changes(transitions);
    }

    pub(super) fn manual(&mut self, verb: Verb, now: Duration) {
        let transitions = self.machine.manual(verb, self.start + now);
        self.push_changes(transitions);
    }

    pub(super) fn reconfigure(&mut self, config: &Config, now: Duration) {
        self.machine.reconfigure(&settings(config), self.start + now);
    }

    pub(super) fn set_health_check(&mut self, runs: bool) {
        self.machine.count_health_check(runs);
    }

    pub(super) fn admit_health_check(&mut self, now: Duration) -> Option<PermitState> {
        let (permit, transitions) = self.machine.admit_health_check(self.start + now);
        self.push_changes(transitions);
        permit
    }

    pub(super) fn view(&self, now: Duration) -> View {
        let at = self.start + now;
        let seen = self.machine.snapshot(at);
        assert_eq!(self.machine.state(|| at), seen.state, "two ways to read the state");
        assert_eq!(self.machine.reading(at), (seen.epoch, seen.state));
        assert_eq!((self.machine.epoch(), self.machine.mode()), (seen.epoch, seen.mode));
        let since = |at: Instant| at - self.start;
        let totals = seen.totals;
        let has_overdue_rule = seen.window.overdue.is_some();
        View {
            state: seen.state,
            mode: seen.mode,
            epoch: seen.epoch,
            since: since(seen.since),
            until: seen.until.map(since),
            asked_until: seen.asked_until.map(since),
            cause: seen.cause,
            attempt: seen.attempt,
            probes: seen.probes,
            window: window_view(&seen.window),
            in_flight: seen.in_flight,
            admitted: totals.admitted,
            totals: Totals {
                success: totals.success,
                failure: totals.failure,
                throttled: totals.throttled,
                exhausted: totals.exhausted,
                ignored: totals.ignored,
                cancelled: totals.cancelled,
                late: totals.late,
                rejected: totals.rejected,
                would_reject: totals.would_reject,
                broken_after: totals.broken_after,
            },
            last_error: seen.last_error.map(error),
            deadline: self.machine.deadline(at).map(since).filter(|_| !has_overdue_rule),
        }
    }

    fn push_changes(&mut self, transitions: Transitions) {
        let start = self.start;
        self.changes.extend(transitions.into_iter().map(|transition: Transition| Change {
            epoch: transition.epoch,
            from: transition.from,
            to: transition.to,
            mode: transition.mode,
            cause: transition.cause,
            at: transition.at - start,
            due_since: transition.due_since.map(|due| due - start),
            open_for: transition.open_for,
            attempt: transition.attempt,
            window: window_view(&transition.window),
            last_error: transition.last_error.map(error),
        }));
    }
}

fn error(error: LastError) -> (Class, Option<u16>) {
    (error.class, error.code)
}

fn known(wait: Nanos) -> Option<Duration> {
    (wait != Nanos::NEVER).then(|| wait.to_duration())
}

fn rejected(rejection: Rejection) -> AdmitResult {
    let (state, cause) = (rejection.state(), rejection.cause());
    AdmitResult::Rejected { state, cause, wait: known(rejection.wait) }
}

fn window_view(seen: &WindowSnapshot) -> WindowView {
    WindowView {
        calls: seen.calls,
        failures: seen.failures,
        slow: seen.slow,
        failure_rate: seen.failure_rate,
        slow_rate: seen.slow_rate,
        consecutive_failures: seen.consecutive_failures,
        overdue: seen.overdue,
    }
}

/// The random numbers of the machine, from the same seed by the same arithmetic.
#[derive(Debug)]
pub(super) struct SameRandom(Random);

impl SameRandom {
    pub(super) fn new() -> Self {
        Self(Random::new(SEED))
    }
}

impl Chance for SameRandom {
    fn cooldown(&mut self, config: &Config, nominal: Duration) -> Duration {
        let cooldown = cooldown(config);
        let cooldown =
            if config.cooldown.callback.is_some() { cooldown.max(FOREVER) } else { cooldown };
        cooldown.finish(nominal, &mut self.0)
    }

    fn server_wait(&mut self, config: &Config, asked: Duration, cap: Duration) -> Duration {
        backoff::server_wait(asked, cap, config.hold_jitter, &mut self.0)
    }
}
