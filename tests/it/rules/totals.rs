//! The totals.

use tower_breaker::{Outcome, State, Trip};

use crate::support::breakers::*;

#[tokio::test(start_paused = true)]
async fn every_settled_call_is_counted_once_by_its_outcome() {
    let handle = breaker(plain().trip(Trip::none()));
    let neutral = Outcome::exhausted().retry_after(MS(1));
    for (outcome, times) in [
        (Outcome::success(), 1),
        (Outcome::failure().weight(50), 2),
        (Outcome::throttled(), 3),
        (neutral, 4),
        (Outcome::ignored(), 5),
    ] {
        (0..times).for_each(|_| settle(&handle, outcome));
    }
    (0..6).for_each(|_| drop(admit(&handle)));
    let totals = handle.snapshot().totals;
    assert_eq!((totals.success, totals.failure, totals.throttled), (1, 2, 3));
    assert_eq!((totals.exhausted, totals.ignored, totals.cancelled), (4, 5, 6));
    assert_eq!((totals.late, totals.rejected, totals.would_reject), (0, 0, 0));
    assert_eq!((totals.settled(), totals.admitted), (21, Some(21)));
}

#[tokio::test(start_paused = true)]
async fn calls_in_flight_are_known_if_they_are_counted() {
    let handle = breaker(plain());
    let calls = [admit(&handle), admit(&handle)];
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.in_flight, snapshot.totals.admitted), (Some(2), Some(2)));
    assert_eq!(snapshot.totals.settled(), 0);
    calls.into_iter().for_each(tower_breaker::Permit::success);
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.in_flight, snapshot.totals.admitted), (Some(0), Some(2)));
}

#[tokio::test(start_paused = true)]
async fn calls_in_flight_are_unknown_if_they_are_not_counted() {
    let silent = breaker(plain().track_in_flight(false));
    let _call = admit(&silent);
    let snapshot = silent.snapshot();
    assert_eq!((snapshot.in_flight, snapshot.totals.admitted), (None, None));
    let overdue = breaker(ruled(Trip::none().overdue(9, S(1))).track_in_flight(false));
    let _call = admit(&overdue);
    assert_eq!(overdue.snapshot().in_flight, Some(1), "the overdue rule counts them");
}

#[tokio::test(start_paused = true)]
async fn a_rejected_call_counts_only_as_rejected() {
    let handle = breaker(plain());
    trip(&handle);
    let before = handle.snapshot().totals;
    handle.try_acquire().unwrap_err();
    let after = handle.snapshot().totals;
    assert_eq!((after.rejected, after.settled()), (before.rejected + 1, before.settled()));
    assert_eq!(after.admitted, before.admitted);
}

#[tokio::test(start_paused = true)]
async fn totals_survive_every_verb() {
    let handle = breaker(plain());
    trip(&handle);
    handle.try_acquire().unwrap_err();
    let before = handle.snapshot().totals;
    handle.force_open(None);
    handle.release();
    handle.disable();
    handle.shadow();
    handle.force_closed();
    handle.hold_for(S(5));
    handle.reset();
    handle.reconfigure(plain().build().unwrap());
    assert_eq!(handle.snapshot().totals, before);
}

#[tokio::test(start_paused = true)]
async fn a_call_in_flight_when_counting_was_enabled_is_not_missing_later() {
    let handle = breaker(plain().track_in_flight(false));
    let before = admit(&handle);
    handle.reconfigure(plain().build().unwrap());
    let after = admit(&handle);
    before.success();
    assert_eq!(handle.snapshot().in_flight, Some(1));
    after.success();
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.in_flight, snapshot.totals.admitted), (Some(0), Some(2)));
}

#[test]
fn under_load_settled_calls_never_exceed_admitted_calls_and_finally_equal_them() {
    let handle = breaker(plain());
    let (threads, calls) = (4, 2_000);
    let (mut admitted, mut rejected) = (0, 0);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                let handle = &handle;
                scope.spawn(move || {
                    let (mut admitted, mut rejected) = (0, 0);
                    for call in 0..calls {
                        match handle.try_acquire() {
                            Ok(permit) => {
                                admitted += 1;
                                match (call + thread) % 4 {
                                    0 => permit.success(),
                                    1 => permit.ignore(),
                                    2 => drop(permit),
                                    _ => permit.failure(),
                                }
                            }
                            Err(_) => rejected += 1,
                        }
                        if call % 100 == 0 {
                            handle.force_closed();
                        }
                    }
                    (admitted, rejected)
                })
            })
            .collect();
        while workers.iter().any(|worker| !worker.is_finished()) {
            let totals = handle.snapshot().totals;
            assert!(Some(totals.settled()) <= totals.admitted, "{totals:?}");
        }
        for worker in workers {
            let (more_admitted, more_rejected) = worker.join().expect("no panic");
            admitted += more_admitted;
            rejected += more_rejected;
        }
    });
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.totals.settled(), snapshot.totals.rejected), (admitted, rejected));
    assert_eq!((snapshot.in_flight, snapshot.totals.admitted), (Some(0), Some(admitted)));
    assert_ne!(snapshot.state, State::HalfOpen);
}
