//! The right to make one call.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::breaker::Breaker;
use crate::machine::{Ended, Grant};
use crate::outcome::{Class, Outcome};

/// The way to a breaker, through a count of references that can be one's own: threads that call through a clone of a
/// service each do not fight over one cache line.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Arc<Root>);

#[derive(Debug)]
struct Root {
    breaker: Arc<Breaker>,
}

impl Shared {
    pub(crate) fn new(breaker: Arc<Breaker>) -> Self {
        Self(Arc::new(Root { breaker }))
    }

    /// The same breaker through a new count of references.
    pub(crate) fn own(&self) -> Self {
        Self::new(self.breaker())
    }

    /// The breaker itself.
    pub(crate) fn breaker(&self) -> Arc<Breaker> {
        Arc::clone(&self.0.breaker)
    }
}

impl Deref for Shared {
    type Target = Breaker;

    #[inline]
    fn deref(&self) -> &Breaker {
        &self.0.breaker
    }
}

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
    breaker: Shared,
    grant: Grant,
    stage: Stage,
}

/// What it means that the permit is dropped now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The call was given up.
    Held,
    /// The guarded code unwinds: nobody else can drop the permit while it runs.
    InCall,
    /// If a panic is on its way, it is the classifier's.
    InClassifier,
    /// Nothing.
    Settled,
}

impl Permit {
    #[inline]
    pub(crate) fn new(breaker: Shared, grant: Grant) -> Self {
        Self { breaker, grant, stage: Stage::Held }
    }

    /// Settles the call.
    #[inline]
    pub fn settle(mut self, outcome: Outcome) {
        self.end(outcome);
    }

    /// Settles the call as a success.
    #[inline]
    pub fn success(self) {
        self.settle(Outcome::success());
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

    /// The name of the breaker.
    pub fn name(&self) -> &str {
        self.breaker.name()
    }

    /// Whether the outcome of this call decides if the circuit closes.
    pub fn is_probe(&self) -> bool {
        self.grant.is_probe()
    }

    /// Runs guarded code: if it panics, the call has failed.
    #[inline]
    pub(crate) fn in_call<T>(&mut self, call: impl FnOnce() -> T) -> T {
        self.stage = Stage::InCall;
        let done = call();
        self.stage = Stage::Held;
        done
    }

    /// Runs code of the classifier: if it panics, the call says nothing.
    #[inline]
    pub(crate) fn in_classifier<T>(&mut self, judge: impl FnOnce() -> T) -> T {
        self.stage = Stage::InClassifier;
        let done = judge();
        self.stage = Stage::Held;
        done
    }

    /// From here on a panic is the classifier's.
    #[inline]
    pub(crate) fn into_classifier(mut self) -> Self {
        self.stage = Stage::InClassifier;
        self
    }

    #[inline]
    fn end(&mut self, outcome: Outcome) {
        // First, so that a panic in a user's rule does not settle it twice.
        self.stage = Stage::Settled;
        if outcome.class() == Class::Success && self.breaker.settle_success(&self.grant) {
            return;
        }
        self.breaker.settle(self.grant, outcome, Ended::default());
    }
}

impl Drop for Permit {
    #[inline]
    fn drop(&mut self) {
        let outcome = match self.stage {
            Stage::Settled => return,
            Stage::InCall => Outcome::failure().reason("panic"),
            Stage::InClassifier if std::thread::panicking() => Outcome::ignored(),
            Stage::InClassifier | Stage::Held => Outcome::cancelled(),
        };
        self.end(outcome);
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
