//! Calls, transitions and a person at the same time, in a circuit that is closed.

use super::*;
use crate::{Cause, Mode, Outcome, Throttled, Window};

fn failed(handle: &BreakerHandle) {
    handle.try_acquire().expect("closed").failure();
}

#[test]
fn a_call_is_admitted_before_a_trip_or_rejected_after_it() {
    model(|| {
        let handle = fragile();
        let mut events = handle.events();
        let permit = handle.try_acquire().expect("closed");
        let asks = with(&handle, |handle| match handle.try_acquire() {
            Ok(permit) => {
                permit.success();
                1
            }
            Err(open) => {
                assert_eq!(open.state(), State::Open);
                assert_eq!(open.cause(), Cause::ConsecutiveFailures);
                assert_eq!(open.retry_after(), Some(5 * S));
                0
            }
        });
        let ((), admitted) = both(|| permit.failure(), asks);
        let now = handle.snapshot();
        assert_eq!(now.state, State::Open);
        assert!(handle.try_acquire().is_err());
        assert_eq!(told(&mut events, &now).len(), 1);
        adds_up(&now.totals, 1 + admitted, 1 - admitted);
        assert_eq!((now.totals.failure, now.totals.success + now.totals.late), (1, admitted));
    });
}

#[test]
fn two_failures_at_the_same_time_are_two_in_a_row() {
    model(|| {
        let handle = handle(settings(Trip::none().consecutive(2)));
        let mut events = handle.events();
        both(with(&handle, failed), with(&handle, failed));
        let now = handle.snapshot();
        assert_eq!(told(&mut events, &now).len(), 1);
        assert_eq!((now.state, now.cause), (State::Open, Cause::ConsecutiveFailures));
        adds_up(&now.totals, 2, 0);
    });
}

#[test]
fn a_failure_that_is_over_is_seen_by_the_next_settle_in_a_time_window() {
    model(|| {
        let handle = handle(settings(Trip::none().failures(3)).window(Window::time(S).buckets(1)));
        both(with(&handle, failed), with(&handle, failed));
        // They may have missed each other; this one misses nothing.
        failed(&handle);
        assert_eq!(handle.state(), State::Open);
    });
}

#[test]
fn failures_at_the_same_time_see_each_other_in_a_count_window() {
    model(|| {
        let handle = handle(settings(Trip::none().failures(2)).window(Window::count(4)));
        let mut events = handle.events();
        both(with(&handle, failed), with(&handle, failed));
        let now = handle.snapshot();
        assert_eq!(told(&mut events, &now).len(), 1);
        assert_eq!(now.state, State::Open);
    });
}

#[test]
fn a_success_ends_the_failures_in_a_row_or_is_before_the_last_one() {
    model(|| {
        let handle = handle(settings(Trip::none().consecutive(2)));
        let mut events = handle.events();
        failed(&handle);
        let [first, second] = [(); 2].map(|()| handle.try_acquire().expect("closed"));
        both(|| first.success(), || second.failure());
        let now = handle.snapshot();
        let told = told(&mut events, &now);
        // The success came before the failure, after it, or after the trip.
        match now.state {
            State::Closed => assert!(now.window.consecutive_failures <= 1, "{now:?}"),
            state => assert_eq!((state, told.len()), (State::Open, 1)),
        }
        adds_up(&now.totals, 3, 0);
    });
}

#[test]
fn what_ends_while_somebody_resets_leaves_no_trace_after_the_reset() {
    model(|| {
        let handle = handle(settings(Trip::none().consecutive(2)));
        let mut events = handle.events();
        failed(&handle);
        let permit = handle.try_acquire().expect("closed");
        both(|| permit.failure(), with(&handle, BreakerHandle::reset));
        let now = handle.snapshot();
        let told = told(&mut events, &now);
        assert_eq!((now.state, now.cause, now.attempt), (State::Closed, Cause::Start, 0));
        assert_eq!(now.window.consecutive_failures, 0);
        assert!(told.len() == 1 || told[0].to == State::Open && told.len() == 2, "{told:?}");
        adds_up(&now.totals, 2, 0);
        assert_eq!(now.totals.failure + now.totals.late, 2);
        // One more is not the second in a row.
        failed(&handle);
        assert_eq!(handle.state(), State::Closed);
    });
}

