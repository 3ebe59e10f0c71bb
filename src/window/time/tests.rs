use super::*;
use crate::sync::Ordering;

const OK: Entry = Entry { kind: EntryKind::Success, slow: false };
const BAD: Entry = Entry { kind: EntryKind::Failure(1), slow: false };
const GRID: Grid = Grid { width: 1_000, clears: 1 };

#[test]
fn a_bucket_leaves_as_a_whole_when_it_is_older_than_the_window() {
    let window = TimeWindow::new();
    for second in 0..10 {
        window.add(GRID, second * 1_000, OK);
    }
    assert_eq!(window.tally(GRID, 10, 9_999).calls, 10);
    assert_eq!(window.tally(GRID, 10, 10_000).calls, 9);
    assert_eq!(window.tally(GRID, 10, 11_000).calls, 8);
    assert_eq!(window.tally(GRID, 10, 1_000_000).calls, 0);
}

#[test]
fn a_clock_that_steps_back_counts_in_the_current_bucket() {
    let window = TimeWindow::new();
    window.add(GRID, 15_000, BAD);
    window.add(GRID, 2_000, BAD);
    assert_eq!(window.tally(GRID, 10, 15_000).failed, 2);
    assert_eq!(window.tally(GRID, 10, 2_000).failed, 2);
    assert_eq!(window.tally(GRID, 10, 25_000).failed, 0);
}

#[test]
fn nothing_crosses_a_clear() {
    let window = TimeWindow::new();
    let next = Grid { clears: 2, ..GRID };
    window.add(GRID, 5_000, BAD);
    assert_eq!(window.tally(next, 10, 5_000), Tally::default());
    window.add(next, 5_000, OK);
    window.add(GRID, 5_000, BAD);
    assert_eq!(window.tally(next, 10, 5_000), Tally { calls: 1, ..Tally::default() });
}

#[test]
fn the_number_of_clears_may_wrap() {
    let window = TimeWindow::new();
    for clears in
        [Newest::CLEAR_MASK - 1, Newest::CLEAR_MASK, Newest::CLEAR_MASK + 1, Newest::CLEAR_MASK + 2]
    {
        let grid = Grid { width: 1_000, clears };
        window.add(grid, 3_000, BAD);
        assert_eq!(window.tally(grid, 10, 3_000).failed, 1, "clear {clears:#x}");
    }
}

#[test]
fn every_sum_is_kept() {
    let window = TimeWindow::new();
    window.add(GRID, 0, Entry { kind: EntryKind::Failure(5), slow: true });
    window.add(GRID, 0, Entry { kind: EntryKind::Cancelled, slow: true });
    window.add(GRID, 0, OK);
    let sums = Tally { calls: 2, failed: 1, extra: 4, slow: 1, slow_cancelled: 1 };
    assert_eq!(window.tally(GRID, 10, 0), sums);
}

#[test]
fn threads_count_into_one_window() {
    // Fewer steps under miri, which is slow.
    let calls = if cfg!(miri) { 50 } else { 1_000 };
    let window = TimeWindow::new();
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                for call in 0..calls {
                    window.add(GRID, call, if call % 2 == 0 { OK } else { BAD });
                }
            });
        }
    });
    let tally = window.tally(GRID, 10, 1_000);
    assert_eq!((tally.calls, tally.failed), (12 * calls, 6 * calls));
}

#[test]
fn a_reader_never_sees_more_failures_than_calls() {
    let window = TimeWindow::new();
    let grid = Grid { width: 1, clears: 1 };
    let now = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Fewer steps under miri, which is slow.
            for moment in 1..if cfg!(miri) { 200 } else { 200_000 } {
                now.store(moment, Ordering::Release);
                window.add(grid, moment, BAD);
                // As long as a sum takes, about.
                (0..100).for_each(|_| std::hint::spin_loop());
            }
            now.store(u64::MAX, Ordering::Release);
        });
        loop {
            let moment = now.load(Ordering::Acquire);
            if moment == u64::MAX {
                break;
            }
            let tally = window.tally(grid, Window::MAX_BUCKETS, moment);
            assert!(tally.failed <= tally.calls, "{tally:?}");
        }
    });
}
