//! One breaker: the machine with its clock, its listeners, and the permits that it gives.

mod breaker_ref;
mod handle;
mod health_check;
mod in_flight;
mod permit;
mod stream;
#[cfg(feature = "tracing")]
mod trace;
mod unwind;
mod wait;
mod wrap;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

pub(crate) use breaker_ref::BreakerRef;
pub use handle::BreakerHandle;
pub(crate) use in_flight::InFlight;
pub use permit::Permit;
pub use stream::GuardedStream;
#[cfg(feature = "http")]
pub(crate) use unwind::Runs;
pub(crate) use unwind::{classifying, in_drop};
pub(crate) use wait::Waiter;
pub use wait::{Changed, Events, Watch};
pub use wrap::WrapFuture;

use crate::clock::{self, Coarse};
use crate::error::CircuitOpen;
use crate::event::{Log, Waiters};
use crate::machine::{
    self, Admission, Callbacks, Clock as _, GateWord, Machine, Nanos, PermitState, Rejection,
    Settings, Settled, Transitions, Verb, WouldReject,
};
use crate::outcome::{Class, Outcome};
use crate::state::State;

/// What a handle, a layer and its permits share.
pub(crate) struct Breaker {
    machine: Machine,
    coarse: Coarse,
    /// As rejections carry it.
    name: Arc<Box<str>>,
    log: Log,
    waiters: Waiters,
}

/// What a person wants to see of it; everything else is in a snapshot.
impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.machine.state(clock::now);
        f.debug_struct("Breaker")
            .field("name", &self.name())
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

impl Breaker {
    pub(crate) fn new(name: Arc<str>, settings: Settings, callbacks: Callbacks) -> Arc<Self> {
        // A different jitter in every breaker of a fleet: the hasher's keys are random.
        let seed = RandomState::new().hash_one(&name);
        let thin = Arc::new(Box::from(&*name));
        let machine = Machine::new(name, settings, callbacks, clock::now(), seed);
        let log = Log::new(machine.epoch() + 1);
        let coarse = Coarse::new();
        Arc::new(Self { machine, coarse, name: thin, log, waiters: Waiters::default() })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Epoch and state as they read now.
    fn reading(&self) -> (u64, State) {
        self.machine.reading(clock::now())
    }

    /// What the gate shows, if it lets everybody pass and that is all.
    #[inline(always)]
    pub(crate) fn free(&self) -> Option<u64> {
        self.machine.free().map(GateWord::bits)
    }

    /// Admits a call whose caller has seen the gate [`free`](Self::free), if it shows the same now.
    #[inline(always)]
    pub(crate) fn admit_again(&self, seen: u64) -> Option<PermitState> {
        self.machine.admit_again(seen, self)
    }

    /// For how many nanoseconds a call would be rejected now, if that needs no lock to be known.
    #[inline(always)]
    pub(crate) fn would_reject_for(&self) -> Option<u64> {
        match self.machine.would_reject(self) {
            WouldReject::For(wait) => Some(wait.get()),
            WouldReject::No | WouldReject::NeedsLock => None,
        }
    }

    /// For how many nanoseconds a call would be rejected now, if it would. Does what time has made due.
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
        let (refuses, due) = self.machine.would_reject_locked(self.exact());
        if !due.is_empty() {
            self.publish(due);
        }
        refuses.map(Nanos::get)
    }

    /// Admits a call where that is only a look.
    #[inline(always)]
    pub(crate) fn admit_freely(&self) -> Option<PermitState> {
        self.machine.admit_freely(self)
    }

    #[inline(always)]
    pub(crate) fn admit(&self) -> Result<PermitState, CircuitOpen> {
        match self.admit_freely() {
            Some(grant) => Ok(grant),
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
            Admission::Admitted(grant) => {
                if grant.is_probe() {
                    // Its lease has an end that those who wait do not know of.
                    self.waiters.wake();
                }
                Ok(grant)
            }
            Admission::Rejected(rejection) => Err(self.rejection(rejection)),
        }
    }

    /// The guarded service failed before it could be called: a failure without a permit, also where not every call
    /// is admitted.
    #[cold]
    pub(crate) fn unready(&self) {
        let grant = self.machine.admit_failed().map_or_else(|| self.admit_slow(), Ok);
        if let Ok(grant) = grant {
            self.settle(grant, Outcome::failure().reason("not ready"));
        }
    }

