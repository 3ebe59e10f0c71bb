//! The windows of the rate rules.

use tower_breaker::{Outcome, State, Trip, Window};

use crate::support::breakers::*;

#[tokio::test(start_paused = true)]
async fn a_window_of_100_after_10_000_successes_opens_after_50_failures() {
    let handle = breaker(ruled(Trip::none().failure_rate(0.5, 100)).window(Window::count(100)));
    succeed(&handle, 10_000);
    fail(&handle, 49);
    assert_eq!(handle.state(), State::Closed);
    fail(&handle, 1);
    assert_eq!(handle.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn min_calls_above_the_window_is_the_size_of_the_window() {
    let handle = breaker(ruled(Trip::none().failure_rate(1.0, 1_000)).window(Window::count(5)));
    fail(&handle, 4);
    assert_eq!((handle.state(), handle.snapshot().window.failure_rate), (State::Closed, None));
    fail(&handle, 1);
    assert_eq!(handle.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_outcome_leaves_a_count_window() {
    let handle = breaker(ruled(Trip::none().failures(3)).window(Window::count(5)));
    fail(&handle, 2);
    succeed(&handle, 3);
    assert_eq!(handle.snapshot().window.failures, 2);
    fail(&handle, 1);
    assert_eq!(handle.state(), State::Closed, "one call entered and one left");
    assert_eq!((handle.snapshot().window.calls, handle.snapshot().window.failures), (5, 2));
}

#[tokio::test(start_paused = true)]
async fn neutral_calls_push_nothing_out_of_a_count_window() {
    let handle = breaker(ruled(Trip::none().failures(3)).window(Window::count(3)));
    fail(&handle, 2);
    for _ in 0..10 {
        settle(&handle, Outcome::ignored());
        settle(&handle, Outcome::throttled());
        drop(admit(&handle));
    }
    fail(&handle, 1);
    assert_eq!(handle.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_time_window_forgets_older_calls() {
    let handle = breaker(ruled(Trip::none().failures(2)).window(Window::time(S(10))));
    fail(&handle, 1);
    pass(MS(9_999)).await;
    assert_eq!(handle.snapshot().window.failures, 1);
    pass(MS(1)).await;
    assert_eq!(handle.snapshot().window.failures, 0);
    fail(&handle, 1);
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_time_window_slides_by_buckets() {
    let handle = breaker(ruled(Trip::none().failures(1_000)).window(Window::time(S(30))));
    for _ in 0..60 {
        fail(&handle, 1);
        pass(S(1)).await;
    }
    // 60 s is the start of a bucket of 3 s. The window is that bucket and nine whole ones.
    assert_eq!(handle.snapshot().window.failures, 27);
    pass(S(12)).await;
    assert_eq!(handle.snapshot().window.failures, 15);
}

#[tokio::test(start_paused = true)]
async fn a_time_window_covers_at_least_all_buckets_except_one() {
    for buckets in [1, 2, 10, 32] {
        let window = Window::time(S(32)).buckets(buckets);
        let handle = breaker(ruled(Trip::none().failures(1_000)).window(window));
        let bucket = S(32) / buckets;
        for start in 0..5_u32 {
            handle.reset();
            fail(&handle, 1);
            let covered = (S(32) - bucket).saturating_sub(MS(1));
            pass(covered).await;
            let left = handle.snapshot().window.failures;
            assert!(left == 1 || buckets == 1, "{buckets} buckets, start {start}");
            pass(S(32) - covered).await;
            assert_eq!(handle.snapshot().window.failures, 0, "{buckets} buckets, start {start}");
            pass(MS(u64::from(start) * 777)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_new_epoch_starts_with_an_empty_window_and_no_streak() {
    for window in [Window::count(10), Window::time(S(1_000))] {
        let trip = Trip::none().failure_rate(0.5, 4).consecutive(9);
        let handle = breaker(ruled(trip).window(window));
        fail(&handle, 3);
        handle.force_closed();
        let seen = handle.snapshot().window;
        assert_eq!((seen.calls, seen.failures, seen.consecutive_failures), (0, 0, 0));
        fail(&handle, 3);
        assert_eq!(handle.state(), State::Closed);
        fail(&handle, 1);
        assert_eq!(handle.state(), State::Open);
        pass(COOLDOWN).await;
        admit(&handle).success();
        assert_eq!(handle.snapshot().window.calls, 0);
        fail(&handle, 3);
        assert_eq!(handle.state(), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_still_works_on_an_old_breaker() {
    let window = Window::time(MS(32)).buckets(32);
    let handle = breaker(ruled(Trip::none().failures(3)).window(window));
    for _ in 0..100 {
        fail(&handle, 2);
        pass(S(100_003)).await;
        assert_eq!(handle.snapshot().window.failures, 0);
    }
    fail(&handle, 3);
    assert_eq!(handle.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn many_threads_count_into_one_window() {
    for window in [Window::count(10_000), Window::time(S(30))] {
        let handle = breaker(ruled(Trip::none().failures(4_001)).window(window));
        let runtime = tokio::runtime::Handle::current();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _clock = runtime.enter();
                    fail(&handle, 500);
                    succeed(&handle, 500);
                });
            }
        });
        let seen = handle.snapshot().window;
        assert_eq!((seen.calls, seen.failures), (8_000, 4_000));
        fail(&handle, 1);
        assert_eq!(handle.state(), State::Open);
    }
}
