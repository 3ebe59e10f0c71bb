//! The data of a call that was admitted or rejected.

use crate::machine::gate::GateWord;
use crate::machine::units::{Epoch, Nanos};
use crate::state::{Cause, State};

/// The state of a permit: its epoch, the start of its call, and what must be undone when the call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PermitState {
    /// The word of the gate at admission, if a success only has to be counted while the gate keeps that word. One
    /// comparison then decides. Otherwise a word that has only the epoch.
    pub(super) word: GateWord,
    /// When the call started, or [`Nanos::NEVER`] if no rule needs it. Once the response has started, how long that
    /// took.
    pub(super) started: Nanos,
    /// Flags in the low half, the number of a probe's lease in the high half. They share one word, because a value
    /// that is written in parts is slow to read as a whole.
    flags: u64,
}

impl PermitState {
    /// The call holds a lease.
    const PROBE: u64 = 1;
    /// The call counts nowhere.
    const INERT: u64 = 1 << 1;
    /// The call is counted as in flight.
    const TRACKED: u64 = 1 << 2;
    /// The overdue rule counts the call.
    const PENDING: u64 = 1 << 3;
    /// A classifier owns the permit.
    const CLASSIFYING: u64 = 1 << 4;
    /// The response has started, and `started` is how long that took.
    const RESPONDING: u64 = 1 << 5;
    /// The permit is the body tail of a probe that succeeded. If the body breaks, that is one failure.
    const TAIL: u64 = 1 << 6;
    const SERIAL_SHIFT: u32 = 32;

    /// Creates the permit of a call that the word of a closed gate alone admits.
    #[inline(always)]
    pub(super) fn free(word: GateWord, started: Nanos) -> Self {
        Self { word, started, flags: 0 }
    }

    /// Creates the permit of a call that the rules count.
    #[inline]
    pub(super) fn counted(epoch: Epoch) -> Self {
        Self { word: GateWord::of_epoch(epoch), started: Nanos::NEVER, flags: 0 }
    }

    /// Creates the permit of a call that counts nowhere.
    pub(super) fn inert() -> Self {
        Self { flags: Self::INERT, ..Self::counted(Epoch::NONE) }
    }

    /// Creates the permit of a probe, with the number of its lease.
    pub(super) fn probe(epoch: Epoch, serial: u32) -> Self {
        let serial = u64::from(serial) << Self::SERIAL_SHIFT;
        Self { flags: Self::PROBE | serial, ..Self::counted(epoch) }
    }

    /// Creates the body tail of a probe that succeeded when its response started.
    pub(super) fn tail(epoch: Epoch) -> Self {
        Self { flags: Self::TAIL, ..Self::counted(epoch) }
    }

    /// Returns the words one by one. As a struct, the permit and everything that contains it would travel in memory.
    #[inline(always)]
    pub(crate) fn to_raw(self) -> [u64; 3] {
        [self.word.bits(), self.started.get(), self.flags]
    }

    #[inline(always)]
    pub(crate) fn from_raw([word, started, flags]: [u64; 3]) -> Self {
        Self { word: GateWord::from_bits(word), started: Nanos::from_u64(started), flags }
    }

    #[inline]
    pub(super) fn epoch(&self) -> Epoch {
        self.word.epoch()
    }

    pub(super) fn set_tracked(&mut self) {
        self.flags |= Self::TRACKED;
    }

    pub(super) fn set_pending(&mut self) {
        self.flags |= Self::PENDING;
    }

    /// Records that the response started at `now`: the time of the call ends, and the overdue rule no longer counts it.
    pub(super) fn start_response(&mut self, now: Nanos) {
        self.flags = self.flags & !Self::PENDING | Self::RESPONDING;
        self.started = now.since(self.started);
    }

    #[cfg(feature = "http")]
    pub(super) fn forget_time(&mut self) {
        self.flags &= !Self::PENDING;
        self.started = Nanos::NEVER;
    }

    /// Returns whether the time of the call is still running.
    #[inline]
    pub(super) fn is_timed(&self) -> bool {
        self.started != Nanos::NEVER && self.flags & Self::RESPONDING == 0
    }

    /// Returns how long the call took, or `None` if that is unknown.
    #[inline]
    pub(super) fn took(&self, now: impl FnOnce() -> Nanos) -> Option<Nanos> {
        if self.started == Nanos::NEVER {
            return None;
        }
        Some(if self.flags & Self::RESPONDING == 0 {
            now().since(self.started)
        } else {
            self.started
        })
    }

    pub(super) fn is_tail(&self) -> bool {
        self.flags & Self::TAIL != 0
    }

    /// Returns the number of the lease, if this is a probe.
    pub(super) fn serial(&self) -> u32 {
        (self.flags >> Self::SERIAL_SHIFT) as u32
    }

    pub(crate) fn is_classifying(&self) -> bool {
        self.flags & Self::CLASSIFYING != 0
    }

    #[inline]
    pub(crate) fn classifying(self) -> Self {
        Self { flags: self.flags | Self::CLASSIFYING, ..self }
    }

    pub(crate) fn is_probe(&self) -> bool {
        self.flags & Self::PROBE != 0
    }

    pub(crate) fn is_inert(&self) -> bool {
        self.flags & Self::INERT != 0
    }

    pub(super) fn is_tracked(&self) -> bool {
        self.flags & Self::TRACKED != 0
    }

    pub(super) fn is_pending(&self) -> bool {
        self.flags & Self::PENDING != 0
    }
}

/// The decision about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Admitted(PermitState),
    Rejected(Rejection),
}

impl Admission {
    pub(crate) fn permit(self) -> Option<PermitState> {
        match self {
            Self::Admitted(permit) => Some(permit),
            Self::Rejected(_) => None,
        }
    }
}

/// Whether a call would be rejected. The value is a tag and one word, which stay in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WouldReject {
    No,
    /// For this long; [`Nanos::NEVER`] if the duration is unknown.
    For(Nanos),
    /// The decision needs the lock.
    NeedsLock,
}

/// The rejection of a call, as of the time of the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(super) word: GateWord,
    /// How long until a call may be admitted; [`Nanos::NEVER`] if the duration is unknown.
    pub(crate) wait: Nanos,
}

impl Rejection {
    pub(crate) fn state(self) -> State {
        self.word.phase().state()
    }

    /// Returns why the circuit opened.
    pub(crate) fn cause(self) -> Cause {
        self.word.cause()
    }
}
