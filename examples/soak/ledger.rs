//! The counts of the soak: the calls that its callers attempted, and how every admitted call ended.

use std::iter::Sum;
use std::ops::Add;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tower_breaker::Class;

use crate::regime::Regime;

pub(crate) const CLASSES: [Class; 6] = [
    Class::Success,
    Class::Failure,
    Class::Throttled,
    Class::Exhausted,
    Class::Ignored,
    Class::Cancelled,
];

/// The counts of one task.
pub(crate) struct Ledger {
    regime: Arc<Regime>,
    attempts: AtomicU64,
    entered: AtomicU64,
    aside: AtomicU64,
    rejected: AtomicU64,
    unready: AtomicU64,
    wrong: AtomicU64,
    ended: [AtomicU64; CLASSES.len()],
}

impl Ledger {
    pub(crate) fn new(regime: &Arc<Regime>) -> Arc<Self> {
        Arc::new(Self {
            regime: Arc::clone(regime),
            attempts: AtomicU64::new(0),
            entered: AtomicU64::new(0),
            aside: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            unready: AtomicU64::new(0),
            wrong: AtomicU64::new(0),
            ended: Default::default(),
        })
    }

    /// Counts an attempted call.
    pub(crate) fn attempt(&self) {
        self.attempts.fetch_add(1, Relaxed);
    }

    /// Counts an admitted call, whose work begins.
    pub(crate) fn enter(self: &Arc<Self>) -> Ticket {
        self.entered.fetch_add(1, Relaxed);
        let counted = !self.regime.is_disabled();
        if !counted {
            self.aside.fetch_add(1, Relaxed);
        }
        Ticket { ledger: Arc::clone(self), counted, class: Class::Cancelled }
    }

    /// The number of admitted calls.
    pub(crate) fn entered(&self) -> u64 {
        self.entered.load(Relaxed)
    }

    pub(crate) fn rejected(&self) -> u64 {
        self.rejected.load(Relaxed)
    }

    pub(crate) fn reject(&self) {
        self.rejected.fetch_add(1, Relaxed);
    }

    /// Counts a failure to get ready. A disabled breaker does not count it.
    pub(crate) fn unready(&self) {
        if !self.regime.is_disabled() {
            self.unready.fetch_add(1, Relaxed);
        }
    }

    /// Counts a violation: a call of a service that is not ready, or a response without a call.
    pub(crate) fn wrong(&self) {
        self.wrong.fetch_add(1, Relaxed);
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            attempts: self.attempts.load(Relaxed),
            entered: self.entered.load(Relaxed),
            aside: self.aside.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            unready: self.unready.load(Relaxed),
            wrong: self.wrong.load(Relaxed),
            ended: std::array::from_fn(|class| self.ended[class].load(Relaxed)),
        }
    }
}

/// A call in flight. Like a permit, it ends as cancelled if it is dropped.
pub(crate) struct Ticket {
    ledger: Arc<Ledger>,
    /// Whether the breaker counts this call.
    counted: bool,
    class: Class,
}

impl Ticket {
    pub(crate) fn end(mut self, class: Class) {
        self.class = class;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.counted {
            self.ledger.ended[index(self.class)].fetch_add(1, Relaxed);
        }
    }
}

pub(crate) fn index(class: Class) -> usize {
    CLASSES.iter().position(|known| *known == class).expect("every class is listed")
}

/// The counts of one or more ledgers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Attempted calls.
    pub(crate) attempts: u64,
    /// Admitted calls.
    pub(crate) entered: u64,
    /// Calls admitted while the breaker was disabled. It counts none of them.
    pub(crate) aside: u64,
    pub(crate) rejected: u64,
    /// Failures to get ready.
    pub(crate) unready: u64,
    pub(crate) wrong: u64,
    /// The calls that ended and that the breaker counts, in the order of [`CLASSES`].
    pub(crate) ended: [u64; CLASSES.len()],
}

impl Add for Counts {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            attempts: self.attempts + more.attempts,
            entered: self.entered + more.entered,
            aside: self.aside + more.aside,
            rejected: self.rejected + more.rejected,
            unready: self.unready + more.unready,
            wrong: self.wrong + more.wrong,
            ended: std::array::from_fn(|class| self.ended[class] + more.ended[class]),
        }
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}