#[test]
fn a_failure_that_ends_while_the_window_changes_is_in_one_of_them_once() {
    let shapes = [Window::time(6 * S).buckets(2), Window::time(2 * S).buckets(2), Window::count(3)];
    for window in shapes {
        model(move || {
            let before = settings(Trip::none().failures(3)).window(Window::time(S).buckets(1));
            let handle = handle(before);
            let after = settings(Trip::none().failures(3)).window(window);
            let after = after.build().expect("valid settings");
            clock::set(700);
            failed(&handle);
            let permit = handle.try_acquire().expect("closed");
            let settles = || {
                clock::set(700);
                permit.failure();
            };
            let changes = with(&handle, |handle| {
                clock::set(700);
                handle.reconfigure(after);
            });
            both(settles, changes);
            let now = handle.snapshot();
            // What is over is gone; what was concurrent may be.
            assert!(now.window.failures <= 1 && now.window.failures <= now.window.calls, "{now:?}");
            assert_eq!(now.state, State::Closed);
            let mut more = 0;
            while handle.state() == State::Closed {
                failed(&handle);
                more += 1;
            }
            assert_eq!(more, 3 - now.window.failures);
        });
    }
}

#[test]
fn new_limits_apply_to_what_ends_after_them() {
    model(|| {
        let handle = handle(settings(Trip::none().consecutive(5)));
        let mut events = handle.events();
        failed(&handle);
        let strict = settings(Trip::none().consecutive(2)).build().expect("valid");
        let permit = handle.try_acquire().expect("closed");
        both(|| permit.failure(), with(&handle, |handle| handle.reconfigure(strict)));
        let now = handle.snapshot();
        told(&mut events, &now);
        if now.state == State::Closed {
            assert_eq!(now.window.consecutive_failures, 2);
            failed(&handle);
        }
        assert_eq!(handle.state(), State::Open);
    });
}

#[test]
fn a_forced_open_and_its_release_are_in_one_order_for_a_settle() {
    model(|| {
        let handle = fragile();
        let mut events = handle.events();
        let permit = handle.try_acquire().expect("closed");
        let person = with(&handle, |handle| {
            handle.force_open(None);
            handle.release();
        });
        both(person, || permit.failure());
        let now = handle.snapshot();
        let told = told(&mut events, &now);
        // Tripped before, or late: released to an Open whose cooldown goes on, or to one that is over.
        let tripped = told[0].cause == Cause::ConsecutiveFailures;
        assert_eq!(told.len(), if tripped { 3 } else { 2 });
        let state = if tripped { State::Open } else { State::HalfOpen };
        assert_eq!((handle.mode(), handle.state()), (Mode::Normal, state));
        // What had been counted when the circuit opened is a failure that decided nothing.
        assert_eq!(now.totals.failure + now.totals.late, 1);
        assert!(!tripped || now.totals.failure == 1);
    });
}

#[test]
fn two_people_at_the_same_time_are_one_after_the_other() {
    model(|| {
        let handle = fragile();
        let mut events = handle.events();
        let opens = with(&handle, |handle| handle.force_open(Some(9 * S)));
        let releases = with(&handle, |handle| {
            handle.release();
            handle.try_acquire().is_err()
        });
        let ((), rejected) = both(opens, releases);
        let now = handle.snapshot();
        told(&mut events, &now);
        // A release before the forced open does nothing; one after it lets a probe decide.
        match now.mode {
            Mode::ForcedOpen => assert_eq!(now.epoch, 2),
            mode => assert_eq!((mode, now.epoch, rejected), (Mode::Normal, 4, false)),
        }
        adds_up(&now.totals, u64::from(!rejected), u64::from(rejected));
    });
}

#[test]
fn nobody_is_rejected_while_shadow_ends_in_a_closed_circuit() {
    model(|| {
        let handle = fragile();
        handle.shadow();
        failed(&handle);
        assert_eq!(handle.state(), State::Open);
        let calls = with(&handle, |handle| handle.try_acquire().map(|permit| permit.success()));
        let (admitted, ()) = both(calls, with(&handle, BreakerHandle::release));
        assert!(admitted.is_ok(), "open only in shadow, closed after it");
        let totals = handle.snapshot().totals;
        assert_eq!((totals.success + totals.late + totals.would_reject, totals.rejected), (1, 0));
    });
}

