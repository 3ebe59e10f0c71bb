//! The last error in one word, so that a failure that does not trip takes no lock.

use std::cell::Cell;

use crate::outcome::{Class, LastError, Outcome};
use crate::sync::{AtomicU64, Mutex, Ordering, global, thread_local};

/// The last outcome of class failure, throttled or exhausted.
///
/// From the lowest bit: the class (3 bits), whether there is a code, the code (16 bits), the number of the reason (16
/// bits).
///
/// Every access is Relaxed, because the word is complete in itself. A reader that finds the number of a reason also
/// finds the reason: it takes the lock of the reasons after the thread that added the reason has released it.
#[derive(Debug, Default)]
pub(super) struct LastErrorWord(AtomicU64);

const HAS_CODE: u64 = 1 << 3;
const CODE_SHIFT: u32 = 4;
const REASON_SHIFT: u32 = 20;

impl LastErrorWord {
    /// Records an outcome under the class that the settings give it, if that is failure, throttled or exhausted.
    ///
    /// Takes a reference: the outcome was just written in parts, and a copy of the whole would wait for those writes.
    #[inline]
    pub(super) fn note(&self, outcome: &Outcome, class: Class) {
        let class = match class {
            Class::Failure => 1,
            Class::Throttled => 2,
            Class::Exhausted => 3,
            Class::Success | Class::Ignored | Class::Cancelled => return,
        };
        let code = outcome.status().map_or(0, |code| HAS_CODE | u64::from(code) << CODE_SHIFT);
        let reason = match outcome.why() {
            Some(reason) => u64::from(number(reason)) << REASON_SHIFT,
            None => 0,
        };
        self.0.store(class | code | reason, Ordering::Relaxed);
    }

    pub(super) fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    pub(super) fn load(&self) -> LastErrorBits {
        LastErrorBits(self.0.load(Ordering::Relaxed))
    }
}

/// A recorded outcome, not yet decoded. Decoding takes the lock of the reasons.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LastErrorBits(u64);

impl LastErrorBits {
    pub(super) fn error(self) -> Option<LastError> {
        let Self(word) = self;
        let class = match word & 0b111 {
            0 => return None,
            1 => Class::Failure,
            2 => Class::Throttled,
            _ => Class::Exhausted,
        };
        let code = (word & HAS_CODE != 0).then_some((word >> CODE_SHIFT) as u16);
        Some(LastError { class, code, reason: reason((word >> REASON_SHIFT) as u16) })
    }
}

global! {
    /// All reasons of this process, numbered from 1. They are `'static`, in practice the literals of the classifiers.
    /// After 65 535 reasons, new ones are dropped.
    static REASONS: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
}

thread_local! {
    /// The last reason that this thread looked up, with its number.
    static LAST: Cell<Option<(&'static str, u16)>> = const { Cell::new(None) };
}

#[inline]
fn number(reason: &'static str) -> u16 {
    match LAST.get() {
        Some((last, number)) if std::ptr::eq(last, reason) => number,
        _ => look_up(reason),
    }
}

#[cold]
fn look_up(reason: &'static str) -> u16 {
    let number = number_in(&mut REASONS.lock(), reason);
    LAST.set(Some((reason, number)));
    number
}

/// Returns the number of a reason, or 0 if there is no number left for it.
fn number_in(reasons: &mut Vec<&'static str>, reason: &'static str) -> u16 {
    let known = reasons.iter().position(|known| *known == reason).or_else(|| {
        (reasons.len() < usize::from(u16::MAX)).then(|| {
            reasons.push(reason);
            reasons.len() - 1
        })
    });
    known.map_or(0, |at| at as u16 + 1)
}

fn reason(number: u16) -> Option<&'static str> {
    REASONS.lock().get(usize::from(number).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_word_survives() {
        let word = LastErrorWord::default();
        assert_eq!(word.load().error(), None);
        for class in [Class::Failure, Class::Throttled, Class::Exhausted] {
            for code in [None, Some(0), Some(503), Some(u16::MAX)] {
                for reason in [None, Some("a reason"), Some("another"), Some("")] {
                    let outcome = Outcome::failure();
                    let outcome = code.map_or(outcome, |code| outcome.code(code));
                    let outcome = reason.map_or(outcome, |reason| outcome.reason(reason));
                    word.note(&outcome, class);
                    assert_eq!(word.load().error(), Some(LastError { class, reason, code }));
                    word.note(&outcome, Class::Ignored);
                    assert_eq!(word.load().error(), Some(LastError { class, reason, code }));
                }
            }
        }
        word.clear();
        assert_eq!(word.load().error(), None);
    }

    #[test]
    fn a_reason_above_the_limit_is_left_out() {
        let mut reasons = vec!["one of many"; usize::from(u16::MAX) - 1];
        assert_eq!(number_in(&mut reasons, "the last"), u16::MAX);
        assert_eq!(number_in(&mut reasons, "too many"), 0);
        assert_eq!(number_in(&mut reasons, "the last"), u16::MAX);
        assert_eq!(number_in(&mut reasons, "one of many"), 1);
    }
}