    /// The permit for a probe in the background, if one is due.
    fn admit_health_check(&self) -> Option<PermitState> {
        let (grant, transitions) = self.machine.admit_health_check(clock::now());
        if !transitions.is_empty() {
            self.publish_for(grant, transitions);
        }
        grant
    }

    fn count_health_check(&self, comes: bool) {
        self.machine.count_health_check(comes);
        self.waiters.wake();
    }

    /// Rejects a call whose service was not polled ready because it would be rejected.
    #[inline(always)]
    pub(crate) fn reject(&self, wait: u64) -> CircuitOpen {
        self.rejection(self.machine.reject(Nanos::from_u64(wait)))
    }

    #[inline(always)]
    fn rejection(&self, rejection: Rejection) -> CircuitOpen {
        let name = Arc::clone(&self.name);
        CircuitOpen::from_nanos(name, rejection.state(), rejection.cause(), rejection.wait.get())
    }

    /// Settles a call, by a short way where there is one.
    #[inline(always)]
    pub(crate) fn settle_shortly(&self, grant: &PermitState, outcome: &Outcome) {
        let settled = match outcome.class() {
            Class::Success => self.settle_success(grant),
            Class::Failure => self.settle_failure(grant, outcome),
            _ => false,
        };
        if !settled {
            self.settle(*grant, *outcome);
        }
    }

    #[inline(always)]
    pub(crate) fn settle_success(&self, grant: &PermitState) -> bool {
        self.machine.settle_success(grant, self)
    }

    #[inline(always)]
    pub(crate) fn settle_failure(&self, grant: &PermitState, outcome: &Outcome) -> bool {
        self.machine.settle_failure(grant, outcome)
    }

    #[inline(never)]
    pub(crate) fn settle(&self, grant: PermitState, outcome: Outcome) {
        self.tell(self.machine.settle(grant, outcome, clock::now));
    }

    /// The answer of a call has begun.
    pub(crate) fn answered(&self, grant: PermitState) -> PermitState {
        let (grant, settled) = self.machine.response_started(grant, clock::now);
        self.tell(settled);
        grant
    }

    /// Nobody waits for a call, whose time is not its own.
    #[cfg(feature = "http")]
    pub(crate) fn cancel(&self, grant: PermitState) {
        let grant = self.machine.without_time(grant);
        self.settle(grant, Outcome::cancelled());
    }

    fn tell(&self, settled: Settled) {
        if !settled.transitions.is_empty() {
            self.publish(settled.transitions);
        } else if settled.freed {
            self.waiters.wake();
        }
    }

    fn manual(&self, verb: Verb) {
        let transitions = self.machine.manual(verb, clock::now());
        self.publish(transitions);
    }

    /// Tells everybody what a call did that was given `grant`: an observer that panics must not keep that.
    #[cold]
    fn publish_for(&self, grant: Option<PermitState>, transitions: Transitions) {
        let unused = Unused(self, grant);
        self.publish(transitions);
        std::mem::forget(unused);
    }

    /// Tells everybody, after every lock is released.
    #[cold]
    fn publish(&self, transitions: Transitions) {
        for transition in transitions {
            self.log.push(transition);
        }
        // Before the observers: one that panics must not keep anybody waiting.
        self.waiters.wake();
        self.log.tell(|_transition| {
            #[cfg(feature = "tracing")]
            trace::emit(_transition);
        });
    }
}

impl machine::Clock for Breaker {
    #[inline]
    fn exact(&self) -> Nanos {
        self.machine.nanos_at(clock::now())
    }

    #[inline(always)]
    fn recent(&self) -> Nanos {
        Nanos::from_u64(self.coarse.nanos(|| self.exact().get()))
    }

    #[inline(always)]
    fn behind(&self) -> Nanos {
        Nanos::from_u64(Coarse::BEHIND)
    }
}

/// Gives back what was admitted when it is dropped.
struct Unused<'a>(&'a Breaker, Option<PermitState>);

impl Drop for Unused<'_> {
    fn drop(&mut self) {
        if let Some(grant) = self.1 {
            in_drop(|| self.0.settle(grant, Outcome::ignored()));
        }
    }
}
