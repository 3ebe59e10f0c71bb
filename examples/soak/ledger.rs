//! What the soak itself counts: what its callers asked for and what became of every call that they were let through
//! to.

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

    /// A caller asks for a call.
    pub(crate) fn attempt(&self) {
        self.attempts.fetch_add(1, Relaxed);
    }

    /// The guarded work begins: the call was let through.
    pub(crate) fn enter(self: &Arc<Self>) -> Ticket {
        self.entered.fetch_add(1, Relaxed);
        let counted = !self.regime.is_disabled();
        if !counted {
            self.aside.fetch_add(1, Relaxed);
        }
        Ticket { ledger: Arc::clone(self), counted, class: Class::Cancelled }
    }

    /// How many calls were let through.
    pub(crate) fn entered(&self) -> u64 {
        self.entered.load(Relaxed)
    }

    pub(crate) fn rejected(&self) -> u64 {
        self.rejected.load(Relaxed)
    }

    pub(crate) fn reject(&self) {
        self.rejected.fetch_add(1, Relaxed);
    }

    /// The guarded service failed to get ready, which a breaker that is not disabled counts.
    pub(crate) fn unready(&self) {
        if !self.regime.is_disabled() {
            self.unready.fetch_add(1, Relaxed);
        }
    }

    /// Something that must not be: a call of a service that is not ready, an answer to a call that was not made.
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

/// One call that is under way. Like a permit, it ends as cancelled when it is dropped.
pub(crate) struct Ticket {
    ledger: Arc<Ledger>,
    /// The breaker counts this call.
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

/// The figures of one ledger or of several.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Calls that were asked for.
    pub(crate) attempts: u64,
    /// Those that were let through …
    pub(crate) entered: u64,
    /// … of which so many while the breaker was disabled: it counts none of these.
    pub(crate) aside: u64,
    pub(crate) rejected: u64,
    /// Failures to get ready.
    pub(crate) unready: u64,
    pub(crate) wrong: u64,
    /// How those ended that the breaker counts, in the order of [`CLASSES`].
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