#[test]
fn a_wait_that_comes_while_somebody_trips_is_kept() {
    model(|| {
        let handle = handle(
            settings(Trip::none().consecutive(1)).throttled(Throttled::hold().max_hold(60 * S)),
        );
        let mut events = handle.events();
        let [first, second] = [(); 2].map(|()| handle.try_acquire().expect("closed"));
        let asked = Outcome::throttled().retry_after(40 * S);
        both(|| first.failure(), move || second.settle(asked));
        let now = handle.snapshot();
        assert_eq!(told(&mut events, &now).len(), 1);
        assert_eq!(now.state, State::Open);
        // Whoever was first: the longer wait holds. A failure that is late has no cooldown.
        assert_eq!(now.until.expect("open"), crate::clock::now() + 40 * S);
    });
}

#[test]
fn a_snapshot_under_load_never_shows_more_settled_than_admitted() {
    model(|| {
        let settings = settings(Trip::none().consecutive(9)).track_in_flight(true);
        let handle = handle(settings);
        let calls = with(&handle, |handle| handle.try_acquire().expect("closed").success());
        let looks = with(&handle, |handle| handle.snapshot().totals);
        let ((), totals) = both(calls, looks);
        let admitted = totals.admitted.expect("tracked");
        assert!(totals.settled() <= admitted && admitted <= 1, "{totals:?}");
        let gives_up = || with(&handle, |handle| drop(handle.try_acquire().expect("closed")));
        both(gives_up(), gives_up());
        let now = handle.snapshot();
        adds_up(&now.totals, 3, 0);
        assert_eq!((now.totals.success, now.totals.cancelled, now.in_flight), (1, 2, Some(0)));
    });
}

#[test]
fn the_last_error_is_one_of_those_that_happened() {
    model(|| {
        let handle = handle(settings(Trip::none().consecutive(9)));
        let [first, second] = [(); 2].map(|()| handle.try_acquire().expect("closed"));
        let one = Outcome::failure().code(503).reason("unavailable");
        let two = Outcome::throttled().code(429).reason("slow down");
        let (one_error, two_error) = (one.last_error(), two.last_error());
        let mut events = handle.events();
        let opens = with(&handle, |handle| handle.force_open(None));
        three(move || first.settle(one), move || second.settle(two), opens);
        let told = told(&mut events, &handle.snapshot());
        let seen = told[0].last_error;
        assert!(seen.is_none() || seen == one_error || seen == two_error, "{seen:?}");
        // What is late is nobody's last error.
        let now = handle.snapshot();
        let last = now.last_error;
        assert_eq!(last.is_none(), now.totals.late == 2, "{now:?}");
        assert!(last.is_none() || last == one_error || last == two_error, "{last:?}");
    });
}

#[test]
fn calls_that_hang_open_the_circuit_while_others_start_and_end() {
    model(|| {
        let handle = handle(settings(Trip::none().overdue(2, S)));
        let mut events = handle.events();
        let [first, second] = [(); 2].map(|()| handle.try_acquire().expect("closed"));
        // One of them ends at last while somebody asks for the rule: it is counted or it is not.
        let asks = with(&handle, |handle| {
            clock::set(5_000);
            handle.try_acquire().map(|permit| permit.success()).is_ok()
        });
        let ends = || {
            clock::set(5_000);
            second.success();
        };
        let (admitted, ()) = both(asks, ends);
        clock::set(5_000);
        let now = handle.snapshot();
        let told = told(&mut events, &now);
        if admitted {
            assert_eq!((now.state, told.len(), now.in_flight), (State::Closed, 0, Some(1)));
        } else {
            assert_eq!((now.state, now.cause), (State::Open, Cause::Overdue));
        }
        drop(first);
        adds_up(&handle.snapshot().totals, 2 + u64::from(admitted), u64::from(!admitted));
    });
}
