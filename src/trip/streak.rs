//! The streak of consecutive failures, in one word.

use crate::sync::{AtomicU64, Ordering};

/// The consecutive failures of one epoch: the low 32 bits of the epoch, then the count.
///
/// A success that finds a count of zero writes nothing, so that successes on several threads share the cache line.
///
/// `word` is written with `AcqRel` by failures and read with `Acquire`: a reader that sees a count also sees the
/// `first` that was stored before it. A success writes a count of zero, which publishes nothing, with `Relaxed`.
#[derive(Debug, Default)]
pub(crate) struct Streak {
    word: AtomicU64,
    /// When the first failure of the streak was counted. Concurrent first failures may each store their own time.
    first: AtomicU64,
}

fn pack(epoch: u64, count: u32) -> u64 {
    epoch << 32 | u64::from(count)
}

fn count_of(word: u64, epoch: u64) -> u32 {
    if word >> 32 == epoch & u64::from(u32::MAX) { word as u32 } else { 0 }
}

/// Returns whether the word belongs to an epoch that began after `epoch`.
fn overtaken(word: u64, epoch: u64) -> bool {
    let ahead = ((word >> 32) as u32).wrapping_sub(epoch as u32);
    word != 0 && ahead != 0 && ahead < u32::MAX / 2
}

impl Streak {
    /// Ends the streak after a success.
    #[inline(always)]
    pub(crate) fn end(&self, epoch: u64) {
        if self.word.load(Ordering::Relaxed) as u32 != 0 {
            self.end_some(epoch);
        }
    }

    #[cold]
    #[inline(never)]
    fn end_some(&self, epoch: u64) {
        let mut word = self.word.load(Ordering::Relaxed);
        // Also replaces a count of an earlier epoch, so that later successes find zero and return early.
        while word as u32 != 0 && !overtaken(word, epoch) {
            match self.word.compare_exchange_weak(
                word,
                pack(epoch, 0),
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }

    /// Counts a failure if the streak stays below `limit`. Returns `false` if nothing was counted.
    #[inline]
    pub(crate) fn extend_below(&self, epoch: u64, limit: u64) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        let more = u64::from(count_of(word, epoch)) + 1;
        // Contention sends the caller to `extend`, which retries.
        more < limit
            && !overtaken(word, epoch)
            && self
                .word
                .compare_exchange(
                    word,
                    pack(epoch, more as u32),
                    Ordering::AcqRel,
                    Ordering::Relaxed,
                )
                .is_ok()
    }

    /// Counts a failure. Returns the length of the streak and when it began. Calls `now` only if `timed`.
    #[inline]
    pub(crate) fn extend(&self, epoch: u64, timed: bool, now: impl FnOnce() -> u64) -> (u32, u64) {
        let now = if timed { now() } else { 0 };
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if overtaken(word, epoch) {
                return (0, now);
            }
            let count = count_of(word, epoch);
            if timed && count == 0 {
                self.first.store(now, Ordering::Relaxed);
            }
            let more = count.saturating_add(1);
            match self.word.compare_exchange_weak(
                word,
                pack(epoch, more),
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) => return (more, if timed { self.first.load(Ordering::Relaxed) } else { 0 }),
                Err(now) => word = now,
            }
        }
    }

    /// Sets the start of the streak to `now`. Used when timing is switched on and the real start is unknown.
    pub(crate) fn time_from(&self, now: u64) {
        self.first.store(now, Ordering::Relaxed);
    }

    /// Returns the length of the streak and when it began.
    pub(crate) fn read(&self, epoch: u64) -> (u32, u64) {
        let count = count_of(self.word.load(Ordering::Acquire), epoch);
        (count, self.first.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_add_up_until_a_success() {
        let streak = Streak::default();
        assert_eq!(streak.extend(3, true, || 10), (1, 10));
        assert_eq!(streak.extend(3, true, || 15), (2, 10));
        streak.end(3);
        assert_eq!(streak.extend(3, true, || 20), (1, 20));
    }

    #[test]
    fn nothing_crosses_an_epoch() {
        let streak = Streak::default();
        streak.extend(3, false, || 0);
        streak.extend(4, false, || 0);
        assert_eq!(streak.read(4).0, 1);
        assert_eq!(streak.extend(3, false, || 0).0, 0);
        streak.end(3);
        assert_eq!((streak.read(3).0, streak.read(4).0), (0, 1));
    }

    #[test]
    fn the_clock_is_not_read_if_no_rule_needs_it() {
        Streak::default().extend(1, false, || unreachable!("no rule needs a time span"));
    }
}
