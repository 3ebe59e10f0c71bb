//! The mapping of times to buckets.

use crate::sync::{AtomicU64, Ordering};

/// A bucket length and the number of clears. Together they map a time to a bucket.
///
/// Buckets lie on one grid that starts with the breaker. Each clear (a new epoch, a change of shape) moves the tags by
/// `1 << GAP`, which is more than the length of any ring, so that earlier counts are never read again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub(crate) width: u64,
    pub(crate) clears: u64,
}

impl Grid {
    pub(crate) const GAP: u32 = 12;

    #[inline]
    pub(crate) fn tick(&self, now: u64) -> u64 {
        // A width of zero means that nothing is counted.
        now.checked_div(self.width).unwrap_or(0)
    }

    /// Like [`tick`](Self::tick), with a multiplication in place of the division if `now` is in the bucket of `tag`,
    /// which is the common case.
    #[inline]
    pub(crate) fn tick_near(&self, now: u64, tag: u64) -> u64 {
        let guess = tag.wrapping_sub(self.clears << Self::GAP);
        if now.wrapping_sub(guess.wrapping_mul(self.width)) < self.width {
            guess
        } else {
            self.tick(now)
        }
    }

    #[inline]
    pub(crate) fn tag(&self, tick: u64) -> u64 {
        tick.wrapping_add(self.clears << Self::GAP)
    }
}

/// The newest bucket that holds a count, with the low bits of its clear.
///
/// Every call reads it; the first call of a bucket writes it. A clock that steps back counts in this bucket. All
/// accesses are `Relaxed`: the word publishes no other memory, and the tag of a bucket decides whether a count is
/// valid.
#[derive(Debug, Default)]
pub(crate) struct Newest(AtomicU64);

impl Newest {
    const TICK_BITS: u32 = 40;
    pub(crate) const CLEAR_MASK: u64 = (1 << (64 - Self::TICK_BITS)) - 1;
    /// The largest number of clears that can overtake a call while it is counted. A larger distance is the wrap.
    const RACE: u64 = 1 << 12;

    /// Returns the bucket to use at `now`. In the common case that is the newest one, found by a multiplication in
    /// place of a division.
    #[inline]
    pub(crate) fn tick(&self, grid: Grid, now: u64) -> Option<u64> {
        let seen = self.0.load(Ordering::Relaxed);
        let tick = seen & ((1 << Self::TICK_BITS) - 1);
        let begins = tick.wrapping_mul(grid.width);
        if seen >> Self::TICK_BITS == grid.clears & Self::CLEAR_MASK
            && now.wrapping_sub(begins) < grid.width
        {
            return Some(tick);
        }
        self.advance(grid, grid.tick(now))
    }

    /// Returns the newest bucket, of any clear, if `now` lies in it. The caller compares the tag when it counts.
    #[inline(always)]
    pub(crate) fn tick_of_any(&self, width: u64, now: u64) -> Option<u64> {
        let tick = self.0.load(Ordering::Relaxed) & ((1 << Self::TICK_BITS) - 1);
        (now.wrapping_sub(tick.wrapping_mul(width)) < width).then_some(tick)
    }

    /// Returns the bucket to use for `tick`, or `None` if a later clear has begun.
    #[cold]
    fn advance(&self, grid: Grid, tick: u64) -> Option<u64> {
        let clears = grid.clears & Self::CLEAR_MASK;
        let mut seen = self.0.load(Ordering::Relaxed);
        loop {
            let (seen_clears, seen_tick) =
                (seen >> Self::TICK_BITS, seen & ((1 << Self::TICK_BITS) - 1));
            if seen_clears == clears && seen_tick >= tick {
                return Some(seen_tick);
            }
            let behind = seen_clears.wrapping_sub(clears) & Self::CLEAR_MASK;
            if seen != 0 && (1..=Self::RACE).contains(&behind) {
                return None;
            }
            let mine = clears << Self::TICK_BITS | tick & ((1 << Self::TICK_BITS) - 1);
            match self.0.compare_exchange_weak(seen, mine, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(tick),
                Err(now) => seen = now,
            }
        }
    }

    /// Like [`advance`](Self::advance), without writing.
    pub(crate) fn peek(&self, grid: Grid, tick: u64) -> u64 {
        let seen = self.0.load(Ordering::Relaxed);
        if seen >> Self::TICK_BITS == grid.clears & Self::CLEAR_MASK {
            tick.max(seen & ((1 << Self::TICK_BITS) - 1))
        } else {
            tick
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_changes_no_bucket() {
        for width in [1, 7, 1_000, 500_000_000] {
            for clears in [0, 1, 4_000_000_000] {
                let grid = Grid { width, clears };
                for now in [0, 1, 999, 1_000, 1_001, 123_456_789_012, u64::MAX / 2] {
                    let right = grid.tick(now);
                    for off in [0, 1, 2, 4_096, u64::MAX, u64::MAX - 4_095] {
                        let tag = grid.tag(right).wrapping_add(off);
                        assert_eq!(grid.tick_near(now, tag), right, "{grid:?} at {now}, {off}");
                    }
                    assert_eq!(grid.tick_near(now, 0), right);
                }
            }
        }
        assert_eq!(Grid { width: 0, clears: 1 }.tick_near(5, 5), 0);
    }

    #[test]
    fn the_newest_bucket_advances_and_a_call_of_an_earlier_clear_gets_none() {
        let [first, second, third] = [1, 2, 3].map(|clears| Grid { width: 10, clears });
        let newest = Newest::default();
        assert_eq!(newest.tick(first, 35), Some(3));
        assert_eq!(newest.tick(first, 39), Some(3));
        assert_eq!(newest.tick(first, 40), Some(4));
        assert_eq!(newest.tick(first, 10), Some(4), "the clock stepped back");
        assert_eq!(newest.tick(third, 20), Some(2));
        assert_eq!([first, second].map(|late| newest.tick(late, 50)), [None, None]);
        assert_eq!((newest.peek(third, 1), newest.peek(third, 5)), (2, 5));
        // A distance this large is the wrap, not a race.
        let wrapped = Grid { clears: Newest::CLEAR_MASK + 4, ..third };
        assert_eq!(newest.tick(wrapped, 0), Some(2), "the same clear in the stored bits");
        let later = Grid { clears: third.clears + Newest::RACE + 1, ..third };
        assert_eq!(newest.tick(later, 0), Some(0));
        assert_eq!(newest.tick(third, 70), Some(7));
    }

    #[test]
    fn only_the_newest_bucket_takes_the_fast_path() {
        let newest = Newest::default();
        assert_eq!(newest.tick(Grid { width: 10, clears: 3 }, 35), Some(3));
        let short = [29, 30, 39, 40].map(|now| newest.tick_of_any(10, now));
        assert_eq!(short, [None, Some(3), Some(3), None]);
    }
}
