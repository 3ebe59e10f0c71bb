//! To which bucket a moment belongs.

use crate::sync::{AtomicU64, Ordering};

/// A bucket length and the number of a clear: everything that says to which bucket a moment belongs.
///
/// Buckets lie on one grid from the breaker's start. Each clear (an epoch, a change of shape) moves the tags by
/// [`GAP`](Self::GAP), more than any ring is long, so that what was counted before is never read again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub(crate) width: u64,
    pub(crate) clears: u64,
}

impl Grid {
    pub(crate) const GAP: u32 = 12;

    #[inline]
    pub(crate) fn tick(&self, now: u64) -> u64 {
        // No width: nothing is counted.
        now.checked_div(self.width).unwrap_or(0)
    }

    /// The same by a multiplication where the bucket is that of `tag`, as it mostly is.
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

/// The newest bucket that anybody counted into, with the low bits of its clear.
///
/// Read on every call and written once per bucket: it is what makes a clock that stepped back count in the current
/// bucket.
#[derive(Debug, Default)]
pub(crate) struct Newest(AtomicU64);

impl Newest {
    const TICK_BITS: u32 = 40;
    pub(crate) const CLEAR_MASK: u64 = (1 << (64 - Self::TICK_BITS)) - 1;
    /// By how many clears a call can be overtaken while it is being counted. More than that is the wrap.
    const RACE: u64 = 1 << 12;

    /// The bucket to use at `now`. Mostly the newest: asked with a multiplication, not a division.
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

    /// The newest bucket, if `now` belongs to it: of any clear. Whoever counts in it compares the tag anyway.
    #[inline(always)]
    pub(crate) fn tick_of_any(&self, width: u64, now: u64) -> Option<u64> {
        let tick = self.0.load(Ordering::Relaxed) & ((1 << Self::TICK_BITS) - 1);
        (now.wrapping_sub(tick.wrapping_mul(width)) < width).then_some(tick)
    }

    /// The bucket to use for `tick`, or `None` if a later clear has begun.
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

    /// Like [`advance`](Self::advance), without a trace.
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
    fn the_newest_bucket_moves_on_and_whoever_was_overtaken_by_a_clear_has_none() {
        let [first, second, third] = [1, 2, 3].map(|clears| Grid { width: 10, clears });
        let newest = Newest::default();
        assert_eq!(newest.tick(first, 35), Some(3));
        assert_eq!(newest.tick(first, 39), Some(3));
        assert_eq!(newest.tick(first, 40), Some(4));
        assert_eq!(newest.tick(first, 10), Some(4), "the clock stepped back");
        assert_eq!(newest.tick(third, 20), Some(2));
        assert_eq!([first, second].map(|late| newest.tick(late, 50)), [None, None]);
        assert_eq!((newest.peek(third, 1), newest.peek(third, 5)), (2, 5));
        // So far apart that it is the wrap, not a race.
        let wrapped = Grid { clears: Newest::CLEAR_MASK + 4, ..third };
        assert_eq!(newest.tick(wrapped, 0), Some(2), "the same clear in the bits that are kept");
        let later = Grid { clears: third.clears + Newest::RACE + 1, ..third };
        assert_eq!(newest.tick(later, 0), Some(0));
        assert_eq!(newest.tick(third, 70), Some(7));
    }

    #[test]
    fn only_what_lies_in_the_newest_bucket_is_counted_the_short_way() {
        let newest = Newest::default();
        assert_eq!(newest.tick(Grid { width: 10, clears: 3 }, 35), Some(3));
        let short = [29, 30, 39, 40].map(|now| newest.tick_of_any(10, now));
        assert_eq!(short, [None, Some(3), Some(3), None]);
    }
}
