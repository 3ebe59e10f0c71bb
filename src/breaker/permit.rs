//! The right to make one call.

use std::fmt;

use crate::breaker::BreakerRef;
use crate::breaker::unwind::{in_drop, is_classifying};
use crate::machine::PermitState;
use crate::outcome::Outcome;

/// The right to make one call. It is acquired before the call and settled with the call's [`Outcome`].
///
/// A permit may be moved into a future, into a response body, or to another thread. Its owner settles it when the call
/// has ended. A permit belongs to the epoch in which it was acquired: if the state of the breaker has changed since,
/// the outcome is counted as [`late`](crate::handle::Totals::late) and decides nothing.
///
/// # Cancel safety
///
/// Dropping a permit records a [cancelled](crate::Class::Cancelled) call, which returns a probe's lease. If the call
/// has run for [`cancelled_after`](crate::SettingsBuilder::cancelled_after), it is a failure instead.
#[must_use = "a permit that is dropped records a cancelled call"]
pub struct Permit {
    /// `None` once the permit is settled.
    breaker: Option<BreakerRef>,
    state: PermitState,
}

impl Permit {
    #[inline]
    pub(crate) fn new(breaker: BreakerRef, state: PermitState) -> Self {
        Self { breaker: Some(breaker), state }
    }

    /// Settles the call.
    #[inline]
    pub fn settle(mut self, outcome: Outcome) {
        if let Some(breaker) = self.breaker.take() {
            breaker.settle_shortly(&self.state, &outcome);
        }
    }

    /// Settles the call as a success.
    #[inline(always)]
    pub fn success(mut self) {
        if let Some(breaker) = self.breaker.take()
            && !breaker.settle_success(&self.state)
        {
            let [word, started, flags] = self.state.to_raw();
            success_slow(breaker, word, started, flags);
        }
    }

    /// Settles the call as a failure.
    #[inline]
    pub fn failure(self) {
        self.settle(Outcome::failure());
    }

    /// Settles the call as ignored: it says nothing about the dependency.
    #[inline]
    pub fn ignore(self) {
        self.settle(Outcome::ignored());
    }

    /// Records that the response has started: the head has arrived, and the body follows.
    ///
    /// The time of the call ends here, for the rules on slow and overdue calls and for
    /// [`cancelled_after`](crate::SettingsBuilder::cancelled_after), because the rest depends on the reader.
    ///
    /// A probe succeeds here. Otherwise the half-open period would last as long as a stream. The permit that is
    /// returned for a probe is its *body tail*, for which [`is_probe`](Self::is_probe) is `false`. If the tail is
    /// settled as a failure, throttled or exhausted, it counts in
    /// [`broken_after`](crate::handle::Totals::broken_after). Unless the epoch that followed is over as well, it also
    /// counts there: as a failed probe if the circuit is still half-open, and otherwise as a call with that outcome.
    /// Any other end of a tail has no effect.
    ///
    /// A second call has no effect.
    pub fn response_started(mut self) -> Self {
        // Taken out during the call: if an observer panics, the probe must not be settled a second time.
        if let Some(breaker) = self.breaker.take() {
            self.state = breaker.response_started(self.state);
            self.breaker = Some(breaker);
        }
        self
    }

    /// Settles the call as cancelled, however long it ran: the time was the caller's, not the dependency's.
    #[cfg(feature = "http")]
    pub(crate) fn cancel(mut self) {
        if let Some(breaker) = self.breaker.take() {
            breaker.cancel(self.state);
        }
    }

    /// Returns the name of the breaker.
    pub fn name(&self) -> &str {
        self.breaker.as_ref().map_or("", |breaker| breaker.name())
    }

    /// Returns whether this call is a probe: its outcome helps to decide whether the circuit closes.
    pub fn is_probe(&self) -> bool {
        self.state.is_probe()
    }
}

/// Settles a success that does more than increment a counter.
///
/// Like every slow path here, it takes the words of the permit one by one. If it took a `PermitState`, every call would
/// have to write that to memory, in case the slow path is taken.
#[cold]
#[inline(never)]
fn success_slow(breaker: BreakerRef, word: u64, started: u64, flags: u64) {
    breaker.settle(PermitState::from_raw([word, started, flags]), Outcome::success());
}

/// Settles a permit that is dropped.
#[cold]
#[inline(never)]
fn drop_slow(breaker: BreakerRef, word: u64, started: u64, flags: u64) {
    let state = PermitState::from_raw([word, started, flags]);
    let outcome = if state.is_classifying() && is_classifying() && std::thread::panicking() {
        Outcome::ignored()
    } else {
        Outcome::cancelled()
    };
    in_drop(|| breaker.settle(state, outcome));
}

impl Drop for Permit {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(breaker) = self.breaker.take() {
            let [word, started, flags] = self.state.to_raw();
            drop_slow(breaker, word, started, flags);
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("breaker", &self.name())
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
