//! The public view of the machine: transitions, windows and snapshots.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::machine::Machine;
use crate::machine::gate::PhaseTag;
use crate::machine::totals::Totals;
use crate::machine::units::{Epoch, Nanos};
use crate::outcome::LastError;
use crate::settings::Settings;
use crate::state::{Cause, Mode, State};
use crate::trip::overdue;

/// The counts and rates that the trip rules see.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct WindowSnapshot {
    /// The number of calls in the window that succeeded or failed.
    pub calls: u64,
    /// The sum of the weights of the failures in the window.
    pub failures: u64,
    /// The number of slow calls in the window.
    pub slow: u64,
    /// The share of failures, by weight, from 0.0 to 1.0. `None` if the window holds fewer calls than the rule's
    /// minimum.
    pub failure_rate: Option<f64>,
    /// The share of slow calls, from 0.0 to 1.0. `None` if the window holds fewer calls than the rule's minimum.
    pub slow_rate: Option<f64>,
    /// The number of consecutive failures.
    pub consecutive_failures: u32,
    /// The number of overdue calls. `None` if the overdue rule is off.
    pub overdue: Option<u64>,
}

/// A change of state. Every transition begins a new epoch.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Transition {
    /// The name of the breaker.
    pub breaker: Arc<str>,
    /// The number of the epoch that begins. Every epoch has exactly one transition.
    pub epoch: u64,
    /// The state that ends.
    pub from: State,
    /// The state that begins.
    pub to: State,
    /// The mode after the change.
    pub mode: Mode,
    /// The reason for the change.
    pub cause: Cause,
    /// The time of the change.
    pub at: Instant,
    /// The time from which the change was due, for the end of an open period, of a forced open or of a ramp. Such a
    /// change happens with the next call or timer: an open circuit whose cooldown has ended becomes half-open with the
    /// next call. `None` for every other change.
    pub due_since: Option<Instant>,
    /// How long the circuit stays open. `None` if it does not open or the duration is unknown.
    pub open_for: Option<Duration>,
    /// The number of the last cooldown. It is 0 for the first trip, and grows by one with each half-open period that
    /// fails and with each trip before the circuit was closed for
    /// [`stable_for`](crate::SettingsBuilder::stable_for).
    pub attempt: u32,
    /// The counts and rates at the end of the old epoch.
    pub window: WindowSnapshot,
    /// The last outcome of class failure, throttled or exhausted.
    pub last_error: Option<LastError>,
}

/// The state of a breaker at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The name of the breaker.
    pub breaker: Arc<str>,
    /// The state that the next call meets. An open period that is over reads as half-open.
    pub state: State,
    /// The mode.
    pub mode: Mode,
    /// The number of the current epoch.
    pub epoch: u64,
    /// When the epoch began.
    pub since: Instant,
    /// The end of an open period, even if it has passed, or of a forced open that has an end.
    pub until: Option<Instant>,
    /// The end of the wait that the server asked for, if it is later than the cap on waits.
    pub asked_until: Option<Instant>,
    /// The cause of the last transition.
    pub cause: Cause,
    /// The number of the last cooldown, as in [`Transition::attempt`].
    pub attempt: u32,
    /// The number of probes in flight.
    pub probes: u32,
    /// The counts and rates in the window.
    pub window: WindowSnapshot,
    /// The number of calls in flight. `None` if they are not counted, as in [`Totals::admitted`].
    pub in_flight: Option<u64>,
    /// The totals.
    pub totals: Totals,
    /// The last outcome of class failure, throttled or exhausted.
    pub last_error: Option<LastError>,
}

impl Machine {
    /// Returns the state that the next call meets.
    pub(crate) fn state(&self, now: impl FnOnce() -> Instant) -> State {
        let word = self.gate.word();
        match (word.phase(), self.gate.until(word)) {
            (phase @ (PhaseTag::Closed | PhaseTag::Disabled | PhaseTag::Probing), Some(_)) => {
                phase.state()
            }
            _ => {
                let now = self.nanos_at(now());
                self.state.lock().state_at(now)
            }
        }
    }

