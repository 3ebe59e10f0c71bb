//! Concurrent calls, transitions and manual operations in a closed circuit.

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
        let acquires = with(&handle, |handle| match handle.try_acquire() {
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
        let ((), admitted) = both(|| permit.failure(), acquires);
        let now = handle.snapshot();
        assert_eq!(now.state, State::Open);
        assert!(handle.try_acquire().is_err());
        assert_eq!(transitions(&mut events, &now).len(), 1);
        adds_up(&now.totals, 1 + admitted, 1 - admitted);
        assert_eq!((now.totals.failure, now.totals.success + now.totals.late), (1, admitted));
    });
}

#[test]
fn two_concurrent_failures_are_two_in_a_row() {
    model(|| {
        let handle = handle(settings(Trip::none().consecutive(2)));
        let mut events = handle.events();
        both(with(&handle, failed), with(&handle, failed));
        let now = handle.snapshot();
        assert_eq!(transitions(&mut events, &now).len(), 1);
        assert_eq!((now.state, now.cause), (State::Open, Cause::ConsecutiveFailures));
        adds_up(&now.totals, 2, 0);
    });
}

#[test]
fn the_next_settle_sees_every_settled_failure_in_a_time_window() {
    model(|| {
        let handle = handle(settings(Trip::none().failures(3)).window(Window::time(S).buckets(1)));
        both(with(&handle, failed), with(&handle, failed));
        // The two may have missed each other. The third one sees both.
        failed(&handle);
        assert_eq!(handle.state(), State::Open);
    });
}

#[test]
fn concurrent_failures_see_each_other_in_a_count_window() {
    model(|| {
        let handle = handle(settings(Trip::none().failures(2)).window(Window::count(4)));
        let mut events = handle.events();
        both(with(&handle, failed), with(&handle, failed));
        let now = handle.snapshot();
        assert_eq!(transitions(&mut events, &now).len(), 1);
        assert_eq!(now.state, State::Open);
    });
}

#[test]
fn a_success_ends_the_streak_or_comes_before_the_last_failure() {
    model(|| {
        let handle = handle(settings(Trip::none().consecutive(2)));
        let mut events = handle.events();
        failed(&handle);
        let [first, second] = [(); 2].map(|()| handle.try_acquire().expect("closed"));
        both(|| first.success(), || second.failure());
        let now = handle.snapshot();
        let transitions = transitions(&mut events, &now);
        // The success came before the failure, after it, or after the trip.
        match now.state {
            State::Closed => assert!(now.window.consecutive_failures <= 1, "{now:?}"),
            state => assert_eq!((state, transitions.len()), (State::Open, 1)),
        }
        adds_up(&now.totals, 3, 0);
    });
}

#[test]
fn a_call_that_settles_during_a_reset_leaves_no_trace_after_it() {
    model(|| {
        let handle = handle(settings(Trip::none().consecutive(2)));
        let mut events = handle.events();
        failed(&handle);
        let permit = handle.try_acquire().expect("closed");
        both(|| permit.failure(), with(&handle, BreakerHandle::reset));
        let now = handle.snapshot();
        let transitions = transitions(&mut events, &now);
        assert_eq!((now.state, now.cause, now.attempt), (State::Closed, Cause::Start, 0));
        assert_eq!(now.window.consecutive_failures, 0);
        assert!(
            transitions.len() == 1 || transitions[0].to == State::Open && transitions.len() == 2,
            "{transitions:?}"
        );
        adds_up(&now.totals, 2, 0);
        assert_eq!(now.totals.failure + now.totals.late, 2);
        // The next failure is not the second in a row.
        failed(&handle);
        assert_eq!(handle.state(), State::Closed);
    });
}

