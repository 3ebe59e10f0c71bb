//! Custom trip rules and cooldown functions.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tower_breaker::{
    Backoff, BreakerHandle, Cause, CircuitBreakerLayer, Config, Outcome, SettingsBuilder, State,
    Trip, Window, handle::WindowSnapshot,
};

use crate::support::breakers::*;

fn with_rule(
    settings: SettingsBuilder,
    rule: impl Fn(&WindowSnapshot) -> bool + Send + Sync + 'static,
) -> BreakerHandle {
    let config = Config::default().settings(settings.build().unwrap()).trip_when(rule);
    CircuitBreakerLayer::new(config).handle()
}

fn with_cooldown(
    settings: SettingsBuilder,
    cooldown: impl Fn(u32) -> Duration + Send + Sync + 'static,
) -> BreakerHandle {
    let config = Config::default().settings(settings.build().unwrap()).cooldown_with(cooldown);
    CircuitBreakerLayer::new(config).handle()
}

#[tokio::test(start_paused = true)]
async fn a_custom_rule_sees_the_window_and_opens_the_circuit() {
    for window in [Window::count(100), Window::time(S(30))] {
        let rule = |seen: &WindowSnapshot| seen.calls >= 5 && seen.failures * 4 >= seen.calls;
        let handle = with_rule(ruled(Trip::none()).window(window), rule);
        fail(&handle, 4);
        succeed(&handle, 12);
        assert_eq!(handle.state(), State::Closed);
        fail(&handle, 1);
        assert_eq!(handle.snapshot().cause, Cause::Custom);
        assert_eq!(open_for(&handle), COOLDOWN);
    }
}

#[tokio::test(start_paused = true)]
async fn a_custom_rule_runs_after_the_others_and_only_on_failures_and_slow_calls() {
    let calls = Arc::new(AtomicU32::new(0));
    let rule = {
        let calls = Arc::clone(&calls);
        move |_: &WindowSnapshot| {
            calls.fetch_add(1, Ordering::Relaxed);
            false
        }
    };
    let handle = with_rule(ruled(Trip::none().slow(S(1), 1.0, 100).consecutive(3)), rule);
    succeed(&handle, 5);
    settle(&handle, Outcome::ignored());
    settle(&handle, Outcome::throttled());
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    let slow = admit(&handle);
    pass(S(1)).await;
    slow.success();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    fail(&handle, 3);
    assert_eq!(handle.snapshot().cause, Cause::ConsecutiveFailures);
    assert_eq!(calls.load(Ordering::Relaxed), 3, "not called if another rule fired");
}

#[tokio::test(start_paused = true)]
async fn a_custom_rule_runs_outside_every_lock_and_applies_only_in_its_epoch() {
    let own: Arc<OnceLock<BreakerHandle>> = Arc::default();
    let rule = {
        let own = Arc::clone(&own);
        move |seen: &WindowSnapshot| {
            let handle = own.get().expect("set");
            // Each of these takes the lock.
            assert_eq!(handle.snapshot().window.failures, seen.failures);
            handle.reconfigure(handle.settings());
            if seen.failures == 2 {
                handle.force_closed();
            }
            seen.failures >= 2
        }
    };
    let handle = with_rule(ruled(Trip::none()), rule);
    assert!(own.set(handle.clone()).is_ok());
    let mut events = handle.events();
    fail(&handle, 2);
    assert_eq!(handle.state(), State::Closed, "the epoch of the result was over");
    let transitions = drain(&mut events);
    assert_eq!((transitions.len(), transitions[0].cause), (1, Cause::ForceClosed));
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_custom_rule_reaches_the_caller_and_breaks_nothing() {
    let panics = Arc::new(Mutex::new(true));
    let rule = {
        let panics = Arc::clone(&panics);
        move |seen: &WindowSnapshot| {
            let panics = *panics.lock().unwrap();
            if panics {
                std::panic::panic_any("rule");
            }
            seen.failures >= 2
        }
    };
    let handle = with_rule(ruled(Trip::none()), rule);
    let panic = catch_unwind(AssertUnwindSafe(|| fail(&handle, 1))).unwrap_err();
    assert!(panic.is::<&str>());
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.state, snapshot.in_flight), (State::Closed, Some(0)));
    assert_eq!((snapshot.totals.failure, snapshot.totals.settled()), (1, 1), "counted once");
    *panics.lock().unwrap() = false;
    fail(&handle, 1);
    assert_eq!(handle.snapshot().cause, Cause::Custom);
}

