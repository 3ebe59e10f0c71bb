//! What an admitted call carries, and what a rejected one is told.

use crate::machine::gate::{NEVER, Word};
use crate::state::{Cause, State};

/// What an admitted call carries: the epoch it belongs to, when it started, what it has to give back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PermitState {
    /// Of the gate when the call was admitted, where a success is only to be counted as long as the gate has this
    /// word: one comparison tells everything. Else only the epoch.
    pub(super) word: Word,
    /// Nanoseconds of the machine; [`NEVER`] where no rule asks. How many there were, once the call was answered.
    pub(super) started: u64,
    /// Marks in the low half, the serial number of a probe's lease in the high one. One word, like the others: what
    /// is written in parts is slow to read as a whole.
    pub(super) marks: u64,
}

impl PermitState {
    /// Holds a lease.
    const PROBE: u64 = 1;
    /// Counts nowhere.
    const INERT: u64 = 1 << 1;
    /// Counted in flight.
    pub(super) const TRACKED: u64 = 1 << 2;
    /// Counted by the overdue rule.
    pub(super) const PENDING: u64 = 1 << 3;
    /// In the hands of a classifier.
    const CLASSIFYING: u64 = 1 << 4;
    /// The answer has begun: what was `started` is how long that took.
    const ANSWERED: u64 = 1 << 5;
    /// Was a probe and has succeeded: if its body breaks, that is one failure.
    const WATCH: u64 = 1 << 6;
    const SERIAL_SHIFT: u32 = 32;

    /// Admitted by a gate that is Closed.
    #[inline(always)]
    pub(super) fn free(word: Word, started: u64) -> Self {
        Self { word, started, marks: 0 }
    }

    #[inline]
    pub(super) fn counted(epoch: u64) -> Self {
        Self { word: Word::of_epoch(epoch), started: NEVER, marks: 0 }
    }

    #[inline]
    pub(super) fn epoch(&self) -> u64 {
        self.word.epoch()
    }

    pub(super) fn inert() -> Self {
        Self { marks: Self::INERT, ..Self::counted(0) }
    }

    /// The words one by one. As a whole it travels in memory, and so would all that it is a part of.
    #[inline(always)]
    pub(crate) fn to_raw(self) -> [u64; 3] {
        [self.word.bits(), self.started, self.marks]
    }

    #[inline(always)]
    pub(crate) fn from_raw([word, started, marks]: [u64; 3]) -> Self {
        Self { word: Word::of_bits(word), started, marks }
    }

    pub(super) fn probe(epoch: u64, serial: u32) -> Self {
        let serial = u64::from(serial) << Self::SERIAL_SHIFT;
        Self { marks: Self::PROBE | serial, ..Self::counted(epoch) }
    }

    /// What is left of a probe that succeeded when its answer began.
    pub(super) fn watch(epoch: u64) -> Self {
        Self { marks: Self::WATCH, ..Self::counted(epoch) }
    }

    /// The answer has begun at `now`: what comes is the time of whoever reads it.
    pub(super) fn answer(&mut self, now: u64) {
        self.marks = self.marks & !Self::PENDING | Self::ANSWERED;
        self.started = now.saturating_sub(self.started);
    }

    #[cfg(feature = "http")]
    pub(super) fn forget_time(&mut self) {
        self.marks &= !Self::PENDING;
        self.started = NEVER;
    }

    /// Whether its time goes on until somebody says that it was answered.
    #[inline]
    pub(super) fn is_timed(&self) -> bool {
        self.started != NEVER && self.marks & Self::ANSWERED == 0
    }

    /// How long the call took, if that is known.
    #[inline]
    pub(super) fn took(&self, now: impl FnOnce() -> u64) -> Option<u64> {
        if self.started == NEVER {
            return None;
        }
        Some(if self.marks & Self::ANSWERED == 0 {
            now().saturating_sub(self.started)
        } else {
            self.started
        })
    }

    pub(super) fn is_watch(&self) -> bool {
        self.marks & Self::WATCH != 0
    }

    /// Of the lease, if this is a probe.
    pub(super) fn serial(&self) -> u32 {
        (self.marks >> Self::SERIAL_SHIFT) as u32
    }

    pub(crate) fn is_classifying(&self) -> bool {
        self.marks & Self::CLASSIFYING != 0
    }

    #[inline]
    pub(crate) fn classifying(self) -> Self {
        Self { marks: self.marks | Self::CLASSIFYING, ..self }
    }

    pub(crate) fn is_probe(&self) -> bool {
        self.marks & Self::PROBE != 0
    }

    pub(crate) fn is_inert(&self) -> bool {
        self.marks & Self::INERT != 0
    }

    pub(super) fn is_tracked(&self) -> bool {
        self.marks & Self::TRACKED != 0
    }

    pub(super) fn is_pending(&self) -> bool {
        self.marks & Self::PENDING != 0
    }
}

/// The answer to "may this call go?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Admitted(PermitState),
    Rejected(Rejection),
}

impl Admission {
    pub(crate) fn granted(self) -> Option<PermitState> {
        match self {
            Self::Admitted(grant) => Some(grant),
            Self::Rejected(_) => None,
        }
    }
}

/// Whether a call would be rejected. One word beside the tag: it stays in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WouldReject {
    No,
    /// For so many nanoseconds; [`NEVER`] where nobody knows.
    For(u64),
    /// Only the lock can tell.
    NeedsLock,
}

/// What a rejected caller is told, at the moment when that was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(super) word: Word,
    /// Nanoseconds until a call may be admitted; [`NEVER`] where nobody knows.
    pub(crate) wait: u64,
}

impl Rejection {
    pub(crate) fn state(self) -> State {
        self.word.phase().state()
    }

    /// Why the circuit opened.
    pub(crate) fn cause(self) -> Cause {
        self.word.cause()
    }
}
