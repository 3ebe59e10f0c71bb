//! Late results decide nothing.

use tower_breaker::{BreakerHandle, Outcome, Permit, Probe, State};

use crate::support::breakers::*;

const OUTCOMES: [fn() -> Option<Outcome>; 5] = [
    || Some(Outcome::success()),
    || Some(Outcome::failure()),
    || Some(Outcome::ignored()),
    || Some(Outcome::throttled()),
    // Dropped.
    || None,
];

fn end(permit: Permit, outcome: Option<Outcome>) {
    match outcome {
        Some(outcome) => permit.settle(outcome),
        None => drop(permit),
    }
}

/// Ends `permit` and checks that nothing changes except the count of late calls.
#[track_caller]
fn decides_nothing(handle: &BreakerHandle, permit: Permit, outcome: Option<Outcome>) {
    let before = handle.snapshot();
    end(permit, outcome);
    let after = handle.snapshot();
    assert_eq!(after.totals.late, before.totals.late + 1);
    assert_eq!(after.totals.settled(), before.totals.settled() + 1, "counted once");
    assert_eq!((after.state, after.epoch, after.until), (before.state, before.epoch, before.until));
    assert_eq!((after.probes, after.window), (before.probes, before.window));
    assert_eq!((after.attempt, after.last_error), (before.attempt, before.last_error));
}

#[tokio::test(start_paused = true)]
async fn results_from_closed_decide_nothing_in_half_open() {
    for outcome in OUTCOMES {
        let handle = breaker(plain().probe(Probe::successes(2)));
        let old = [admit(&handle), admit(&handle)];
        let probe = probe(&handle).await;
        let [during, after] = old;
        decides_nothing(&handle, during, outcome());
        assert!(handle.try_acquire().is_err(), "one permit is allowed");
        probe.success();
        decides_nothing(&handle, after, outcome());
        let second = admit(&handle);
        assert!(handle.try_acquire().is_err());
        second.success();
        assert_eq!(handle.state(), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn results_of_a_half_open_period_decide_nothing_in_the_next() {
    for outcome in OUTCOMES {
        let handle = breaker(plain().probe(Probe::successes(1).in_flight(2)));
        let first = probe(&handle).await;
        let stale = admit(&handle);
        first.failure();
        pass(COOLDOWN).await;
        let _fresh = [admit(&handle), admit(&handle)];
        assert_eq!(handle.snapshot().probes, 2);
        decides_nothing(&handle, stale, outcome());
        assert!(handle.try_acquire().is_err(), "its lease was not returned");
    }
}

#[tokio::test(start_paused = true)]
async fn results_from_closed_decide_nothing_while_open() {
    for outcome in OUTCOMES {
        let handle = breaker(plain());
        let old = admit(&handle);
        trip(&handle);
        decides_nothing(&handle, old, outcome());
    }
}

#[tokio::test(start_paused = true)]
async fn results_of_a_closed_period_decide_nothing_in_the_next() {
    for outcome in OUTCOMES {
        let handle = breaker(plain());
        let old = admit(&handle);
        probe(&handle).await.success();
        fail(&handle, 2);
        decides_nothing(&handle, old, outcome());
        fail(&handle, 1);
        assert_eq!(handle.state(), State::Open, "the late result did not change the streak");
    }
}

#[tokio::test(start_paused = true)]
async fn late_failures_cause_no_second_opening() {
    let handle = breaker(plain());
    let mut events = handle.events();
    let calls: Vec<_> = (0..100).map(|_| admit(&handle)).collect();
    calls.into_iter().for_each(Permit::failure);
    assert_eq!(drain(&mut events).len(), 1);
    let totals = handle.snapshot().totals;
    assert_eq!((totals.failure, totals.late), (3, 97));
}

#[tokio::test(start_paused = true)]
async fn every_transition_begins_the_next_epoch() {
    let handle = breaker(plain());
    let mut events = handle.events();
    let start = handle.snapshot().epoch;
    probe(&handle).await.success();
    handle.force_open(None);
    handle.release();
    handle.reset();
    let epochs: Vec<_> = drain(&mut events).iter().map(|event| event.epoch).collect();
    assert_eq!(epochs, (start + 1..=start + 6).collect::<Vec<_>>());
    assert_eq!(handle.snapshot().epoch, start + 6);
}
