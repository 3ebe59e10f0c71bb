//! The gate, which every call reads first. One word holds the state of the breaker, another how long it rejects calls.

use crate::machine::flags::Flags;
use crate::machine::units::{Epoch, Nanos};
use crate::state::{Cause, State};
use crate::sync::{AtomicU64, Ordering};

/// The phase of the machine, without its data. `Probing` and `Ramp` are both half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum PhaseTag {
    Closed = 0,
    Ramp = 1,
    Disabled = 2,
    // The phases that reject calls: see `REJECTING`.
    Open = 4,
    Probing = 5,
    ForcedOpen = 6,
}

impl PhaseTag {
    pub(crate) fn state(self) -> State {
        match self {
            Self::Closed => State::Closed,
            Self::Open => State::Open,
            Self::Probing | Self::Ramp => State::HalfOpen,
            Self::ForcedOpen => State::ForcedOpen,
            Self::Disabled => State::Disabled,
        }
    }
}

/// The state in one word.
///
/// From the lowest bit: the phase (3 bits), shadow, busy, the cause of the trip (5 bits), the flags (8 bits), the
/// epoch (46 bits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct GateWord(u64);

const PHASE: u64 = 0b111;
/// Set in the phases that reject calls, except in a ramp, which decides call by call.
const REJECTING: u64 = 0b100;
const SHADOW: u64 = 1 << 3;
const BUSY: u64 = 1 << 4;
const CAUSE_SHIFT: u32 = 5;
const CAUSE: u64 = 0b1_1111;
const FLAGS_SHIFT: u32 = 10;
const EPOCH_SHIFT: u32 = FLAGS_SHIFT + Flags::BITS;
/// A lower bound of every word of a gate, because the first epoch is 1.
pub(crate) const FIRST_WORD: u64 = Epoch::FIRST.get() << EPOCH_SHIFT;

impl GateWord {
    pub(super) fn new(
        epoch: Epoch,
        phase: PhaseTag,
        shadow: bool,
        cause: Cause,
        flags: Flags,
    ) -> Self {
        let shadow = if shadow { SHADOW } else { 0 };
        let flags = flags.bits() << FLAGS_SHIFT;
        let epoch = epoch.get() << EPOCH_SHIFT;
        Self(epoch | flags | (cause as u64) << CAUSE_SHIFT | shadow | phase as u64)
    }

    /// Returns whether the phase rejects calls other than probes. In shadow it only counts them.
    #[inline]
    pub(super) fn is_rejecting(self) -> bool {
        self.0 & REJECTING != 0
    }

    /// Returns whether calls other than probes are rejected: the phase rejects them, and not in shadow.
    #[inline]
    pub(super) fn rejects(self) -> bool {
        self.0 & (REJECTING | SHADOW) == REJECTING
    }

    /// Returns whether the phase is Closed and none of these flags is set.
    const fn is_closed_without(self, flags: Flags) -> bool {
        self.0 & (PHASE | flags.bits() << FLAGS_SHIFT) == 0
    }

    /// Returns whether the breaker is closed, an admission records nothing, not even the start of the call, and a
    /// success is only counted.
    #[inline]
    pub(super) fn is_plain(self) -> bool {
        const NOT_PLAIN: Flags =
            Flags::ON_ADMISSION.union(Flags::ON_SUCCESS).union(Flags::FROM_THE_START);
        self.is_closed_without(NOT_PLAIN)
    }

    /// Returns whether the breaker is closed and an admission records at most the start of the call.
    #[inline]
    pub(super) fn admits_freely(self) -> bool {
        self.is_closed_without(Flags::ON_ADMISSION)
    }

    /// Returns whether the breaker is closed and a success is only counted.
    #[inline]
    pub(super) fn takes_success(self) -> bool {
        self.is_closed_without(Flags::ON_SUCCESS)
    }

    /// Returns whether the breaker is closed and a failure only extends the streak.
    #[inline]
    pub(super) fn takes_failure(self) -> bool {
        self.is_closed_without(Flags::ON_FAILURE) && self.flags().streak()
    }

    /// Returns a word that has this epoch and differs from every word of a gate.
    #[inline]
    pub(super) const fn of_epoch(epoch: Epoch) -> Self {
        Self(epoch.get() << EPOCH_SHIFT | PHASE)
    }

    /// Returns the bits of the word. They are at least [`FIRST_WORD`] if the word was read from a gate.
    #[inline]
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    #[inline]
    pub(super) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    #[inline]
    pub(super) fn flags(self) -> Flags {
        Flags::from_bits(self.0 >> FLAGS_SHIFT)
    }

    #[inline]
    pub(super) fn epoch(self) -> Epoch {
        Epoch::from_u64(self.0 >> EPOCH_SHIFT)
    }

    #[inline]
    pub(super) fn phase(self) -> PhaseTag {
        match self.0 & PHASE {
            0 => PhaseTag::Closed,
            1 => PhaseTag::Ramp,
            4 => PhaseTag::Open,
            5 => PhaseTag::Probing,
            6 => PhaseTag::ForcedOpen,
            _ => PhaseTag::Disabled,
        }
    }

    #[inline]
    pub(super) fn shadow(self) -> bool {
        self.0 & SHADOW != 0
    }

