//! Calls in progress.

use std::ops::Deref;

use crate::breaker::unwind::{Runs, in_drop};
use crate::breaker::{Breaker, BreakerRef, Permit};
use crate::machine::PermitState;
use crate::outcome::Outcome;

/// The right to a call in progress, with the classifier's request info. A panic of the guarded code settles the call as
/// a failure, a panic of the classifier as ignored.
///
/// It holds the parts of a [`Permit`] instead of a `Permit`, so that a destructor checks once whether the call has
/// ended.
#[derive(Debug)]
pub(crate) struct InFlight<T = (), B: Deref<Target = Breaker> = BreakerRef> {
    /// `None` once the call has ended.
    held: Option<(B, T)>,
    permit: PermitState,
    runs: Runs,
}

impl<B: Deref<Target = Breaker>> InFlight<(), B> {
    #[inline(always)]
    pub(crate) fn new(breaker: B, permit: PermitState) -> Self {
        Self { held: Some((breaker, ())), permit, runs: Runs::Nothing }
    }

    /// Settles the call with the outcome that `classify` returns.
    #[inline]
    pub(crate) fn settle(mut self, classify: impl FnOnce() -> Outcome) {
        self.runs = Runs::Classifier;
        let outcome = classify();
        if let Some((breaker, ())) = self.held.take() {
            breaker.settle_shortly(&self.permit, &outcome);
        }
    }
}

impl InFlight {
    /// Runs the classifier on the request and keeps the request info that it returns.
    #[inline(always)]
    pub(crate) fn with_info<T>(mut self, classify: impl FnOnce() -> T) -> InFlight<T> {
        self.runs = Runs::Classifier;
        let info = classify();
        let held = self.held.take().map(|(breaker, ())| (breaker, info));
        InFlight { held, permit: self.permit, runs: Runs::Nothing }
    }
}

impl<T, B: Deref<Target = Breaker>> InFlight<T, B> {
    /// Runs guarded code.
    #[inline(always)]
    pub(crate) fn run<O>(&mut self, call: impl FnOnce() -> O) -> O {
        self.runs = Runs::Call;
        let output = call();
        self.runs = Runs::Nothing;
        output
    }

    /// Settles a call that is dropped before it has ended. Unless guarded code panicked, `dropped` returns the outcome,
    /// or `None` for a cancelled call.
    #[inline(always)]
    pub(crate) fn abandon(&mut self, dropped: impl FnOnce(T) -> Option<Outcome>) {
        if let Some((breaker, info)) = self.held.take() {
            let [word, started, flags] = self.permit.to_raw();
            abandon_slow(breaker, || dropped(info), word, started, flags, self.runs);
        }
    }
}

impl<T> InFlight<T> {
    /// Ends the call and returns its permit for the classifier. Returns `None` if the call has already ended.
    #[inline(always)]
    pub(crate) fn end(&mut self) -> Option<(Permit, T)> {
        let (breaker, info) = self.held.take()?;
        Some((Permit::new(breaker, self.permit.classifying()), info))
    }
}

impl<T, B: Deref<Target = Breaker>> Drop for InFlight<T, B> {
    #[inline(always)]
    fn drop(&mut self) {
        self.abandon(|_| None);
    }
}

// Takes the words of the permit one by one: see `PermitState::to_raw`.
#[cold]
#[inline(never)]
fn abandon_slow<B: Deref<Target = Breaker>>(
    breaker: B,
    dropped: impl FnOnce() -> Option<Outcome>,
    word: u64,
    started: u64,
    flags: u64,
    runs: Runs,
) {
    let permit = PermitState::from_raw([word, started, flags]);
    in_drop(|| match runs.unwound() {
        Some(outcome) => breaker.settle(permit, outcome),
        None => InFlight::new(breaker, permit).settle(|| dropped().unwrap_or(Outcome::cancelled())),
    });
}
