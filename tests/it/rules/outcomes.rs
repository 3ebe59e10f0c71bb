//! The effect of each outcome.

use tower_breaker::{Cause, Class, Outcome, Settings, State, Throttled, Trip, Window};

use crate::support::breakers::*;

#[tokio::test(start_paused = true)]
async fn ignored_and_cancelled_leave_the_streak_unchanged() {
    let handle = breaker(plain());
    fail(&handle, 2);
    settle(&handle, Outcome::ignored());
    drop(admit(&handle));
    assert_eq!(handle.snapshot().window.consecutive_failures, 2);
    fail(&handle, 1);
    assert_eq!(handle.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn ignored_and_cancelled_are_on_neither_side_of_a_rate() {
    for window in [Window::count(10), Window::time(S(10))] {
        let handle = breaker(ruled(Trip::none().failure_rate(0.5, 2)).window(window));
        for _ in 0..20 {
            settle(&handle, Outcome::ignored().retry_after(S(60)));
            drop(admit(&handle));
        }
        assert_eq!((handle.snapshot().window.calls, handle.state()), (0, State::Closed));
        succeed(&handle, 1);
        fail(&handle, 1);
        assert_eq!(handle.state(), State::Open, "1 of 2 failed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_ignored_call_is_not_slow() {
    let handle = breaker(ruled(Trip::none().slow(S(1), 0.5, 1)));
    let call = admit(&handle);
    pass(S(5)).await;
    call.ignore();
    assert_eq!((handle.state(), handle.snapshot().window.slow), (State::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_is_a_failure_only_after_its_time() {
    let handle = breaker(plain().trip(Trip::none().consecutive(1)).cancelled_after(S(10)));
    let (early, late) = (admit(&handle), admit(&handle));
    pass(S(10) - MS(1)).await;
    drop(early);
    assert_eq!(handle.state(), State::Closed);
    pass(MS(1)).await;
    drop(late);
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.state, snapshot.cause), (State::Open, Cause::ConsecutiveFailures));
    assert_eq!((snapshot.totals.cancelled, snapshot.totals.failure), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_is_always_neutral_if_no_time_is_set() {
    let handle = breaker(plain().trip(Trip::none().consecutive(1)));
    let call = admit(&handle);
    pass(S(100_000)).await;
    drop(call);
    assert_eq!((handle.state(), handle.snapshot().totals.cancelled), (State::Closed, 1));
}

#[tokio::test(start_paused = true)]
async fn a_probe_dropped_after_its_time_fails() {
    let handle = breaker(plain().cancelled_after(S(5)));
    let call = probe(&handle).await;
    pass(S(5)).await;
    drop(call);
    assert_eq!(handle.snapshot().cause, Cause::ProbeFailed);
    assert_eq!(handle.state(), State::Open);
}

#[tokio::test]
async fn the_presets_set_the_time_after_which_a_dropped_call_is_a_failure() {
    let after = |settings: Settings| settings.cancelled_after();
    assert_eq!(after(Settings::http_client()), Some(S(10)));
    assert_eq!(after(Settings::grpc_client()), Some(S(10)));
    assert_eq!(after(Settings::llm()), Some(S(60)));
    assert_eq!((after(Settings::default()), after(Settings::http())), (None, None));
}

#[tokio::test(start_paused = true)]
async fn a_slow_cancelled_call_is_on_both_sides_of_the_slow_rate_and_in_no_other() {
    for window in [Window::count(10), Window::time(S(100))] {
        let trip = Trip::none().slow(S(1), 0.5, 4).failure_rate(0.1, 1);
        let handle = breaker(ruled(trip).window(window));
        succeed(&handle, 2);
        let hung = [admit(&handle), admit(&handle)];
        pass(S(1)).await;
        let [first, second] = hung;
        drop(first);
        let window = handle.snapshot().window;
        assert_eq!((window.calls, window.slow, window.failures), (2, 1, 0));
        assert_eq!(window.slow_rate, None, "3 calls, at least 4 are needed");
        drop(second);
        assert_eq!(handle.snapshot().cause, Cause::SlowRate, "2 of 4 were slow");
        assert_eq!(handle.snapshot().totals.cancelled, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_call_below_the_slow_time_is_not_in_the_slow_rate() {
    let handle = breaker(ruled(Trip::none().slow(S(1), 1.0, 1)));
    let call = admit(&handle);
    pass(MS(999)).await;
    drop(call);
    assert_eq!((handle.state(), handle.snapshot().window.slow), (State::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn throttled_is_in_no_rate_and_no_streak() {
    let handle = breaker(plain().trip(Trip::none().consecutive(3).failure_rate(0.1, 1)));
    for _ in 0..10 {
        settle(&handle, Outcome::throttled());
        settle(&handle, Outcome::exhausted().retry_after(MS(1)));
    }
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.state, snapshot.window.calls), (State::Closed, 0));
    assert_eq!((snapshot.totals.throttled, snapshot.totals.exhausted), (10, 10));
    assert_eq!(snapshot.window.consecutive_failures, 0);
}

#[tokio::test(start_paused = true)]
async fn throttled_does_not_end_a_streak() {
    let handle = breaker(plain());
    fail(&handle, 2);
    settle(&handle, Outcome::throttled());
    fail(&handle, 1);
    assert_eq!(handle.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn throttled_always_fails_a_probe() {
    for outcome in [Outcome::throttled(), Outcome::throttled().retry_after(MS(1))] {
        let handle = breaker(plain());
        probe(&handle).await.settle(outcome);
        assert_eq!((handle.state(), open_for(&handle)), (State::Open, COOLDOWN));
        assert_eq!(handle.snapshot().cause, Cause::ProbeFailed);
    }
}

#[tokio::test(start_paused = true)]
async fn throttled_counts_as_a_failure_if_configured() {
    let handle = breaker(plain().throttled(Throttled::count_as_failure()));
    for _ in 0..3 {
        settle(&handle, Outcome::throttled().retry_after(S(30)));
    }
    let snapshot = handle.snapshot();
    assert_eq!(snapshot.cause, Cause::ConsecutiveFailures, "no hold opened the circuit before");
    assert_eq!((snapshot.totals.failure, snapshot.totals.throttled), (3, 0));
    assert_eq!(open_for(&handle), S(30), "its wait is that of a failure");
}

#[tokio::test(start_paused = true)]
async fn throttled_is_ignored_in_every_state_if_configured() {
    let handle = breaker(plain().throttled(Throttled::ignore()));
    let limited = Outcome::throttled().retry_after(S(30));
    settle(&handle, limited);
    assert_eq!((handle.state(), handle.snapshot().totals.ignored), (State::Closed, 1));
    let older = admit(&handle);
    let epoch = {
        probe(&handle).await.settle(limited);
        handle.snapshot().epoch
    };
    assert_eq!(handle.state(), State::HalfOpen, "also while half-open");
    older.settle(limited);
    admit(&handle).failure();
    assert_eq!((open_for(&handle), handle.snapshot().epoch), (COOLDOWN, epoch + 1));
}

#[tokio::test(start_paused = true)]
async fn throttled_without_a_wait_holds_for_the_default_if_one_is_set() {
    let handle = breaker(plain().throttled(Throttled::hold().default_hold(S(30))));
    settle(&handle, Outcome::throttled());
    assert_eq!((handle.snapshot().cause, open_for(&handle)), (Cause::Throttled, S(30)));
}

#[tokio::test(start_paused = true)]
async fn exhausted_holds_as_requested_or_for_ten_minutes_and_at_most_an_hour() {
    for (outcome, expected) in [
        (Outcome::exhausted(), S(600)),
        (Outcome::exhausted().retry_after(S(90)), S(90)),
        (Outcome::exhausted().retry_after(S(100_000)), S(3_600)),
    ] {
        let handle = breaker(plain());
        settle(&handle, outcome);
        assert_eq!((handle.snapshot().cause, open_for(&handle)), (Cause::Exhausted, expected));
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_guarded_call_is_a_failure_and_propagates_unchanged() {
    let handle = breaker(plain());
    let call = std::panic::AssertUnwindSafe(|| {
        let _ = handle.call(|| -> Result<(), ()> { std::panic::panic_any(42_u8) });
    });
    let panic = std::panic::catch_unwind(call).unwrap_err();
    assert_eq!(panic.downcast_ref::<u8>(), Some(&42));
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.totals.failure, snapshot.window.consecutive_failures), (1, 1));
    assert_eq!(snapshot.last_error.and_then(|error| error.reason), Some("panic"));
}

#[tokio::test(start_paused = true)]
async fn the_unwinding_of_a_caller_is_a_cancellation() {
    let handle = breaker(plain());
    let caller = std::panic::AssertUnwindSafe(|| {
        let _permit = admit(&handle);
        std::panic::panic_any(());
    });
    std::panic::catch_unwind(caller).unwrap_err();
    let totals = handle.snapshot().totals;
    assert_eq!((totals.failure, totals.cancelled), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_classifier_is_ignored_and_propagates() {
    let handle = breaker(plain());
    let classify = |_: &Result<(), ()>| -> Outcome { std::panic::panic_any("classify") };
    let call = std::panic::AssertUnwindSafe(|| {
        let _ = handle.call_with(|| Err(()), classify);
    });
    assert!(std::panic::catch_unwind(call).unwrap_err().is::<&str>());
    let totals = handle.snapshot().totals;
    assert_eq!((totals.ignored, totals.failure, totals.cancelled), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_last_error_is_that_of_the_last_bad_outcome() {
    let handle = breaker(plain());
    let mut events = handle.events();
    settle(&handle, Outcome::failure().reason("bad gateway").code(502));
    settle(&handle, Outcome::success().reason("fine").code(200));
    let last = handle.snapshot().last_error.expect("there was one");
    assert_eq!(
        (last.class, last.reason, last.code),
        (Class::Failure, Some("bad gateway"), Some(502))
    );
    settle(&handle, Outcome::throttled().retry_after(S(5)).code(429));
    let opened = drain(&mut events).pop().expect("it opened");
    let last = opened.last_error.expect("there was one");
    assert_eq!((last.class, last.code), (Class::Throttled, Some(429)));
}
