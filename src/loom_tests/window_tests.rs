//! Words that many threads write without a lock.

use super::*;
use crate::sync::AtomicU64;
use crate::trip::overdue::Overdue;
use crate::trip::streak::Streak;
use crate::window::count::CountWindow;
use crate::window::grid::Grid;
use crate::window::stripe::{Access, Striped};
use crate::window::tagged::{self, Full};
use crate::window::tally::{Entry, EntryKind};
use crate::window::time::TimeWindow;

const OK: Entry = Entry { kind: EntryKind::Success, slow: false };
const BAD: Entry = Entry { kind: EntryKind::Failure(1), slow: false };
const GRID: Grid = Grid { width: 1_000, clears: 1 };
const NEXT: Grid = Grid { clears: 2, ..GRID };

fn shared<T, R, F: FnOnce(&T) -> R>(
    value: &Arc<T>,
    use_it: F,
) -> impl FnOnce() -> R + use<T, R, F> {
    let value = Arc::clone(value);
    move || use_it(&value)
}

#[test]
fn counts_of_an_old_tag_never_reach_a_new_one() {
    model(|| {
        let word = Arc::new(AtomicU64::new(0));
        tagged::add(&word, Access::Shared, 7, 1, Full::Saturate);
        let add = |tag, by| {
            shared(&word, move |word| tagged::add(word, Access::Shared, tag, by, Full::Saturate))
        };
        let reads = shared(&word, |word| (tagged::read(word, 8), tagged::read(word, 8)));
        let ((), (), (first, then)) = three(add(7, 1), add(8, 4), reads);
        assert!([(0, 0), (0, 4), (4, 4)].contains(&(first, then)), "{first}, {then}");
        assert_eq!((tagged::read(&word, 7), tagged::read(&word, 8)), (0, 4));
    });
}

#[test]
fn no_count_of_a_shared_stripe_is_lost() {
    model(|| {
        let counters = Arc::new(Striped::<AtomicU64>::new());
        let count = || {
            shared(&counters, |counters| {
                stripe::place(None);
                for _ in 0..2 {
                    counters.count(|word, access| access.add(word, 1));
                }
            })
        };
        three(count(), count(), count());
        assert_eq!(counters.all().map(|word| word.load(Ordering::Acquire)).sum::<u64>(), 6);
    });
}

#[test]
fn a_stripe_passes_to_the_next_thread_with_all_its_counts() {
    model(|| {
        let counters = Arc::new(Striped::<AtomicU64>::new());
        // Three threads share two numbers, at the same time or one after the other.
        let thread = || {
            let counters = Arc::clone(&counters);
            thread::spawn(move || {
                for _ in 0..2 {
                    counters.count(|word, access| access.add(word, 1));
                }
                stripe::end_thread();
                // As in the destructor of another thread-local.
                counters.count(|word, access| {
                    assert_eq!(access, Access::Shared);
                    access.add(word, 1);
                });
            })
        };
        let [(), (), ()] = [thread(), thread(), thread()].map(join);
        assert_eq!(counters.all().map(|word| word.load(Ordering::Acquire)).sum::<u64>(), 9);
    });
}

#[test]
fn nothing_crosses_a_clear_of_a_time_window() {
    model(|| {
        let window = Arc::new(TimeWindow::new());
        window.add(GRID, 5_000, BAD);
        let old = shared(&window, |window| {
            stripe::place(None);
            window.add(GRID, 5_000, BAD);
        });
        let new = shared(&window, |window| {
            stripe::place(None);
            window.add(NEXT, 7_000, OK);
        });
        let reads = shared(&window, |window| window.tally(NEXT, 2, 7_000));
        let ((), (), seen) = three(old, new, reads);
        assert!(seen.calls <= 1 && seen.failed == 0, "{seen:?}");
        // A reader with an earlier clock value sees the same: the newest bucket belongs to the new epoch.
        let seen = window.tally(NEXT, 1, 5_000);
        assert_eq!((seen.calls, seen.failed), (1, 0));
    });
}

#[test]
fn two_threads_that_start_a_bucket_lose_no_count() {
    model(|| {
        let window = Arc::new(TimeWindow::new());
        window.add(GRID, 0, BAD);
        let one = shared(&window, |window| window.add(GRID, 1_000, BAD));
        let two = shared(&window, |window| window.add(GRID, 2_000, OK));
        // A thread whose clock is behind counts in a newer bucket, or in its own.
        let behind = shared(&window, |window| window.add(GRID, 500, BAD));
        three(one, two, behind);
        let seen = window.tally(GRID, 3, 2_000);
        assert_eq!((seen.calls, seen.failed), (4, 3));
    });
}

