//! The trip rules.

use tower_breaker::{Cause, Outcome, Settings, State, Trip, Window};

use crate::support::breakers::*;

#[tokio::test(start_paused = true)]
async fn consecutive_failures_open_at_their_number_and_not_before() {
    let handle = breaker(plain());
    fail(&handle, 2);
    succeed(&handle, 1);
    fail(&handle, 2);
    assert_eq!(handle.state(), State::Closed);
    fail(&handle, 1);
    assert_eq!(handle.snapshot().cause, Cause::ConsecutiveFailures);
}

#[tokio::test(start_paused = true)]
async fn consecutive_failures_must_span_their_time() {
    let trip = Trip::none().consecutive(5).consecutive_over(MS(500));
    let handle = breaker(ruled(trip));
    fail(&handle, 100);
    pass(MS(499)).await;
    fail(&handle, 1);
    assert_eq!(handle.state(), State::Closed, "one connection reset can end a hundred streams");
    pass(MS(1)).await;
    fail(&handle, 1);
    assert_eq!(handle.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn the_span_of_a_streak_begins_with_its_first_failure() {
    let trip = Trip::none().consecutive(2).consecutive_over(MS(500));
    let handle = breaker(ruled(trip));
    fail(&handle, 1);
    pass(S(10)).await;
    succeed(&handle, 1);
    fail(&handle, 2);
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_client_presets_require_a_span_of_half_a_second() {
    for (settings, expected) in [
        (Settings::http_client(), State::Closed),
        (Settings::llm(), State::Closed),
        (Settings::http(), State::Open),
    ] {
        let handle = tower_breaker::BreakerHandle::new("preset", settings);
        fail(&handle, 5);
        assert_eq!(handle.state(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_success_ends_a_streak() {
    let trip = Trip::none().consecutive(3).slow(S(1), 1.0, 100);
    let handle = breaker(ruled(trip));
    fail(&handle, 2);
    let slow = admit(&handle);
    pass(S(2)).await;
    slow.success();
    fail(&handle, 2);
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_rate_opens_at_its_threshold_and_not_below() {
    for (successes, failures, expected) in
        [(101, 99, State::Closed), (100, 100, State::Open), (2, 1, State::Closed)]
    {
        let handle = breaker(ruled(Trip::none().failure_rate(0.5, 3)));
        succeed(&handle, successes);
        fail(&handle, failures);
        assert_eq!(handle.state(), expected, "{failures} of {}", successes + failures);
    }
}

#[tokio::test(start_paused = true)]
async fn below_min_calls_a_rate_is_none_and_opens_nothing() {
    for window in [Window::count(50), Window::time(S(30))] {
        let handle = breaker(ruled(Trip::none().failure_rate(0.5, 20)).window(window));
        assert_eq!(handle.snapshot().window.failure_rate, None);
        fail(&handle, 19);
        let snapshot = handle.snapshot();
        assert_eq!((snapshot.state, snapshot.window.failure_rate), (State::Closed, None));
        fail(&handle, 1);
        assert_eq!(handle.snapshot().cause, Cause::FailureRate);
    }
}

#[tokio::test(start_paused = true)]
async fn failures_in_the_window_open_at_their_number() {
    let handle = breaker(ruled(Trip::none().failures(4)).window(Window::count(100)));
    for _ in 0..3 {
        succeed(&handle, 5);
        fail(&handle, 1);
    }
    assert_eq!(handle.state(), State::Closed);
    fail(&handle, 1);
    assert_eq!(handle.snapshot().cause, Cause::FailureCount);
}

#[tokio::test(start_paused = true)]
async fn a_call_is_slow_from_its_time_on_whether_it_succeeds_or_fails() {
    for (took, outcome, expected) in [
        (MS(999), Outcome::success(), State::Closed),
        (S(1), Outcome::success(), State::Open),
        (S(1), Outcome::failure(), State::Open),
        (S(1), Outcome::throttled(), State::Closed),
    ] {
        let handle = breaker(ruled(Trip::none().slow(S(1), 0.5, 2)));
        succeed(&handle, 1);
        let call = admit(&handle);
        pass(took).await;
        call.settle(outcome);
        assert_eq!(handle.state(), expected, "{took:?} {outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_rule_in_order_is_the_cause() {
    let all = Trip::none().consecutive(2).failure_rate(1.0, 2).failures(2).slow(S(1), 1.0, 2);
    for (trip, cause) in [
        (all, Cause::ConsecutiveFailures),
        (all.no_consecutive(), Cause::FailureRate),
        (all.no_consecutive().no_failure_rate(), Cause::FailureCount),
        (all.no_consecutive().no_failure_rate().no_failures(), Cause::SlowRate),
    ] {
        let handle = breaker(ruled(trip));
        let calls = [admit(&handle), admit(&handle)];
        pass(S(1)).await;
        calls.into_iter().for_each(tower_breaker::Permit::failure);
        assert_eq!(handle.snapshot().cause, cause);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_neither_failed_nor_was_slow_never_opens_a_circuit() {
    // The rate of 10 failures is below one half only because of the earlier successes. When those leave the window,
    // the rate grows, although a success pushes them out.
    let handle = breaker(ruled(Trip::none().failure_rate(0.5, 10)).window(Window::count(20)));
    succeed(&handle, 11);
    fail(&handle, 9);
    assert_eq!(handle.state(), State::Closed);
    pass(S(1)).await;
    succeed(&handle, 5);
    assert_eq!(handle.snapshot().window.failure_rate, Some(0.45));
    let timed = ruled(Trip::none().failure_rate(0.5, 2)).window(Window::time(S(10)));
    let handle = breaker(timed);
    succeed(&handle, 3);
    pass(S(5)).await;
    fail(&handle, 2);
    pass(S(6)).await;
    succeed(&handle, 1);
    let snapshot = handle.snapshot();
    assert_eq!(snapshot.window.failure_rate, Some(2.0 / 3.0), "high enough");
    assert_eq!(snapshot.state, State::Closed, "the number of failures did not grow");
    fail(&handle, 1);
    assert_eq!(handle.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_fast_failure_does_not_evaluate_the_slow_rule() {
    let trip = Trip::none().slow(S(1), 0.5, 2);
    let handle = breaker(ruled(trip).window(Window::time(S(100))));
    let slow = [admit(&handle), admit(&handle)];
    succeed(&handle, 3);
    pass(S(1)).await;
    slow.into_iter().for_each(tower_breaker::Permit::success);
    assert_eq!(handle.state(), State::Closed, "2 of 5 were slow");
    pass(S(95)).await;
    fail(&handle, 1);
    assert_eq!(
        handle.state(),
        State::Closed,
        "2 of at least 3 were slow, but the failure was fast"
    );
}

#[tokio::test(start_paused = true)]
async fn a_weight_counts_in_the_failures_and_on_both_sides_of_the_rate() {
    let heavy = Outcome::failure().weight(10);
    let handle = breaker(ruled(Trip::none().failures(11)));
    settle(&handle, heavy);
    assert_eq!((handle.state(), handle.snapshot().window.failures), (State::Closed, 10));
    fail(&handle, 1);
    assert_eq!(handle.snapshot().cause, Cause::FailureCount);

    for (successes, expected) in [(11, State::Closed), (10, State::Open)] {
        for window in [Window::count(100), Window::time(S(30))] {
            let handle = breaker(ruled(Trip::none().failure_rate(0.5, 2)).window(window));
            succeed(&handle, successes);
            settle(&handle, heavy);
            assert_eq!(handle.state(), expected, "10 of {}", successes + 10);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_weight_counts_neither_in_the_streak_nor_in_the_minimum() {
    let trip = Trip::none().consecutive(3).failure_rate(0.5, 3);
    let handle = breaker(ruled(trip));
    settle(&handle, Outcome::failure().weight(100));
    settle(&handle, Outcome::failure().weight(100));
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.state, snapshot.window.consecutive_failures), (State::Closed, 2));
    assert_eq!((snapshot.window.calls, snapshot.window.failure_rate), (2, None));
}

#[tokio::test(start_paused = true)]
async fn a_weight_leaves_a_window_with_its_call() {
    let handle = breaker(ruled(Trip::none().failures(100)).window(Window::count(3)));
    settle(&handle, Outcome::failure().weight(99));
    succeed(&handle, 3);
    settle(&handle, Outcome::failure().weight(99));
    assert_eq!((handle.snapshot().window.failures, handle.state()), (99, State::Closed));
}

#[tokio::test(start_paused = true)]
async fn without_any_rule_failures_open_nothing() {
    let handle = breaker(ruled(Trip::none()));
    fail(&handle, 10_000);
    assert_eq!(handle.state(), State::Closed);
}