    /// Returns the epoch and the state at one moment.
    pub(crate) fn reading(&self, now: Instant) -> (u64, State) {
        let now = self.nanos_at(now);
        let state = self.state.lock();
        (state.epoch().get(), state.state_at(now))
    }

    pub(crate) fn mode(&self) -> Mode {
        self.state.lock().mode()
    }

    pub(crate) fn settings(&self) -> Settings {
        self.state.lock().settings().clone()
    }

    /// Returns the number of the current epoch.
    pub(crate) fn epoch(&self) -> u64 {
        self.gate.word().epoch().get()
    }

    pub(crate) fn snapshot(&self, now: Instant) -> Snapshot {
        let now = self.nanos_at(now);
        let totals = self.counters.totals(self.gate.word().flags().tracks());
        let last_error = self.last_error.load().error();
        let state = self.state.lock();
        state.snapshot(now, self.window_at(state.epoch(), now), totals, last_error)
    }

    /// Returns when time alone may change the state next, for a task that waits on the handle. `None` if only a call or
    /// an operator can change it.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        let now = self.nanos_at(now);
        let state = self.state.lock();
        let overdue =
            if state.is_counting() { self.overdue_deadline(state.epoch(), now) } else { None };
        let next = state.deadline().into_iter().chain(overdue).filter(|at| *at > now).min();
        next.map(|at| state.instant(at))
    }

    /// Returns when the overdue rule must be evaluated again.
    ///
    /// While no call is pending, no call that starts later can be overdue before the whole time of the rule has
    /// passed. The start of a call therefore wakes no task.
    fn overdue_deadline(&self, epoch: Epoch, now: Nanos) -> Option<Nanos> {
        if !self.gate.word().flags().overdue() {
            return None;
        }
        let grid = self.params.overdue(epoch);
        let ticks = if self.overdue.pending(epoch.get()) > 0 { 1 } else { overdue::PARTS };
        let next = grid.tick(now.get()) + ticks;
        Some(Nanos::from_u64(next.saturating_mul(grid.width.max(1))))
    }
}

/// The transitions of one operation, in order: usually none, rarely more than two. It is one word, which is zero if the
/// operation changed nothing.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Transitions(Option<Box<Changes>>);

#[derive(Debug)]
struct Changes {
    first: Transition,
    more: Vec<Transition>,
}

impl Transitions {
    pub(crate) fn push(&mut self, transition: Transition) {
        match &mut self.0 {
            None => self.0 = Some(Box::new(Changes { first: transition, more: Vec::new() })),
            Some(changes) => changes.more.push(transition),
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the epoch that began last.
    pub(super) fn last_epoch(&self) -> Option<u64> {
        let changes = self.0.as_deref()?;
        Some(changes.more.last().unwrap_or(&changes.first).epoch)
    }
}

impl FromIterator<Transition> for Transitions {
    fn from_iter<I: IntoIterator<Item = Transition>>(transitions: I) -> Self {
        let mut all = Self::default();
        all.extend(transitions);
        all
    }
}

impl Extend<Transition> for Transitions {
    fn extend<I: IntoIterator<Item = Transition>>(&mut self, more: I) {
        more.into_iter().for_each(|transition| self.push(transition));
    }
}

impl IntoIterator for Transitions {
    type Item = Transition;
    type IntoIter =
        std::iter::Chain<std::option::IntoIter<Transition>, std::vec::IntoIter<Transition>>;

    fn into_iter(self) -> Self::IntoIter {
        let (first, more) = match self.0 {
            None => (None, Vec::new()),
            Some(changes) => (Some(changes.first), changes.more),
        };
        first.into_iter().chain(more)
    }
}

#[cfg(test)]
mod tests;