#[test]
fn a_reader_never_sees_more_failures_than_calls() {
    for (slot, later) in [(Some(0), 5_000), (None, 5_000), (Some(0), 37_000), (None, 37_000)] {
        model(move || {
            let window = Arc::new(TimeWindow::new());
            stripe::place(slot);
            window.add(GRID, 5_000, BAD);
            // The same slot: the same bucket, or the one that is a whole ring later.
            let counts = shared(&window, move |window| {
                stripe::place(slot);
                window.add(GRID, later, BAD);
            });
            let reads = shared(&window, |window| window.tally(GRID, 1, 5_000));
            let ((), seen) = both(counts, reads);
            assert!(seen.failed <= seen.calls && seen.calls <= 2, "{seen:?}");
        });
    }
}

#[test]
fn a_streak_belongs_to_one_epoch() {
    model(|| {
        let streak = Arc::new(Streak::default());
        streak.extend(1, false, || 0);
        let fails = shared(&streak, |streak| streak.extend(1, false, || 0).0);
        let succeeds = shared(&streak, |streak| streak.end(1));
        let next = shared(&streak, |streak| streak.extend(2, false, || 0).0);
        let (old, (), new) = three(fails, succeeds, next);
        assert!(old <= 2, "{old}");
        assert_eq!((new, streak.read(1).0, streak.read(2).0), (1, 0, 1));
    });
}

#[test]
fn concurrent_failures_all_extend_the_streak() {
    model(|| {
        let streak = Arc::new(Streak::default());
        // The fast path fails under contention; then the slow one counts.
        let fails = || {
            shared(&streak, |streak| {
                if !streak.extend_below(1, 9) {
                    streak.extend(1, false, || 0);
                }
            })
        };
        three(fails(), fails(), fails());
        assert_eq!(streak.read(1).0, 3);
    });
}

#[test]
fn a_count_window_holds_no_more_than_its_size() {
    model(|| {
        let window = Arc::new(CountWindow::new());
        window.resize(3);
        window.add(1, BAD);
        let add = |epoch| shared(&window, move |window| window.add(epoch, BAD));
        let (one, (), two) = three(add(1), shared(&window, |window| window.resize(1)), add(1));
        for seen in [one, two] {
            let seen = seen.expect("the same epoch");
            assert!(seen.failed == seen.calls && (1..=3).contains(&seen.calls), "{seen:?}");
        }
        assert!(window.tally(1).calls <= 1);
        assert_eq!(window.add(1, OK).expect("the same epoch").calls, 1);
    });
}

#[test]
fn a_count_window_forgets_an_epoch_once() {
    model(|| {
        let window = Arc::new(CountWindow::new());
        window.resize(3);
        window.add(1, BAD);
        let add = |epoch| shared(&window, move |window| window.add(epoch, BAD));
        let (late, new, also_new) = three(add(1), add(2), add(2));
        assert!(late.is_none_or(|seen| seen.calls == 2));
        assert!(new.is_some() && also_new.is_some());
        assert_eq!((window.tally(1).calls, window.tally(2).calls), (0, 2));
    });
}

#[test]
fn a_call_that_starts_and_ends_makes_no_other_overdue() {
    // Buckets of 100: overdue after 1 000 to 1 100.
    const GRID: Grid = Grid { width: 100, clears: 1 };
    model(|| {
        let overdue = Arc::new(Overdue::new());
        overdue.start(1, GRID, 0);
        let young = shared(&overdue, |overdue| {
            overdue.start(1, GRID, 2_000);
            overdue.finish(1, GRID, 2_000);
        });
        let reads = shared(&overdue, |overdue| overdue.overdue(1, GRID, 2_000));
        let ((), seen) = both(young, reads);
        // A concurrent end can only lower the sum of a reader.
        assert!(seen <= 1, "{seen}");
        assert_eq!((overdue.overdue(1, GRID, 2_000), overdue.pending(1)), (1, 1));
    });
}

#[test]
fn a_call_that_ends_during_a_read_is_overdue_or_not() {
    const GRID: Grid = Grid { width: 100, clears: 1 };
    model(|| {
        let overdue = Arc::new(Overdue::new());
        overdue.start(1, GRID, 0);
        let ends = shared(&overdue, |overdue| overdue.finish(1, GRID, 0));
        let reads = shared(&overdue, |overdue| overdue.overdue(1, GRID, 2_000));
        let ((), seen) = both(ends, reads);
        assert!(seen <= 1, "{seen}");
        assert_eq!((overdue.overdue(1, GRID, 9_000), overdue.pending(1)), (0, 0));
    });
}

#[test]
fn a_call_that_starts_after_the_clock_was_read_is_not_overdue() {
    const GRID: Grid = Grid { width: 100, clears: 1 };
    model(|| {
        let overdue = Arc::new(Overdue::new());
        let starts = shared(&overdue, |overdue| overdue.start(1, GRID, 2_000));
        let reads = shared(&overdue, |overdue| overdue.overdue(1, GRID, 1_900));
        let ((), seen) = both(starts, reads);
        assert_eq!(seen, 0);
        assert_eq!((overdue.overdue(1, GRID, 3_100), overdue.pending(1)), (1, 1));
    });
}
