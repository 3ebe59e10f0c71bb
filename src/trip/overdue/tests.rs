use super::*;

/// Buckets of 100, so that a call is overdue after 1 000 to 1 100.
const GRID: Grid = Grid { width: 100, clears: 1 };

#[test]
fn an_end_without_a_visible_start_makes_nothing_overdue() {
    let overdue = Overdue::new();
    overdue.finish(1, GRID, 50);
    assert_eq!(overdue.overdue(1, GRID, 5_000), 0);
}

#[test]
fn a_call_is_overdue_at_most_a_tenth_late_and_never_early() {
    // Fewer steps under miri, which is slow.
    let step = if cfg!(miri) { 50 } else { 1 };
    for started in [0, 1, 50, 99, 100, 250] {
        let overdue = Overdue::new();
        overdue.start(1, GRID, started);
        let first = (started..started + 2_000)
            .step_by(step)
            .find(|now| overdue.overdue(1, GRID, *now) == 1)
            .expect("it hangs");
        assert!((started + 1_000..=started + 1_100).contains(&first), "{started}: {first}");
    }
}

#[test]
fn a_call_that_ends_is_not_overdue() {
    let overdue = Overdue::new();
    for call in 0..20 {
        overdue.start(1, GRID, call * 100);
    }
    assert_eq!((overdue.pending(1), overdue.overdue(1, GRID, 2_000)), (20, 10));
    overdue.finish(1, GRID, 0);
    overdue.finish(1, GRID, 1_900);
    assert_eq!((overdue.pending(1), overdue.overdue(1, GRID, 2_000)), (18, 9));
    assert_eq!(overdue.overdue(1, GRID, 1_000_000), 18);
}

#[test]
fn the_end_of_a_very_long_call_hides_no_other_call() {
    let overdue = Overdue::new();
    overdue.start(1, GRID, 0);
    overdue.start(1, GRID, 0);
    let now = 20_000_000 * GRID.width;
    overdue.start(1, GRID, now);
    overdue.finish(1, GRID, now);
    overdue.finish(1, GRID, 0);
    assert_eq!(overdue.overdue(1, GRID, now), 1);
}

#[test]
fn nothing_crosses_an_epoch() {
    let overdue = Overdue::new();
    let next = Grid { clears: 2, ..GRID };
    overdue.start(1, GRID, 0);
    assert_eq!(overdue.overdue(2, next, 10_000), 0);
    overdue.start(2, next, 5_000);
    overdue.finish(1, GRID, 0);
    assert_eq!((overdue.pending(2), overdue.overdue(2, next, 10_000)), (1, 1));
}

#[test]
fn a_call_that_starts_after_the_clock_was_read_is_young() {
    let overdue = Overdue::new();
    overdue.start(1, GRID, 1_000);
    overdue.start(1, GRID, 1_050);
    // The reader took its clock reading before those calls started, and sums after they have started.
    assert_eq!(overdue.overdue(1, GRID, 999), 0);
    overdue.finish(1, GRID, 1_000);
    assert_eq!(overdue.overdue(1, GRID, 999), 0);
    assert_eq!(overdue.overdue(1, GRID, 2_100), 1);
}

#[test]
fn a_call_that_starts_after_the_clock_stepped_back_is_young() {
    // A later call has already taken the bucket of the first one.
    for (started, old) in [(1_550, 2_600), (3_000, 4_100)] {
        let overdue = Overdue::new();
        overdue.start(1, GRID, 3_100);
        overdue.finish(1, GRID, 3_100);
        overdue.start(1, GRID, started);
        for now in started..old {
            assert_eq!(overdue.overdue(1, GRID, now), 0, "started {started}, now {now}");
        }
        assert_eq!(overdue.overdue(1, GRID, old), 1);
    }
}

#[test]
fn the_rule_is_evaluated_once_per_bucket() {
    let overdue = Overdue::new();
    assert!(overdue.due(GRID, 0));
    assert!(!overdue.due(GRID, 99));
    assert!(overdue.due(GRID, 100));
    overdue.forget_until_aged(GRID, 150);
    assert!(!overdue.due(GRID, 1_199));
    assert!(overdue.due(GRID, 1_200));
}
