//! The claims about the counts of a round.

use std::ops::Add;

use tower_breaker::{Class, handle::Totals};

use crate::ledger::{CLASSES, Counts, index};
use crate::listeners::Heard;
use crate::setups::Policy;

/// The claims that do not hold.
#[derive(Debug, Default)]
pub(crate) struct Broken(pub(crate) Vec<String>);

impl Broken {
    pub(crate) fn unless(&mut self, holds: bool, claim: impl FnOnce() -> String) {
        if !holds {
            self.0.push(claim());
        }
    }

    fn unless_equal(&mut self, claim: &str, ours: u64, theirs: u64) {
        self.unless(ours == theirs, || format!("{claim}: we counted {ours}, the breaker {theirs}"));
    }
}

/// The counts of the soak.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ours {
    pub(crate) counts: Counts,
    /// The calls that ended, by the class in which the breaker counts them.
    pub(crate) counted: [u64; CLASSES.len()],
}

impl Add for Ours {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        let counted = std::array::from_fn(|class| self.counted[class] + more.counted[class]);
        Self { counts: self.counts + more.counts, counted }
    }
}

/// The calls that ended, by the class in which the breaker counts them.
pub(crate) fn by_policy(ours: &Counts, policy: Policy) -> [u64; CLASSES.len()] {
    let mut counted = [0; CLASSES.len()];
    for class in CLASSES {
        counted[index(policy.class(class))] += ours.ended[index(class)];
    }
    counted
}

pub(crate) fn of_totals(totals: &Totals) -> [u64; CLASSES.len()] {
    CLASSES.map(|class| match class {
        Class::Success => totals.success,
        Class::Failure => totals.failure,
        Class::Throttled => totals.throttled,
        Class::Exhausted => totals.exhausted,
        Class::Ignored => totals.ignored,
        Class::Cancelled => totals.cancelled,
        other => unreachable!("{other} is not listed"),
    })
}

/// Checks the claims about every round.
pub(crate) fn always(broken: &mut Broken, ours: &Ours, theirs: &Totals) {
    let Ours { counts: ours, counted } = ours;
    let ended: u64 = ours.ended.iter().sum();
    broken.unless(ours.wrong == 0, || format!("{} answers were wrong", ours.wrong));
    broken.unless_equal("calls that ended among those admitted", ours.entered - ours.aside, ended);
    let attempts = "calls that were admitted or rejected among those attempted";
    broken.unless_equal(attempts, ours.attempts, ours.entered + ours.rejected);

    // A service that fails to get ready counts as a failure without a call, or as a rejection that no caller receives.
    let found = theirs.settled() + theirs.would_reject + theirs.rejected;
    broken.unless_equal("calls in any class", ended + ours.rejected + ours.unready, found);
    broken
        .unless((ours.rejected..=ours.rejected + ours.unready).contains(&theirs.rejected), || {
            format!("rejections: callers saw {}, the breaker {}", ours.rejected, theirs.rejected)
        });
    for (class, (ours_in, theirs)) in CLASSES.iter().zip(counted.iter().zip(of_totals(theirs))) {
        let most = ours_in + if *class == Class::Failure { ours.unready } else { 0 };
        broken.unless(theirs <= most, || {
            format!("{class}: we counted {ours_in}, the breaker {theirs}, which is more")
        });
    }
}

/// Checks the claims about a round in which nothing opens the circuit.
pub(crate) fn calm(broken: &mut Broken, ours: &Ours, theirs: &Totals) {
    let mut counted = ours.counted;
    counted[index(Class::Failure)] += ours.counts.unready;
    for (class, (ours, theirs)) in CLASSES.iter().zip(counted.into_iter().zip(of_totals(theirs))) {
        broken.unless_equal(&format!("{class} in a calm round"), ours, theirs);
    }
    broken.unless_equal("late in a calm round", 0, theirs.late);
    broken.unless_equal("rejections in a calm round", 0, theirs.rejected + theirs.would_reject);
}

/// Checks that a receiver received every transition, or an error that counts it as missed.
pub(crate) fn heard(broken: &mut Broken, heard: &Heard, first: u64, last: u64) {
    broken.unless(!heard.out_of_order, || "a receiver received epochs out of order".to_owned());
    broken.unless_equal(
        "transitions received or missed",
        last - first,
        heard.received + heard.missed,
    );
    broken.unless(heard.last == Some(last), || {
        format!("the last epoch received is {:?}, and that of the breaker is {last}", heard.last)
    });
}
