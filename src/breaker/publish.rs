//! The publication of transitions, after every lock is released.

use crate::breaker::{Breaker, in_drop};
use crate::clock;
use crate::event::Observer;
use crate::machine::{PermitState, Transitions, Verb};
use crate::outcome::Outcome;

/// The observers that every breaker has. They run before those of the user.
static BUILT_IN: &[&dyn Observer] = &[
    #[cfg(feature = "tracing")]
    &super::trace::Tracing,
];

impl Breaker {
    /// Executes a manual operation.
    pub(super) fn manual(&self, verb: Verb) {
        let transitions = self.machine.manual(verb, clock::now());
        self.publish(transitions);
    }

    /// Publishes the transitions of an admission. If an observer panics, the caller never receives `permit`, so it is
    /// settled as ignored.
    #[cold]
    pub(super) fn publish_for(&self, permit: Option<PermitState>, transitions: Transitions) {
        let unused = Unused(self, permit);
        self.publish(transitions);
        std::mem::forget(unused);
    }

    /// Publishes transitions to receivers, waiters and observers, in this order.
    #[cold]
    pub(super) fn publish(&self, transitions: Transitions) {
        for transition in transitions {
            self.log.push(transition);
        }
        // A receiver that is woken must find its transition in the log. An observer that panics must not prevent a
        // wake-up.
        self.waiters.wake();
        self.log.notify(BUILT_IN.iter().copied().chain(self.observers.iter()));
    }
}

/// Settles a permit as ignored when it is dropped.
struct Unused<'a>(&'a Breaker, Option<PermitState>);

impl Drop for Unused<'_> {
    fn drop(&mut self) {
        if let Some(permit) = self.1 {
            in_drop(|| self.0.settle(permit, Outcome::ignored()));
        }
    }
}
