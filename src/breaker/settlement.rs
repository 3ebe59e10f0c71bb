//! Settles calls.

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

    /// Settles a success that only has to be counted. Returns `false` if it has not been settled.
    #[inline(always)]
    pub(crate) fn settle_success(&self, permit: &PermitState) -> bool {
        self.machine.settle_success(permit, self)
    }

    /// Settles a failure that no rule except the streak counts. Returns `false` if it has not been settled.
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

    /// Settles a call as cancelled, however long it ran: the time that it took was not the dependency's.
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
