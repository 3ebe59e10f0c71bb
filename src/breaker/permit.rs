//! The right to make one call.

use std::cell::Cell;
use std::fmt;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::breaker::Breaker;
use crate::machine::Grant;
use crate::outcome::Outcome;
use crate::sync::thread_local;

/// The way to a breaker, through a count of references that can be one's own: threads that call through a clone of a
/// service each do not fight over one cache line.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Root>);

struct Root {
    breaker: Arc<Breaker>,
    /// With the two counts of an `Arc`, two cache lines: the counts of another clone are never beside these.
    _apart: [u64; 13],
}

impl Shared {
    pub(crate) fn new(breaker: Arc<Breaker>) -> Self {
        Self(Arc::new(Root { breaker, _apart: [0; 13] }))
    }

    /// The same breaker through a new count of references.
    pub(crate) fn own(&self) -> Self {
        Self::new(self.breaker())
    }

    /// Whether there is another way to the breaker than this one.
    #[cfg(feature = "reqwest-middleware")]
    pub(crate) fn is_held(&self) -> bool {
        Arc::strong_count(&self.0) > 1 || Arc::strong_count(&self.0.breaker) > 1
    }

    /// The breaker itself.
    pub(crate) fn breaker(&self) -> Arc<Breaker> {
        Arc::clone(&self.0.breaker)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.breaker.fmt(f)
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
    /// `None` once it is settled.
    breaker: Option<Shared>,
    grant: Grant,
}

impl Permit {
    #[inline]
    pub(crate) fn new(breaker: Shared, grant: Grant) -> Self {
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
            let [word, started, marks] = self.grant.words();
            settle_with_care(breaker, word, started, marks);
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
    /// [`broken_after`](crate::Totals::broken_after) and is one failure of the epoch that followed, unless that is over
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
fn settle_with_care(breaker: Shared, word: u64, started: u64, marks: u64) {
    breaker.settle(Grant::of_words([word, started, marks]), Outcome::success());
}

/// What a permit records that is dropped. Out of the way of those that are settled.
#[cold]
#[inline(never)]
fn dropped(breaker: Shared, word: u64, started: u64, marks: u64) {
    let grant = Grant::of_words([word, started, marks]);
    // A panic while the classifier runs is the classifier's; any other unwinding gave the call up.
    let outcome = if grant.is_judged() && JUDGING.get() && std::thread::panicking() {
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
            let [word, started, marks] = self.grant.words();
            dropped(breaker, word, started, marks);
        }
    }
}

/// A permit whose call is being made, and what came of the request. If guarded code panics, the call has failed.
///
/// The parts of the permit, not the permit: its end is looked at once, here.
#[derive(Debug)]
pub(crate) struct InFlight<T: Asked = (), B: Deref<Target = Breaker> = Shared> {
    /// `None` once the call has ended.
    held: Option<(B, T)>,
    grant: Grant,
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
    pub(crate) fn new(breaker: B, grant: Grant) -> Self {
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
        Some((Permit { breaker: Some(breaker), grant: self.grant.judged() }, token))
    }
}

impl<T: Asked, B: Deref<Target = Breaker>> Drop for InFlight<T, B> {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some((breaker, asked)) = self.held.take() {
            let [word, started, marks] = self.grant.words();
            given_up(breaker, asked, word, started, marks, self.runs);
        }
    }
}

/// Runs a classifier together with the permit that it has. If it panics, the call says nothing.
#[inline(always)]
pub(crate) fn judging<T>(judge: impl FnOnce() -> T) -> T {
    let _judging = Judging { outer: JUDGING.replace(true) };
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
    let grant = Grant::of_words([word, started, marks]);
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
    static JUDGING: Cell<bool> = const { Cell::new(false) };
}

struct Judging {
    outer: bool,
}

impl Drop for Judging {
    #[inline(always)]
    fn drop(&mut self) {
        JUDGING.set(self.outer);
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
