//! The right to make one call.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::breaker::BreakerRef;
use crate::breaker::in_flight::is_classifying;
use crate::machine::PermitState;
use crate::outcome::Outcome;

/// The right to make one call, taken before the call and settled with its [`Outcome`].
///
/// It may travel: into a future, into a response body, to another thread. Whoever holds it when the call has ended
/// settles it. It belongs to the epoch in which it was given: once the breaker has changed its state, what it says
/// decides nothing and is counted as `late`.
///
/// # Cancel safety
///
/// Dropping a permit records *cancelled*, which is neutral and gives a probe's place back, unless the call had run
/// for [`cancelled_after`](crate::SettingsBuilder::cancelled_after): then it is a failure.
#[must_use = "a permit that is dropped records a cancelled call"]
pub struct Permit {
    /// `None` once it is settled.
    breaker: Option<BreakerRef>,
    grant: PermitState,
}

impl Permit {
    #[inline]
    pub(crate) fn new(breaker: BreakerRef, grant: PermitState) -> Self {
        Self { breaker: Some(breaker), grant }
    }

    /// Settles the call.
    #[inline]
    pub fn settle(mut self, outcome: Outcome) {
        if let Some(breaker) = self.breaker.take() {
            breaker.settle_shortly(&self.grant, &outcome);
        }
    }

    /// Settles the call as a success.
    #[inline(always)]
    pub fn success(mut self) {
        if let Some(breaker) = self.breaker.take()
            && !breaker.settle_success(&self.grant)
        {
            let [word, started, marks] = self.grant.to_raw();
            settle_slow(breaker, word, started, marks);
        }
    }

    /// Settles the call as a failure.
    #[inline]
    pub fn failure(self) {
        self.settle(Outcome::failure());
    }

    /// Settles the call as one that says nothing about the dependency.
    #[inline]
    pub fn ignore(self) {
        self.settle(Outcome::ignored());
    }

    /// The answer has begun, but the call has not ended: its body is still to come.
    ///
    /// The time of the call ends here, for the rules of slow and overdue calls and for
    /// [`cancelled_after`](crate::SettingsBuilder::cancelled_after): what comes is the time of whoever reads. A probe
    /// has succeeded by this, or half-open would last as long as a stream. What comes back for it is a watch: if it is
    /// settled as a failure (or throttled, or exhausted), that counts as
    /// [`broken_after`](crate::machine::Totals::broken_after) and is one failure of the epoch that followed, unless that is over
    /// too; any other end of a watch is nothing. [`is_probe`](Self::is_probe) is `false` for it.
    ///
    /// Asked again it changes nothing.
    pub fn answered(mut self) -> Self {
        // Taken out meanwhile: if an observer panics, a probe must not be settled a second time.
        if let Some(breaker) = self.breaker.take() {
            self.grant = breaker.answered(self.grant);
            self.breaker = Some(breaker);
        }
        self
    }

    /// Settles the call as cancelled, however long it ran: nobody waited for the dependency.
    #[cfg(feature = "http")]
    pub(crate) fn cancel(mut self) {
        if let Some(breaker) = self.breaker.take() {
            breaker.cancel(self.grant);
        }
    }

    /// The name of the breaker.
    pub fn name(&self) -> &str {
        self.breaker.as_ref().map_or("", |breaker| breaker.name())
    }

    /// Whether the outcome of this call decides if the circuit closes.
    pub fn is_probe(&self) -> bool {
        self.grant.is_probe()
    }
}

/// A success that is more than a count.
///
/// Like all that is out of the way here, it takes the words of a grant one by one: if it took the grant, every call
/// would have to write that to memory, in case this is asked.
#[cold]
#[inline(never)]
fn settle_slow(breaker: BreakerRef, word: u64, started: u64, marks: u64) {
    breaker.settle(PermitState::from_raw([word, started, marks]), Outcome::success());
}

/// What a permit records that is dropped. Out of the way of those that are settled.
#[cold]
#[inline(never)]
fn dropped(breaker: BreakerRef, word: u64, started: u64, marks: u64) {
    let grant = PermitState::from_raw([word, started, marks]);
    // A panic while the classifier runs is the classifier's; any other unwinding gave the call up.
    let outcome = if grant.is_classifying() && is_classifying() && std::thread::panicking() {
        Outcome::ignored()
    } else {
        Outcome::cancelled()
    };
    in_drop(|| breaker.settle(grant, outcome));
}

/// Runs what may ask a user's rule from a destructor: if that panics while another panic is on its way, only the
/// first one goes on. Two would end the process.
pub(crate) fn in_drop(work: impl FnOnce()) {
    if std::thread::panicking() {
        let _second = catch_unwind(AssertUnwindSafe(work));
    } else {
        work();
    }
}

impl Drop for Permit {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(breaker) = self.breaker.take() {
            let [word, started, marks] = self.grant.to_raw();
            dropped(breaker, word, started, marks);
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("breaker", &self.name())
            .field("grant", &self.grant)
            .finish_non_exhaustive()
    }
}