#[tokio::test(start_paused = true)]
async fn a_cooldown_function_replaces_the_formula_and_sees_the_attempt() {
    let handle = with_cooldown(plain(), |attempt| S(100 + u64::from(attempt)));
    fail(&handle, 3);
    for expected in [100, 101, 102] {
        assert_eq!(open_for(&handle), S(expected), "not capped by the maximum of the settings");
        pass(S(expected)).await;
        admit(&handle).failure();
    }
}

#[tokio::test(start_paused = true)]
async fn the_result_of_a_cooldown_function_is_jittered_by_the_settings() {
    let mut seen = Vec::new();
    for seed in 0..50 {
        let cooldown = Backoff::exponential(S(1), S(1)).jitter(0.5);
        let handle = with_cooldown(plain().cooldown(cooldown).seed(seed), |_| S(100));
        fail(&handle, 3);
        seen.push(open_for(&handle));
    }
    assert!(seen.iter().all(|wait| (S(50)..=S(150)).contains(wait)));
    assert!(seen.iter().any(|wait| *wait < S(75)) && seen.iter().any(|wait| *wait > S(125)));
}

#[tokio::test(start_paused = true)]
async fn a_cooldown_function_runs_outside_every_lock() {
    let own: Arc<OnceLock<BreakerHandle>> = Arc::default();
    let cooldown = {
        let own = Arc::clone(&own);
        move |attempt| {
            let handle = own.get().expect("set");
            assert!(handle.snapshot().epoch > 0);
            if attempt == 1 {
                handle.force_open(None);
            }
            S(7)
        }
    };
    let handle = with_cooldown(plain(), cooldown);
    assert!(own.set(handle.clone()).is_ok());
    fail(&handle, 3);
    assert_eq!(open_for(&handle), S(7));
    pass(S(7)).await;
    admit(&handle).failure();
    assert_eq!(handle.state(), State::ForcedOpen, "the epoch was over when the function returned");
    assert_eq!(handle.snapshot().totals.late, 1);
}

#[tokio::test(start_paused = true)]
async fn the_longest_result_of_a_cooldown_function_is_harmless() {
    let handle = with_cooldown(plain(), |_| Duration::MAX);
    fail(&handle, 3);
    assert!(open_for(&handle) > S(60 * 60 * 24 * 365 * 29));
}

#[tokio::test(start_paused = true)]
async fn a_cooldown_function_is_called_when_a_lease_ends() {
    let handle = with_cooldown(plain(), |attempt| S(10 + u64::from(attempt)));
    let _hung = probe(&handle).await;
    pass(S(35)).await;
    assert_eq!(handle.try_acquire().unwrap_err().retry_after(), Some(S(11)));
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_cooldown_function_falls_back_to_the_formula_of_the_settings() {
    let cooldown = Backoff::exponential(S(5), S(60)).jitter(0.0);
    let settings = plain().trip(Trip::none().consecutive(1)).cooldown(cooldown);
    let handle = with_cooldown(settings, |attempt| match attempt {
        0 | 1 => panic!("cooldown"),
        _ => S(7),
    });
    for expected in [S(5), S(10), S(7)] {
        handle.try_acquire().unwrap().failure();
        let open = handle.try_acquire().unwrap_err();
        assert_eq!((open.state(), open.retry_after()), (State::Open, Some(expected)));
        tokio::time::advance(expected).await;
    }
}