#[test]
fn a_failure_that_settles_while_the_window_changes_is_counted_once_at_most() {
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
            // The earlier failure is gone. The concurrent one may be.
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
fn new_limits_apply_to_calls_that_settle_after_them() {
    model(|| {
        let handle = handle(settings(Trip::none().consecutive(5)));
        let mut events = handle.events();
        failed(&handle);
        let strict = settings(Trip::none().consecutive(2)).build().expect("valid");
        let permit = handle.try_acquire().expect("closed");
        both(|| permit.failure(), with(&handle, |handle| handle.reconfigure(strict)));
        let now = handle.snapshot();
        transitions(&mut events, &now);
        if now.state == State::Closed {
            assert_eq!(now.window.consecutive_failures, 2);
            failed(&handle);
        }
        assert_eq!(handle.state(), State::Open);
    });
}

#[test]
fn a_settle_sees_a_forced_open_and_its_release_in_one_order() {
    model(|| {
        let handle = fragile();
        let mut events = handle.events();
        let permit = handle.try_acquire().expect("closed");
        let operator = with(&handle, |handle| {
            handle.force_open(None);
            handle.release();
        });
        both(operator, || permit.failure());
        let now = handle.snapshot();
        let transitions = transitions(&mut events, &now);
        // The failure tripped the circuit first, or was late. The release leads to an open period that continues, or to
        // one that has ended.
        let tripped = transitions[0].cause == Cause::ConsecutiveFailures;
        assert_eq!(transitions.len(), if tripped { 3 } else { 2 });
        let state = if tripped { State::Open } else { State::HalfOpen };
        assert_eq!((handle.mode(), handle.state()), (Mode::Normal, state));
        // The failure was counted in its epoch, or as late.
        assert_eq!(now.totals.failure + now.totals.late, 1);
        assert!(!tripped || now.totals.failure == 1);
    });
}

#[test]
fn two_concurrent_manual_verbs_happen_one_after_the_other() {
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
        transitions(&mut events, &now);
        // A release before the forced open does nothing. A release after it lets a probe decide.
        match now.mode {
            Mode::ForcedOpen => assert_eq!(now.epoch, 2),
            mode => assert_eq!((mode, now.epoch, rejected), (Mode::Normal, 4, false)),
        }
        adds_up(&now.totals, u64::from(!rejected), u64::from(rejected));
    });
}

#[test]
fn no_call_is_rejected_while_shadow_ends_in_a_closed_circuit() {
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
fn a_wait_that_comes_during_a_trip_is_kept() {
    model(|| {
        let handle = handle(
            settings(Trip::none().consecutive(1)).throttled(Throttled::hold().max_hold(60 * S)),
        );
        let mut events = handle.events();
        let [first, second] = [(); 2].map(|()| handle.try_acquire().expect("closed"));
        let asked = Outcome::throttled().retry_after(40 * S);
        both(|| first.failure(), move || second.settle(asked));
        let now = handle.snapshot();
        assert_eq!(transitions(&mut events, &now).len(), 1);
        assert_eq!(now.state, State::Open);
        // In either order the longer wait applies. A late failure has no cooldown.
        assert_eq!(now.until.expect("open"), crate::clock::now() + 40 * S);
    });
}

#[test]
fn a_snapshot_under_load_never_shows_more_settled_than_admitted() {
    model(|| {
        let settings = settings(Trip::none().consecutive(9)).track_in_flight(true);
        let handle = handle(settings);
        let calls = with(&handle, |handle| handle.try_acquire().expect("closed").success());
        let reads = with(&handle, |handle| handle.snapshot().totals);
        let ((), totals) = both(calls, reads);
        let admitted = totals.admitted.expect("tracked");
        assert!(totals.settled() <= admitted && admitted <= 1, "{totals:?}");
        let cancels = || with(&handle, |handle| drop(handle.try_acquire().expect("closed")));
        both(cancels(), cancels());
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
        let transitions = transitions(&mut events, &handle.snapshot());
        let seen = transitions[0].last_error;
        assert!(seen.is_none() || seen == one_error || seen == two_error, "{seen:?}");
        // A late outcome is not recorded as the last error.
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
        // One of them ends while another thread evaluates the rule, which counts it or does not.
        let acquires = with(&handle, |handle| {
            clock::set(5_000);
            handle.try_acquire().map(|permit| permit.success()).is_ok()
        });
        let ends = || {
            clock::set(5_000);
            second.success();
        };
        let (admitted, ()) = both(acquires, ends);
        clock::set(5_000);
        let now = handle.snapshot();
        let transitions = transitions(&mut events, &now);
        if admitted {
            assert_eq!((now.state, transitions.len(), now.in_flight), (State::Closed, 0, Some(1)));
        } else {
            assert_eq!((now.state, now.cause), (State::Open, Cause::Overdue));
        }
        drop(first);
        adds_up(&handle.snapshot().totals, 2 + u64::from(admitted), u64::from(!admitted));
    });
}
