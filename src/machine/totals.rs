//! The totals: counts that are never reset.

use crate::outcome::Class;
use crate::sync::{AtomicU64, Ordering};
use crate::window::stripe::Striped;

/// The number of calls since the breaker was created, by how they ended. Totals are never reset.
///
/// Calls of a disabled breaker are not counted. Calls that a breaker in shadow would have rejected are counted in
/// `would_reject` only.
///
/// When no call is in flight, `admitted` is the sum of the first seven fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Calls that succeeded.
    pub success: u64,
    /// Calls that failed.
    pub failure: u64,
    /// Calls that the dependency throttled.
    pub throttled: u64,
    /// Calls that an exhausted quota or budget ended.
    pub exhausted: u64,
    /// Calls that said nothing about the dependency.
    pub ignored: u64,
    /// Calls that were dropped before their outcome was known.
    pub cancelled: u64,
    /// Calls that ended in a later epoch than they began in, with any outcome, and probes that ended after their lease.
    /// They decided nothing.
    pub late: u64,
    /// Calls that the breaker rejected.
    pub rejected: u64,
    /// Calls that the breaker would have rejected if it were not in [`Mode::Shadow`](crate::Mode::Shadow).
    pub would_reject: u64,
    /// Probes whose body broke after they had counted as a success. Each is also counted in `success`.
    pub broken_after: u64,
    /// Calls that got a permit: those that are settled and those that are in flight. `None` if calls in flight are not
    /// counted, which requires an overdue rule or
    /// [`SettingsBuilder::track_in_flight`](crate::SettingsBuilder::track_in_flight).
    pub admitted: Option<u64>,
}

impl Totals {
    /// Returns the number of calls that got a permit and ended.
    pub fn settled(&self) -> u64 {
        self.success
            + self.failure
            + self.throttled
            + self.exhausted
            + self.ignored
            + self.cancelled
            + self.late
    }
}

/// An event that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    Class(Class),
    Late,
    Rejected,
    WouldReject,
    BrokenAfter,
}

/// The counts of one stripe. They fill two cache lines, because x86-64 CPUs prefetch lines of 64 bytes in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Counts {
    success: AtomicU64,
    failure: AtomicU64,
    throttled: AtomicU64,
    exhausted: AtomicU64,
    ignored: AtomicU64,
    cancelled: AtomicU64,
    late: AtomicU64,
    rejected: AtomicU64,
    would_reject: AtomicU64,
    broken_after: AtomicU64,
    started: AtomicU64,
    ended: AtomicU64,
}

#[derive(Debug)]
pub(super) struct Counters(Striped<Counts>);

impl Counters {
    pub(super) fn new() -> Self {
        Self(Striped::new())
    }

    #[inline(always)]
    pub(super) fn count(&self, what: Count) {
        self.0.count(|mine, access| {
            let word = match what {
                Count::Class(Class::Success) => &mine.success,
                Count::Class(Class::Failure) => &mine.failure,
                Count::Class(Class::Throttled) => &mine.throttled,
                Count::Class(Class::Exhausted) => &mine.exhausted,
                Count::Class(Class::Ignored) => &mine.ignored,
                Count::Class(Class::Cancelled) => &mine.cancelled,
                Count::Late => &mine.late,
                Count::Rejected => &mine.rejected,
                Count::WouldReject => &mine.would_reject,
                Count::BrokenAfter => &mine.broken_after,
            };
            access.add(word, 1);
        });
    }

    /// Counts the start of a tracked call.
    #[inline]
    pub(super) fn start(&self) {
        self.0.count(|mine, access| access.add(&mine.started, 1));
    }

    /// Counts the end of a tracked call.
    #[inline]
    pub(super) fn end(&self) {
        self.0.count(|mine, access| access.add(&mine.ended, 1));
    }

    /// Returns how many tracked calls are in flight.
    ///
    /// Ends are read before starts, so that every call whose end is seen is also seen to start.
    fn in_flight(&self) -> u64 {
        let ended = self.sum(|counts| &counts.ended);
        self.sum(|counts| &counts.started).saturating_sub(ended)
    }

    /// Returns the totals, with `admitted` if `tracked`.
    pub(super) fn totals(&self, tracked: bool) -> Totals {
        let mut totals = Totals {
            success: self.sum(|counts| &counts.success),
            failure: self.sum(|counts| &counts.failure),
            throttled: self.sum(|counts| &counts.throttled),
            exhausted: self.sum(|counts| &counts.exhausted),
            ignored: self.sum(|counts| &counts.ignored),
            cancelled: self.sum(|counts| &counts.cancelled),
            late: self.sum(|counts| &counts.late),
            rejected: self.sum(|counts| &counts.rejected),
            would_reject: self.sum(|counts| &counts.would_reject),
            broken_after: self.sum(|counts| &counts.broken_after),
            admitted: None,
        };
        // Settled calls are read before those in flight. A call that ends in between is then in neither count. In the
        // other order it would be in both, and `admitted` would be too high.
        totals.admitted = tracked.then(|| totals.settled() + self.in_flight());
        totals
    }

    /// Returns the sum of a count over all stripes.
    ///
    /// Acquire pairs with the Release by which [`Access::add`](crate::window::stripe::Access::add) writes a count: a
    /// reader that sees the later count of a call sees the earlier ones of the same call.
    fn sum(&self, word: impl Fn(&Counts) -> &AtomicU64) -> u64 {
        self.0.all().map(|counts| word(counts).load(Ordering::Acquire)).sum()
    }
}
