//! What every call reads first: the state in one word, and until when it holds in another.

use crate::machine::flags::Flags;
use crate::state::{Cause, State};
use crate::sync::{AtomicU64, Ordering};

/// The phases of the machine. `Probing` and `Ramp` are both half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Phase {
    Closed = 0,
    Ramp = 1,
    Disabled = 2,
    // Those that reject, see `SHUT`.
    Open = 4,
    Probing = 5,
    ForcedOpen = 6,
}

impl Phase {
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

/// Phase, whether in shadow, whether somebody is changing it, the cause of the trip, the flags, the epoch (47 bits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(u64);

const PHASE: u64 = 0b111;
/// Of the phases that reject, and only of those: not of a ramp, which decides call by call.
const SHUT: u64 = 0b100;
const SHADOW: u64 = 1 << 3;
const BUSY: u64 = 1 << 4;
const CAUSE_SHIFT: u32 = 5;
const CAUSE: u64 = 0b1_1111;
const FLAGS_SHIFT: u32 = 10;
const EPOCH_SHIFT: u32 = FLAGS_SHIFT + Flags::BITS;
/// No gate has a word below: the first epoch is 1.
pub(crate) const FIRST_WORD: u64 = 1 << EPOCH_SHIFT;

impl Word {
    pub(crate) fn new(epoch: u64, phase: Phase, shadow: bool, cause: Cause, flags: Flags) -> Self {
        let shadow = if shadow { SHADOW } else { 0 };
        let flags = flags.bits() << FLAGS_SHIFT;
        Self(epoch << EPOCH_SHIFT | flags | (cause as u64) << CAUSE_SHIFT | shadow | phase as u64)
    }

    /// Rejects calls, but for probes.
    #[inline]
    pub(crate) fn is_shut(self) -> bool {
        self.0 & SHUT != 0
    }

    /// The same, and not only in shadow.
    #[inline]
    pub(crate) fn rejects(self) -> bool {
        self.0 & (SHUT | SHADOW) == SHUT
    }

    /// Closed, and none of these.
    const fn is_closed_without(self, flags: Flags) -> bool {
        self.0 & (PHASE | flags.bits() << FLAGS_SHIFT) == 0
    }

    /// Admits freely, a call need not even know when it started, and a success is only counted.
    #[inline]
    pub(crate) fn is_plain(self) -> bool {
        const NOT_PLAIN: Flags =
            Flags::ON_ADMISSION.and(Flags::ON_SUCCESS).and(Flags::FROM_THE_START);
        self.is_closed_without(NOT_PLAIN)
    }

    /// Closed, and a call has at most its start to note when it is admitted.
    #[inline]
    pub(crate) fn admits_freely(self) -> bool {
        self.is_closed_without(Flags::ON_ADMISSION)
    }

    /// Closed, and a success is only counted.
    #[inline]
    pub(crate) fn takes_success(self) -> bool {
        self.is_closed_without(Flags::ON_SUCCESS)
    }

    /// Closed, and a failure is one of a row and nothing else.
    #[inline]
    pub(crate) fn takes_failure(self) -> bool {
        self.is_closed_without(Flags::ON_FAILURE) && self.flags().streak()
    }

    /// Of this epoch, and equal to no word of the gate.
    #[inline]
    pub(crate) const fn of_epoch(epoch: u64) -> Self {
        Self(epoch << EPOCH_SHIFT | PHASE)
    }

    /// To be compared. At least [`FIRST_WORD`].
    #[inline]
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    #[inline]
    pub(super) const fn of_bits(bits: u64) -> Self {
        Self(bits)
    }

    #[inline]
    pub(crate) fn flags(self) -> Flags {
        Flags::from_bits(self.0 >> FLAGS_SHIFT)
    }

    #[inline]
    pub(crate) fn epoch(self) -> u64 {
        self.0 >> EPOCH_SHIFT
    }

    #[inline]
    pub(crate) fn phase(self) -> Phase {
        match self.0 & PHASE {
            0 => Phase::Closed,
            1 => Phase::Ramp,
            4 => Phase::Open,
            5 => Phase::Probing,
            6 => Phase::ForcedOpen,
            _ => Phase::Disabled,
        }
    }

    #[inline]
    pub(crate) fn shadow(self) -> bool {
        self.0 & SHADOW != 0
    }

    pub(crate) fn cause(self) -> Cause {
        let index = (self.0 >> CAUSE_SHIFT & CAUSE) as usize;
        Cause::ALL.get(index).copied().unwrap_or(Cause::Start)
    }

    fn busy(self) -> bool {
        self.0 & BUSY != 0
    }
}

/// The word and its time. Written under the machine's lock, read without.
#[derive(Debug)]
pub(crate) struct Gate {
    word: AtomicU64,
    /// Before this, in nanoseconds of the machine, every call is rejected without asking further; 0 where the lock
    /// has to be asked.
    until: AtomicU64,
    /// The latest exact time that anybody knew here. It is no earlier now.
    seen: AtomicU64,
}

/// A time that does not come.
pub(crate) const NEVER: u64 = u64::MAX;

impl Gate {
    pub(crate) fn new(word: Word) -> Self {
        Self { word: AtomicU64::new(word.0), until: AtomicU64::new(0), seen: AtomicU64::new(0) }
    }

    #[inline]
    pub(crate) fn word(&self) -> Word {
        Word(self.word.load(Ordering::Acquire))
    }

    /// The time that belongs to `word`; `None` if it was changed meanwhile.
    #[inline]
    pub(crate) fn until(&self, word: Word) -> Option<u64> {
        let until = self.until.load(Ordering::Acquire);
        // Whoever changes both marks the word first: an unmarked, unchanged word vouches for the time.
        (!word.busy() && self.word.load(Ordering::Relaxed) == word.0).then_some(until)
    }

    #[inline]
    pub(crate) fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }

    /// Only under the machine's lock.
    pub(crate) fn see(&self, now: u64) {
        self.seen.store(now, Ordering::Relaxed);
    }

    /// Only under the machine's lock.
    pub(crate) fn set(&self, word: Word, until: u64) {
        if self.word.load(Ordering::Relaxed) != word.0 {
            self.word.fetch_or(BUSY, Ordering::Relaxed);
        }
        self.until.store(until, Ordering::Release);
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
                (Phase::Closed, false),
                (Phase::Open, true),
                (Phase::Probing, false),
                (Phase::Ramp, true),
                (Phase::ForcedOpen, false),
                (Phase::Disabled, false),
            ] {
                let flags = Flags::from_bits(0b101_1010);
                let word = Word::new(123_456_789, phase, shadow, cause, flags);
                assert_eq!((word.epoch(), word.phase(), word.flags()), (123_456_789, phase, flags));
                assert_eq!((word.shadow(), word.cause()), (shadow, cause));
            }
        }
    }

    #[test]
    fn a_time_is_given_only_with_the_word_it_belongs_to() {
        let open = Word::new(1, Phase::Open, false, Cause::Custom, Flags::from_bits(0));
        let gate = Gate::new(open);
        gate.set(open, 7);
        assert_eq!(gate.until(open), Some(7));
        gate.set(Word::new(2, Phase::Probing, false, Cause::Custom, Flags::from_bits(0)), 9);
        assert_eq!(gate.until(open), None);
    }
}

#[cfg(all(test, loom))]
mod loom_tests;
