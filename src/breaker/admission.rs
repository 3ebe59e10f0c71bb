//! The admission and rejection of calls.

use crate::breaker::Breaker;
use crate::clock;
use crate::error::CircuitOpen;
use crate::machine::{Admission, Clock as _, GateWord, Nanos, PermitState, Rejection, WouldReject};
use crate::outcome::Outcome;

impl Breaker {
    /// Returns the word of the gate if the breaker is closed and an admission records at most the start of the call.
    #[inline(always)]
    pub(crate) fn free(&self) -> Option<u64> {
        self.machine.free().map(GateWord::bits)
    }

    /// Admits a call if the gate still has the word that [`free`](Self::free) returned.
    #[inline(always)]
    pub(crate) fn admit_again(&self, seen: u64) -> Option<PermitState> {
        self.machine.admit_again(seen, self)
    }

    /// Returns for how many nanoseconds a call would be rejected, if the gate alone decides that.
    #[inline(always)]
    pub(crate) fn would_reject_for(&self) -> Option<u64> {
        match self.machine.would_reject(self) {
            WouldReject::For(wait) => Some(wait.get()),
            WouldReject::No | WouldReject::NeedsLock => None,
        }
    }

    /// Returns for how many nanoseconds a call would be rejected, or `None` if it would be admitted. Makes the
    /// transition that is due by time alone.
    #[inline(never)]
    pub(crate) fn would_reject(&self) -> Option<u64> {
        match self.machine.would_reject(self) {
            WouldReject::No => None,
            WouldReject::For(wait) => Some(wait.get()),
            WouldReject::NeedsLock => self.would_reject_locked(),
        }
    }

    #[cold]
    #[inline(never)]
    fn would_reject_locked(&self) -> Option<u64> {
        let (wait, due) = self.machine.would_reject_locked(self.exact());
        if !due.is_empty() {
            self.publish(due);
        }
        wait.map(Nanos::get)
    }

    /// Admits a call if the gate alone allows it.
    #[inline(always)]
    pub(crate) fn admit_freely(&self) -> Option<PermitState> {
        self.machine.admit_freely(self)
    }

    #[inline(always)]
    pub(crate) fn admit(&self) -> Result<PermitState, CircuitOpen> {
        match self.admit_freely() {
            Some(permit) => Ok(permit),
            None => self.admit_slow(),
        }
    }

    #[cold]
    #[inline(never)]
    fn admit_slow(&self) -> Result<PermitState, CircuitOpen> {
        let (admission, transitions) = self.machine.admit(clock::now);
        if !transitions.is_empty() {
            self.publish_for(admission.permit(), transitions);
        }
        match admission {
            Admission::Admitted(permit) => {
                if permit.is_probe() {
                    // Waiters set their timers before this lease existed.
                    self.waiters.wake();
                }
                Ok(permit)
            }
            Admission::Rejected(rejection) => Err(self.rejection(rejection)),
        }
    }

    /// Records that the guarded service failed before it could be called. A ramp, which admits only a share of the
    /// calls, counts every such failure.
    #[cold]
    pub(crate) fn unready(&self) {
        let permit = self.machine.admit_failed().map_or_else(|| self.admit_slow(), Ok);
        if let Ok(permit) = permit {
            self.settle(permit, Outcome::failure().reason("not ready"));
        }
    }

    /// Returns the permit for a health check, if a probe is due.
    pub(super) fn admit_health_check(&self) -> Option<PermitState> {
        let (permit, transitions) = self.machine.admit_health_check(clock::now());
        if !transitions.is_empty() {
            self.publish_for(permit, transitions);
        }
        permit
    }

    /// Counts a health check that starts, or one that ends.
    pub(super) fn count_health_check(&self, starts: bool) {
        self.machine.count_health_check(starts);
        self.waiters.wake();
    }

    /// Rejects a call whose service was not polled ready because the call would be rejected.
    #[inline(always)]
    pub(crate) fn reject(&self, wait: u64) -> CircuitOpen {
        self.rejection(self.machine.reject(Nanos::from_u64(wait)))
    }

    #[inline(always)]
    fn rejection(&self, rejection: Rejection) -> CircuitOpen {
        let name = self.name.clone();
        CircuitOpen::from_nanos(name, rejection.state(), rejection.cause(), rejection.wait.get())
    }
}
