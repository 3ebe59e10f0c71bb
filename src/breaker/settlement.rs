//! The settlement of calls.

use crate::breaker::Breaker;
use crate::clock;
use crate::machine::{PermitState, Settled};
use crate::outcome::{Class, Outcome};

impl Breaker {
    /// Settles a call on the fast path if there is one for its outcome.
    #[inline(always)]
    pub(crate) fn settle_shortly(&self, permit: &PermitState, outcome: &Outcome) {
        let settled = match outcome.class() {
            Class::Success => self.settle_success(permit),
            Class::Failure => self.settle_failure(permit, outcome),
            _ => false,
        };
        if !settled {
            self.settle(*permit, *outcome);
        }
    }

    /// Settles a success if it only has to be counted. Otherwise settles nothing and returns `false`.
    #[inline(always)]
    pub(crate) fn settle_success(&self, permit: &PermitState) -> bool {
        self.machine.settle_success(permit, self)
    }

    /// Settles a failure if it only extends the streak. Otherwise settles nothing and returns `false`.
    #[inline(always)]
    pub(crate) fn settle_failure(&self, permit: &PermitState, outcome: &Outcome) -> bool {
        self.machine.settle_failure(permit, outcome)
    }

    #[inline(never)]
    pub(crate) fn settle(&self, permit: PermitState, outcome: Outcome) {
        self.finish(self.machine.settle(permit, outcome, clock::now));
    }

    /// Records that the response of a call has started.
    pub(crate) fn response_started(&self, permit: PermitState) -> PermitState {
        let (permit, settled) = self.machine.response_started(permit, clock::now);
        self.finish(settled);
        permit
    }

    /// Settles a call as cancelled, however long it ran, because its duration says nothing about the dependency.
    #[cfg(feature = "http")]
    pub(crate) fn cancel(&self, permit: PermitState) {
        let permit = self.machine.without_time(permit);
        self.settle(permit, Outcome::cancelled());
    }

    fn finish(&self, settled: Settled) {
        if !settled.transitions.is_empty() {
            self.publish(settled.transitions);
        } else if settled.freed {
            self.waiters.wake();
        }
    }
}
