//! New settings for a running breaker.

use tower_breaker::{Backoff, Cause, Outcome, Probe, State, Throttled, Trip, Window};

use crate::support::breakers::*;

#[tokio::test(start_paused = true)]
async fn state_epoch_deadline_attempt_and_streak_survive_new_settings() {
    let handle = breaker(plain().cooldown(Backoff::exponential(S(10), S(100)).jitter(0.0)));
    probe(&handle).await.failure();
    let mut events = handle.events();
    let before = handle.snapshot();
    handle.reconfigure(plain().cooldown(Backoff::fixed(S(1))).build().unwrap());
    let after = handle.snapshot();
    assert_eq!((after.state, after.epoch, after.cause), (before.state, before.epoch, before.cause));
    assert_eq!((after.until, after.attempt), (before.until, before.attempt), "never shortened");
    assert!(drain(&mut events).is_empty());
    pass(S(20)).await;
    admit(&handle).success();
    fail(&handle, 2);
    handle.reconfigure(plain().build().unwrap());
    assert_eq!(handle.snapshot().window.consecutive_failures, 2);
    fail(&handle, 1);
    assert_eq!(handle.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn new_limits_apply_to_earlier_counts_with_the_next_failure() {
    let handle = breaker(plain().trip(Trip::none().consecutive(100)));
    fail(&handle, 10);
    handle.reconfigure(plain().build().unwrap());
    assert_eq!(handle.state(), State::Closed, "new settings open no circuit");
    fail(&handle, 1);
    assert_eq!(handle.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_window_of_the_same_shape_stays_and_one_of_another_shape_starts_empty() {
    let rate = |rate: f64, window| ruled(Trip::none().failure_rate(rate, 4)).window(window);
    let shapes = [
        Window::count(10),
        Window::count(20),
        Window::time(S(30)),
        Window::time(S(60)),
        Window::time(S(30)).buckets(5),
    ];
    for from in shapes {
        for to in shapes {
            let handle = breaker(rate(1.0, from));
            succeed(&handle, 1);
            fail(&handle, 3);
            handle.reconfigure(rate(0.5, to).build().unwrap());
            let kept = if from == to { 4 } else { 0 };
            assert_eq!(handle.snapshot().window.calls, kept, "{from:?} to {to:?}");
            fail(&handle, 1);
            let expected = if from == to { State::Open } else { State::Closed };
            assert_eq!(handle.state(), expected, "{from:?} to {to:?}");
            if from != to {
                fail(&handle, 3);
                assert_eq!(handle.state(), State::Open, "{from:?} to {to:?}: counts again");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wider_window_starts_empty_even_if_it_reaches_back_before_the_change() {
    let failures = |window| ruled(Trip::none().failures(3)).window(window);
    for moment in 4_270..4_320 {
        let handle = breaker(failures(Window::time(MS(50)).buckets(1)));
        pass(MS(50) * moment).await;
        fail(&handle, 2);
        handle.reconfigure(failures(Window::time(S(32)).buckets(32)).build().unwrap());
        assert_eq!(handle.snapshot().window.calls, 0, "after {moment} buckets");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wider_window_counts_at_once_on_an_old_breaker() {
    let failures = |window| ruled(Trip::none().failures(3)).window(window).build().unwrap();
    let handle = tower_breaker::BreakerHandle::new("old", failures(Window::time(S(1))));
    pass(S(86_400)).await;
    for _ in 0..64 {
        succeed(&handle, 1);
        pass(MS(100)).await;
    }
    for window in [Window::time(S(60)), Window::time(S(1)), Window::time(S(600))] {
        handle.reconfigure(failures(window));
        fail(&handle, 2);
        let seen = handle.snapshot().window;
        assert_eq!((seen.calls, seen.failures), (2, 2), "{window:?}");
        fail(&handle, 1);
        assert_eq!(handle.state(), State::Open, "{window:?}");
        handle.reset();
        for _ in 0..64 {
            succeed(&handle, 1);
            pass(MS(100)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_that_is_disabled_and_then_enabled_wider_counts_at_once() {
    let narrow = ruled(Trip::none().failures(3)).window(Window::time(S(1)));
    let wide = ruled(Trip::none().failures(3)).window(Window::time(S(600)));
    let handle = breaker(narrow);
    pass(S(86_400)).await;
    for _ in 0..64 {
        succeed(&handle, 1);
        pass(MS(100)).await;
    }
    handle.reconfigure(ruled(Trip::none()).window(Window::count(7)).build().unwrap());
    handle.reconfigure(wide.build().unwrap());
    fail(&handle, 2);
    let seen = handle.snapshot().window;
    assert_eq!((seen.calls, seen.failures), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_needs_a_window_gets_one() {
    for window in [Window::count(10), Window::time(S(30))] {
        let handle = breaker(plain().window(window));
        fail(&handle, 2);
        handle.reconfigure(ruled(Trip::none().failures(2)).window(window).build().unwrap());
        fail(&handle, 1);
        assert_eq!(handle.state(), State::Closed);
        fail(&handle, 1);
        assert_eq!(handle.snapshot().cause, Cause::FailureCount);
    }
}

#[tokio::test(start_paused = true)]
async fn a_span_that_is_required_later_is_not_assumed() {
    let handle = breaker(plain());
    pass(S(100)).await;
    fail(&handle, 2);
    let spanned = Trip::none().consecutive(3).consecutive_over(MS(500));
    handle.reconfigure(ruled(spanned).build().unwrap());
    fail(&handle, 3);
    assert_eq!(handle.state(), State::Closed, "the failures span no time");
    pass(MS(500)).await;
    fail(&handle, 1);
    assert_eq!(handle.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn probes_in_flight_stay_and_new_limits_apply_to_the_next() {
    let handle = breaker(plain());
    let first = probe(&handle).await;
    handle.reconfigure(plain().probe(Probe::successes(2).in_flight(2)).build().unwrap());
    let second = admit(&handle);
    assert!(handle.try_acquire().is_err());
    handle.reconfigure(plain().probe(Probe::successes(2).in_flight(1)).build().unwrap());
    first.success();
    assert!(handle.try_acquire().is_err(), "one is still in flight");
    second.success();
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn holds_follow_the_settings_in_force() {
    let handle = breaker(plain());
    handle.reconfigure(plain().throttled(Throttled::ignore()).build().unwrap());
    settle(&handle, Outcome::throttled().retry_after(S(30)));
    assert_eq!(handle.state(), State::Closed);
    handle.reconfigure(plain().throttled(Throttled::hold().max_hold(S(5))).build().unwrap());
    settle(&handle, Outcome::throttled().retry_after(S(30)));
    assert_eq!(open_for(&handle), S(5));
}

#[tokio::test(start_paused = true)]
async fn a_slow_rule_applies_only_to_calls_whose_start_is_known() {
    let handle = breaker(plain().track_in_flight(false));
    let before = admit(&handle);
    pass(S(100)).await;
    let slow = ruled(Trip::none().slow(S(1), 1.0, 1)).build().unwrap();
    handle.reconfigure(slow.clone());
    before.success();
    assert_eq!(handle.state(), State::Closed);
    assert_eq!(handle.settings(), slow);
}

#[tokio::test(start_paused = true)]
async fn waiters_follow_a_lease_that_new_settings_do_not_shorten() {
    let handle = breaker(plain());
    let _hung = probe(&handle).await;
    let mut watch = handle.watch();
    assert!(now_or_never(watch.changed()).await.is_none());
    handle.reconfigure(plain().probe(Probe::successes(1).lease(S(1))).build().unwrap());
    let start = tokio::time::Instant::now();
    assert_eq!(watch.changed().await, State::Open);
    assert_eq!(start.elapsed(), S(35), "limits apply from the next admission");
}

#[tokio::test(start_paused = true)]
async fn a_streak_starts_anew_after_its_rule_was_disabled() {
    let handle = breaker(plain());
    fail(&handle, 2);
    handle.reconfigure(ruled(Trip::none()).build().unwrap());
    succeed(&handle, 1);
    handle.reconfigure(plain().build().unwrap());
    assert_eq!(handle.snapshot().window.consecutive_failures, 0);
    fail(&handle, 2);
    assert_eq!(handle.state(), State::Closed, "two in a row");
}
