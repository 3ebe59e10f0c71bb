//! What the machine shows: transitions, windows, snapshots.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::machine::totals::Totals;
use crate::outcome::LastError;
use crate::state::{Cause, Mode, State};

/// What the window and the other rules see.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct WindowSnapshot {
    /// Calls in the window that succeeded or failed.
    pub calls: u64,
    /// Failures in the window, by weight.
    pub failures: u64,
    /// Slow calls in the window.
    pub slow: u64,
    /// Failures over calls, by weight, 0.0 to 1.0; `None` below the rule's minimum of calls.
    pub failure_rate: Option<f64>,
    /// Slow calls over calls, 0.0 to 1.0; `None` below the rule's minimum of calls.
    pub slow_rate: Option<f64>,
    /// Failures in a row.
    pub consecutive_failures: u32,
    /// Calls that are pending for too long; `None` without that rule.
    pub overdue: Option<u64>,
}

/// A change of state. Each begins a new epoch.
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
    /// Who is in charge from now on.
    pub mode: Mode,
    /// Why.
    pub cause: Cause,
    /// When.
    pub at: Instant,
    /// Since when it could have happened: nothing happens between calls, so that an open circuit whose cooldown has
    /// ended half-opens with the next call.
    pub due_since: Option<Instant>,
    /// How long the circuit stays open, if it opens and somebody knows.
    pub open_for: Option<Duration>,
    /// The number of the last cooldown: 0 for a first trip, one more for each half-open period that failed, and for
    /// a trip before the circuit was closed for [`stable_for`](crate::SettingsBuilder::stable_for).
    pub attempt: u32,
    /// What the rules saw at the end of the old epoch.
    pub window: WindowSnapshot,
    /// The last bad outcome.
    pub last_error: Option<LastError>,
}

/// Everything that a breaker knows about itself at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The name of the breaker.
    pub breaker: Arc<str>,
    /// What happens to the next call: an open circuit past its deadline is half-open here.
    pub state: State,
    /// Who is in charge.
    pub mode: Mode,
    /// The number of the current epoch.
    pub epoch: u64,
    /// When the epoch began.
    pub since: Instant,
    /// Until when calls are rejected: of an open circuit, also when it has passed, and of a forced open with an end.
    pub until: Option<Instant>,
    /// What the server asked for, where that is later than the cap on waits.
    pub asked_until: Option<Instant>,
    /// Why the state is what it is.
    pub cause: Cause,
    /// The number of the last cooldown, as in [`Transition::attempt`].
    pub attempt: u32,
    /// Probes in flight.
    pub probes: u32,
    /// What the rules see.
    pub window: WindowSnapshot,
    /// Calls in flight; `None` where nobody counts them.
    pub in_flight: Option<u64>,
    /// The totals.
    pub totals: Totals,
    /// The last bad outcome.
    pub last_error: Option<LastError>,
}

/// The changes that one operation made, in order: none mostly, rarely more than two. One word that is empty on every call
/// that changes nothing.
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

    /// The epoch that began last.
    pub(super) fn last_epoch(&self) -> Option<u64> {
        let changes = self.0.as_deref()?;
        Some(changes.more.last().unwrap_or(&changes.first).epoch)
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
mod tests {
    use super::*;

    #[test]
    fn no_transition_is_lost_however_many_there_are() {
        let transition = |epoch| Transition {
            breaker: Arc::from("many"),
            epoch,
            from: State::Open,
            to: State::Open,
            mode: Mode::Normal,
            cause: Cause::Hold,
            at: Instant::now(),
            due_since: None,
            open_for: None,
            attempt: 0,
            window: WindowSnapshot::default(),
            last_error: None,
        };
        let mut transitions = Transitions::default();
        transitions.extend((2..5).map(transition));
        let epochs: Vec<_> = transitions.into_iter().map(|one| one.epoch).collect();
        assert_eq!(epochs, [2, 3, 4]);
    }
}