    pub(super) fn cause(self) -> Cause {
        let index = (self.0 >> CAUSE_SHIFT & CAUSE) as usize;
        Cause::ALL.get(index).copied().unwrap_or(Cause::Start)
    }

    fn is_busy(self) -> bool {
        self.0 & BUSY != 0
    }
}

/// The word, and the time until which it rejects calls.
///
/// All writes happen under the machine's lock, so that there is one writer at a time. Every call reads the gate
/// without the lock.
#[derive(Debug)]
pub(super) struct Gate {
    word: AtomicU64,
    /// The time until which every call is rejected without the lock. Zero if the lock must be taken.
    until: AtomicU64,
    /// The latest time that was seen under the lock: a lower bound of the current time.
    seen: AtomicU64,
}

impl Gate {
    pub(super) fn new(word: GateWord, until: Nanos) -> Self {
        Self {
            word: AtomicU64::new(word.0),
            until: AtomicU64::new(until.get()),
            seen: AtomicU64::new(0),
        }
    }

    /// Returns the word.
    ///
    /// Acquire pairs with the Release in [`set`](Self::set): a call that reads the word sees the settings that were
    /// stored for its flags, and [`until`](Self::until) finds no time that is older than the word.
    #[inline]
    pub(super) fn word(&self) -> GateWord {
        GateWord(self.word.load(Ordering::Acquire))
    }

    /// Returns the time that belongs to `word`, or `None` if the gate is changing or has changed.
    ///
    /// This is the read side of a seqlock whose sequence number is the word itself. If the time was stored for another
    /// word, the writer had marked the word as busy before. The Acquire load of the time pairs with its Release store,
    /// so that the mark happens before the second load of the word, which then finds the mark or a later word. The
    /// second load is Relaxed: coherence is enough, and nothing is read after it. Within an epoch, a word returns to
    /// earlier bits if settings are changed and changed back. The time then belongs to the same open period.
    #[inline]
    pub(super) fn until(&self, word: GateWord) -> Option<Nanos> {
        let until = self.until.load(Ordering::Acquire);
        let unchanged = !word.is_busy() && self.word.load(Ordering::Relaxed) == word.0;
        unchanged.then_some(Nanos::from_u64(until))
    }

    /// Returns a time that has passed.
    ///
    /// Relaxed, here and in [`set_seen`](Self::set_seen): the value stands alone, and an older one is a lower bound as
    /// well.
    #[inline]
    pub(super) fn seen(&self) -> Nanos {
        Nanos::from_u64(self.seen.load(Ordering::Relaxed))
    }

    /// Stores the latest time that was seen. The caller holds the machine's lock.
    pub(super) fn set_seen(&self, now: Nanos) {
        self.seen.store(now.get(), Ordering::Relaxed);
    }

    /// Stores a word and its time. The caller holds the machine's lock.
    ///
    /// - The load is Relaxed, because the lock orders all writers.
    /// - The mark is Relaxed, because the Release store of the time comes after it. It is a read-modify-write, not a
    ///   store, so that it continues the release sequence of the word before: a call that reads the marked word still
    ///   sees the settings of that word.
    /// - The time is stored with Release, for the readers that [`until`](Self::until) describes. If the word stays the
    ///   same, no mark is needed: every time that is stored for it belongs to it.
    /// - The word is stored with Release, so that a reader of it sees the time and the settings.
    pub(super) fn set(&self, word: GateWord, until: Nanos) {
        if self.word.load(Ordering::Relaxed) != word.0 {
            self.word.fetch_or(BUSY, Ordering::Relaxed);
        }
        self.until.store(until.get(), Ordering::Release);
        self.word.store(word.0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_word_survives() {
        for cause in Cause::ALL {
            for (phase, shadow) in [
                (PhaseTag::Closed, false),
                (PhaseTag::Open, true),
                (PhaseTag::Probing, false),
                (PhaseTag::Ramp, true),
                (PhaseTag::ForcedOpen, false),
                (PhaseTag::Disabled, false),
            ] {
                let flags = Flags::from_bits(0b101_1010);
                let word = GateWord::new(Epoch::from_u64(123_456_789), phase, shadow, cause, flags);
                assert_eq!(
                    (word.epoch(), word.phase(), word.flags()),
                    (Epoch::from_u64(123_456_789), phase, flags)
                );
                assert_eq!((word.shadow(), word.cause()), (shadow, cause));
            }
        }
    }

    #[test]
    fn a_time_is_returned_only_for_the_word_it_belongs_to() {
        let open = GateWord::new(
            Epoch::from_u64(1),
            PhaseTag::Open,
            false,
            Cause::Custom,
            Flags::from_bits(0),
        );
        let gate = Gate::new(open, Nanos::ZERO);
        gate.set(open, Nanos::from_u64(7));
        assert_eq!(gate.until(open), Some(Nanos::from_u64(7)));
        gate.set(
            GateWord::new(
                Epoch::from_u64(2),
                PhaseTag::Probing,
                false,
                Cause::Custom,
                Flags::from_bits(0),
            ),
            Nanos::from_u64(9),
        );
        assert_eq!(gate.until(open), None);
    }
}

#[cfg(all(test, loom))]
mod loom_tests;
