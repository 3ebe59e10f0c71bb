//! Windows and cooldowns that are not as long as configured.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tower_breaker::{
    Backoff, BreakerHandle, Cause, ConfigError, Outcome, Permit, Settings, State, Trip, Window,
};

use crate::support::breakers::*;

async fn slow(handle: &BreakerHandle, times: usize) {
    for _ in 0..times {
        let call = admit(handle);
        pass(S(1)).await;
        call.success();
    }
}

/// TR01, M08: slow calls were also counted since the last transition, and ten thousand fast calls hid a slow server.
#[tokio::test(start_paused = true)]
async fn after_10_000_fast_calls_a_window_of_100_opens_after_50_slow_ones() {
    let trip = Trip::none().slow(S(1), 0.5, 100);
    let handle = breaker(ruled(trip).window(Window::count(100)));
    succeed(&handle, 10_000);
    slow(&handle, 49).await;
    assert_eq!(handle.state(), State::Closed);
    slow(&handle, 1).await;
    assert_eq!(handle.snapshot().cause, Cause::SlowRate);
}

/// FS03: the window was truncated to whole seconds, so a window of 900 ms held no calls.
#[tokio::test(start_paused = true)]
async fn a_window_below_a_second_keeps_its_exact_length() {
    for period in [MS(10), MS(900), MS(1_500)] {
        let handle = breaker(ruled(Trip::none().failures(2)).window(Window::time(period)));
        fail(&handle, 1);
        pass(period * 9 / 10).await;
        fail(&handle, 1);
        assert_eq!(handle.state(), State::Open, "{period:?}");
        handle.reset();
        fail(&handle, 1);
        pass(period).await;
        fail(&handle, 1);
        assert_eq!(handle.state(), State::Closed, "{period:?}");
    }
}

/// FS06: a cooldown below one second, or jitter from zero, panicked. F24: others kept only whole seconds.
#[tokio::test(start_paused = true)]
async fn a_cooldown_below_a_second_keeps_its_exact_length_and_no_jitter_panics() {
    for wait in [MS(1) / 1_000_000, MS(1), MS(999), MS(1_500)] {
        let handle = breaker(plain().cooldown(Backoff::fixed(wait)));
        trip(&handle);
        assert_eq!(open_for(&handle), wait);
        for jitter in [0.5, 1.0] {
            let cooldown = Backoff::exponential(wait, wait * 8).jitter(jitter);
            let handle = breaker(plain().cooldown(cooldown).seed(7));
            fail(&handle, 3);
            for _ in 0..100 {
                pass(wait * 8).await;
                assert!(handle.would_admit(), "{wait:?}");
                admit(&handle).failure();
            }
        }
    }
    let zero = Settings::builder().cooldown(Backoff::fixed(S(0))).build();
    assert_eq!(zero, Err(ConfigError::Zero { setting: "cooldown.initial" }));
}

/// FS07: a rate opened nothing for a whole window after the start and after each recovery.
#[tokio::test(start_paused = true)]
async fn a_rate_opens_right_after_the_start_and_right_after_a_recovery() {
    let window = Window::time(S(60));
    let handle = breaker(ruled(Trip::none().failure_rate(0.5, 4)).window(window));
    for _ in 0..3 {
        succeed(&handle, 2);
        fail(&handle, 2);
        assert_eq!(handle.snapshot().cause, Cause::FailureRate);
        pass(S(60)).await;
        admit(&handle).success();
        assert_eq!(handle.state(), State::Closed);
    }
}

/// P14: calls had left the window before they returned, so none of them counted.
#[tokio::test(start_paused = true)]
async fn calls_that_take_longer_than_the_window_count_when_they_end() {
    let handle = breaker(ruled(Trip::none().failures(2)).window(Window::time(S(1))));
    let calls = [admit(&handle), admit(&handle)];
    pass(S(300)).await;
    calls.into_iter().for_each(Permit::failure);
    assert_eq!(handle.state(), State::Open);
}

/// RC03: a ring of size zero panicked under its spin lock, and every later call spun forever. CB02: a panic poisoned
/// the lock.
#[tokio::test(start_paused = true)]
async fn no_panic_leaves_a_lock_behind_and_an_empty_window_is_an_error() {
    let none = Settings::builder().window(Window::count(0)).build();
    assert_eq!(none, Err(ConfigError::Zero { setting: "window.calls" }));

    for window in [Window::count(4), Window::time(S(60))] {
        let handle = breaker(ruled(Trip::none().failures(4)).window(window));
        let panics: [fn(); 2] = [|| std::panic::panic_any("call"), || {}];
        for panics_in_call in panics {
            let call = || {
                handle.call_with(
                    || -> Result<(), ()> {
                        panics_in_call();
                        Ok(())
                    },
                    |_| -> Outcome { std::panic::panic_any("classify") },
                )
            };
            assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
        }
        let seen = handle.snapshot();
        assert_eq!((seen.totals.failure, seen.totals.ignored, seen.window.calls), (1, 1, 1));
        fail(&handle, 3);
        assert_eq!(handle.state(), State::Open);
    }
}
