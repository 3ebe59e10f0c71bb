//! Calls that are being made.

use std::cell::Cell;
use std::ops::Deref;

use crate::breaker::permit::in_drop;
use crate::breaker::{Breaker, BreakerRef, Permit};
use crate::machine::PermitState;
use crate::outcome::Outcome;
use crate::sync::thread_local;

/// A permit whose call is being made, and what came of the request. If guarded code panics, the call has failed.
///
/// The parts of the permit, not the permit: its end is looked at once, here.
#[derive(Debug)]
pub(crate) struct InFlight<T: Asked = (), B: Deref<Target = Breaker> = BreakerRef> {
    /// `None` once the call has ended.
    held: Option<(B, T)>,
    grant: PermitState,
    runs: Runs,
}

/// What the request said, kept while the call is made.
pub trait Asked {
    /// What it means that the call was dropped before it had a result. `None`: cancelled.
    fn dropped(self) -> Option<Outcome>;
}

/// Nothing was asked.
impl Asked for () {
    #[inline(always)]
    fn dropped(self) -> Option<Outcome> {
        None
    }
}

/// Whose code runs while nobody else can drop the permit: if it is dropped all the same, that code unwinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runs {
    Nothing,
    /// The guarded call: it has failed.
    Call,
    /// The classifier: the call says nothing.
    Classifier,
}

impl Runs {
    /// What it means that this code did not return.
    pub(crate) fn unwound(self) -> Option<Outcome> {
        match self {
            Self::Nothing => None,
            Self::Call => Some(Outcome::failure().reason("panic")),
            Self::Classifier => Some(Outcome::ignored()),
        }
    }
}

impl<B: Deref<Target = Breaker>> InFlight<(), B> {
    #[inline(always)]
    pub(crate) fn new(breaker: B, grant: PermitState) -> Self {
        Self { held: Some((breaker, ())), grant, runs: Runs::Nothing }
    }

    /// The call has ended, and `judge` says how. If it panics, the call says nothing.
    #[inline]
    pub(crate) fn settle(mut self, judge: impl FnOnce() -> Outcome) {
        self.runs = Runs::Classifier;
        let outcome = judge();
        if let Some((breaker, ())) = self.held.take() {
            breaker.settle_shortly(&self.grant, &outcome);
        }
    }
}

impl InFlight {
    /// Runs the classifier on the request, for what it needs at the end. If it panics, the call says nothing.
    #[inline(always)]
    pub(crate) fn ask<T: Asked>(mut self, classify: impl FnOnce() -> T) -> InFlight<T> {
        self.runs = Runs::Classifier;
        let token = classify();
        let held = self.held.take().map(|(breaker, ())| (breaker, token));
        InFlight { held, grant: self.grant, runs: Runs::Nothing }
    }
}

impl<T: Asked, B: Deref<Target = Breaker>> InFlight<T, B> {
    /// Runs guarded code.
    #[inline(always)]
    pub(crate) fn run<O>(&mut self, call: impl FnOnce() -> O) -> O {
        self.runs = Runs::Call;
        let done = call();
        self.runs = Runs::Nothing;
        done
    }
}

impl<T: Asked> InFlight<T> {
    /// The call has ended: the permit goes to the classifier, which may hand it on. `None` if it had ended before.
    #[inline(always)]
    pub(crate) fn end(&mut self) -> Option<(Permit, T)> {
        let (breaker, token) = self.held.take()?;
        Some((Permit::new(breaker, self.grant.classifying()), token))
    }
}

impl<T: Asked, B: Deref<Target = Breaker>> Drop for InFlight<T, B> {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some((breaker, asked)) = self.held.take() {
            let [word, started, marks] = self.grant.to_raw();
            given_up(breaker, asked, word, started, marks, self.runs);
        }
    }
}

/// Runs a classifier together with the permit that it has. If it panics, the call says nothing.
#[inline(always)]
pub(crate) fn classifying<T>(judge: impl FnOnce() -> T) -> T {
    let _judging = ClassifyingGuard { outer: CLASSIFYING.replace(true) };
    judge()
}

#[cold]
#[inline(never)]
fn given_up<T: Asked, B: Deref<Target = Breaker>>(
    breaker: B,
    asked: T,
    word: u64,
    started: u64,
    marks: u64,
    runs: Runs,
) {
    let grant = PermitState::from_raw([word, started, marks]);
    in_drop(|| match runs.unwound() {
        Some(outcome) => breaker.settle(grant, outcome),
        None => {
            let mut call = InFlight::new(breaker, grant);
            // If the classifier panics, the call says nothing.
            call.runs = Runs::Classifier;
            let outcome = asked.dropped().unwrap_or(Outcome::cancelled());
            if let Some((breaker, ())) = call.held.take() {
                breaker.settle(grant, outcome);
            }
        }
    });
}

thread_local! {
    /// Whether a classifier runs on this thread. It tells a panic of the classifier from one of whoever holds the
    /// permit later.
    static CLASSIFYING: Cell<bool> = const { Cell::new(false) };
}

struct ClassifyingGuard {
    outer: bool,
}

impl Drop for ClassifyingGuard {
    #[inline(always)]
    fn drop(&mut self) {
        CLASSIFYING.set(self.outer);
    }
}

/// Whether a classifier runs on this thread together with the permit that it has.
pub(super) fn is_classifying() -> bool {
    CLASSIFYING.get()
}
