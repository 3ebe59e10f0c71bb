//! A count with a tag, in one word.
//!
//! 36 bits of tag, 28 bits of count. A writer with a newer tag restarts the count; a writer with an older tag is
//! ignored. No word ever has to be cleared, and no count crosses a clear. Tags are compared modulo 2^36.

use crate::sync::{AtomicU64, Ordering};
use crate::window::stripe::Access;

const COUNT_BITS: u32 = 28;
pub(crate) const COUNT_MAX: u64 = (1 << COUNT_BITS) - 1;
const TAG_MASK: u64 = (1 << (64 - COUNT_BITS)) - 1;

/// The effect of an overflow of the 28 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// The count stays at its maximum, which 268 million calls of one thread in one bucket reach.
    Saturate,
    /// The count restarts at 0. For counts of which only differences are used.
    Wrap,
}

/// Adds 1 to a word that only this thread writes, if the word has that tag and is not full.
#[inline(always)]
pub(crate) fn add_one(word: &AtomicU64, tag: u64) -> bool {
    let seen = word.load(Ordering::Relaxed);
    let has_tag = seen.wrapping_sub(tag << COUNT_BITS) < COUNT_MAX;
    if has_tag {
        word.store(seen + 1, Ordering::Release);
    }
    has_tag
}

/// Adds `by` under `tag`.
#[inline]
pub(crate) fn add(word: &AtomicU64, access: Access, tag: u64, by: u64, full: Full) {
    let tag = tag & TAG_MASK;
    access.update(word, |old| {
        let (old_tag, old_count) = (old >> COUNT_BITS, old & COUNT_MAX);
        let count = if old_tag == tag {
            match full {
                Full::Saturate => (old_count + by).min(COUNT_MAX),
                Full::Wrap => (old_count + by) & COUNT_MAX,
            }
        } else if old != 0 && too_late(tag, old_tag) {
            return None;
        } else {
            by & COUNT_MAX
        };
        Some(tag << COUNT_BITS | count)
    });
}

/// Returns the count under `tag`, or 0 if the word has another tag.
#[inline]
pub(crate) fn read(word: &AtomicU64, tag: u64) -> u64 {
    let word = word.load(Ordering::Acquire);
    if word >> COUNT_BITS == tag & TAG_MASK { word & COUNT_MAX } else { 0 }
}

/// Returns whether `by` is newer than `tag`. Only a writer that races with a change can be late, and only by a few
/// steps. A larger distance means that `tag` is ahead of a word that was unused for so long that the tags wrapped.
fn too_late(tag: u64, by: u64) -> bool {
    const RACE: u64 = 1 << 22;
    (1..=RACE).contains(&(by.wrapping_sub(tag) & TAG_MASK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_tag_restarts_the_count_and_an_older_one_is_ignored() {
        for access in [Access::Owned, Access::Shared] {
            let word = AtomicU64::new(0);
            add(&word, access, 7, 2, Full::Saturate);
            add(&word, access, 7, 1, Full::Saturate);
            assert_eq!(read(&word, 7), 3);
            add(&word, access, 8, 1, Full::Saturate);
            add(&word, access, 7, 5, Full::Saturate);
            assert_eq!((read(&word, 7), read(&word, 8)), (0, 1));
        }
    }

    #[test]
    fn tags_are_compared_across_the_wrap() {
        let word = AtomicU64::new(0);
        add(&word, Access::Owned, TAG_MASK, 1, Full::Saturate);
        add(&word, Access::Owned, TAG_MASK + 1, 4, Full::Saturate);
        assert_eq!(read(&word, 0), 4);
        add(&word, Access::Owned, TAG_MASK, 1, Full::Saturate);
        assert_eq!(read(&word, 0), 4);
    }

    #[test]
    fn a_word_that_was_not_used_for_half_the_wrap_is_used_again() {
        for behind in [TAG_MASK / 2 - 1, TAG_MASK / 2, TAG_MASK / 2 + 1] {
            let word = AtomicU64::new(0);
            add(&word, Access::Owned, 5, 1, Full::Saturate);
            add(&word, Access::Owned, 5 + behind, 2, Full::Saturate);
            assert_eq!(read(&word, 5 + behind), 2);
        }
    }

    #[test]
    fn a_full_count_stays_or_wraps() {
        let word = AtomicU64::new(0);
        add(&word, Access::Owned, 1, COUNT_MAX, Full::Saturate);
        add(&word, Access::Owned, 1, 5, Full::Saturate);
        assert_eq!(read(&word, 1), COUNT_MAX);
        add(&word, Access::Owned, 1, 5, Full::Wrap);
        assert_eq!(read(&word, 1), 4);
    }

    #[test]
    fn add_one_requires_its_tag_and_a_count_below_the_maximum() {
        for tag in [1, 7, TAG_MASK, TAG_MASK + 7] {
            let word = AtomicU64::new(0);
            assert!(!add_one(&word, tag), "the word has no tag {tag} yet");
            add(&word, Access::Owned, tag, COUNT_MAX - 1, Full::Saturate);
            assert!(!add_one(&word, tag - 1) && !add_one(&word, tag + 1));
            assert!(add_one(&word, tag));
            assert!(!add_one(&word, tag), "it is full");
            assert_eq!(read(&word, tag), COUNT_MAX);
        }
    }
}
