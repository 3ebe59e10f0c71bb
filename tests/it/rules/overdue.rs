//! Overdue calls, counted while they are pending.

use std::time::Duration;

use tower_breaker::{Cause, Permit, Ramp, State, Trip};

use crate::support::breakers::*;

fn rule(calls: u32, after: Duration) -> Trip {
    Trip::none().overdue(calls, after)
}

#[tokio::test(start_paused = true)]
async fn hanging_calls_open_the_circuit_before_any_of_them_ends() {
    let handle = breaker(ruled(rule(3, S(10))));
    let hung: Vec<Permit> = (0..3).map(|_| admit(&handle)).collect();
    pass(S(11)).await;
    let rejection = handle.try_acquire().unwrap_err();
    assert_eq!((rejection.state(), rejection.cause()), (State::Open, Cause::Overdue));
    assert_eq!(
        rejection.retry_after(),
        Some(COOLDOWN),
        "rejected at the admission that fired the rule"
    );
    assert_eq!(handle.snapshot().totals.rejected, 1);
    drop(hung);
    assert_eq!(handle.snapshot().totals.late, 3);
}

#[tokio::test(start_paused = true)]
async fn overdue_is_never_early_and_at_most_a_tenth_late() {
    for start in [0, 1, 499, 500, 999, 1_234, 5_001] {
        let handle = breaker(ruled(rule(1, S(10))));
        pass(MS(start)).await;
        let _hung = admit(&handle);
        pass(MS(9_999)).await;
        admit(&handle).success();
        assert_eq!(handle.state(), State::Closed, "early, started at {start} ms");
        pass(MS(1_001)).await;
        assert!(handle.try_acquire().is_err(), "more than a tenth late, started at {start} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ends_in_time_is_not_overdue() {
    let handle = breaker(ruled(rule(2, S(1))));
    let _one = admit(&handle);
    for _ in 0..200 {
        let call = admit(&handle);
        pass(MS(500)).await;
        call.success();
    }
    assert_eq!((handle.state(), handle.snapshot().window.overdue), (State::Closed, Some(1)));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ended_in_any_way_is_no_longer_overdue() {
    let handle = breaker(ruled(rule(5, S(1))));
    let [a, b, c, d] = [(); 4].map(|()| admit(&handle));
    pass(S(2)).await;
    assert_eq!(handle.snapshot().window.overdue, Some(4));
    a.success();
    b.failure();
    c.ignore();
    drop(d);
    assert_eq!(handle.snapshot().window.overdue, Some(0));
    assert_eq!(handle.snapshot().in_flight, Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_waiters_timer_finds_overdue_calls_without_traffic() {
    let handle = breaker(ruled(rule(2, S(10))));
    let _hung = [admit(&handle), admit(&handle)];
    let start = tokio::time::Instant::now();
    assert_eq!(handle.changed().await, State::Open);
    assert!((S(10)..=S(11)).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_began_before_the_calls_finds_them() {
    let handle = breaker(ruled(rule(2, S(10))));
    let waiter = tokio::spawn({
        let mut watch = handle.watch();
        async move { watch.changed().await }
    });
    tokio::task::yield_now().await;
    pass(S(3)).await;
    let _hung = [admit(&handle), admit(&handle)];
    let start = tokio::time::Instant::now();
    let state = tokio::time::timeout(S(60), waiter).await.expect("woken").expect("no panic");
    assert_eq!(state, State::Open);
    assert!((S(10)..=S(11) + MS(1)).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_event_stream_is_a_waiter() {
    let handle = breaker(ruled(rule(1, S(10))));
    let mut events = handle.events();
    let _hung = admit(&handle);
    let opened = events.recv().await.expect("not lagged");
    assert_eq!(
        (opened.to, opened.cause, opened.window.overdue),
        (State::Open, Cause::Overdue, Some(1))
    );
}

#[tokio::test(start_paused = true)]
async fn calls_of_an_earlier_epoch_are_not_overdue_in_this_one() {
    let handle = breaker(ruled(rule(2, S(1))));
    let old = [admit(&handle), admit(&handle)];
    handle.force_closed();
    let _new = admit(&handle);
    pass(S(5)).await;
    admit(&handle).success();
    assert_eq!((handle.state(), handle.snapshot().window.overdue), (State::Closed, Some(1)));
    drop(old);
    assert_eq!(handle.snapshot().window.overdue, Some(1));
}

#[tokio::test(start_paused = true)]
async fn overdue_opens_during_a_ramp() {
    let settings = ruled(rule(2, S(1)).consecutive(3)).ramp(Ramp::new([100], S(100)));
    let handle = breaker(settings);
    probe(&handle).await.success();
    assert_eq!(handle.state(), State::HalfOpen);
    let _hung = [admit(&handle), admit(&handle)];
    pass(S(2)).await;
    assert_eq!(handle.try_acquire().unwrap_err().cause(), Cause::Overdue);
}

#[tokio::test(start_paused = true)]
async fn a_waiters_timer_finds_overdue_calls_of_a_ramp() {
    let settings = ruled(rule(2, S(1)).consecutive(3)).ramp(Ramp::new([100], S(100)));
    let handle = breaker(settings);
    probe(&handle).await.success();
    let _hung = [admit(&handle), admit(&handle)];
    let start = tokio::time::Instant::now();
    assert_eq!(handle.changed().await, State::Open);
    assert!(start.elapsed() <= S(2));
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_is_enabled_later_is_on_time_and_never_early() {
    let handle = breaker(plain().trip(Trip::none()));
    pass(S(86_400)).await;
    let _before = [admit(&handle), admit(&handle)];
    handle.reconfigure(ruled(rule(2, S(10))).build().unwrap());
    let _hung = [admit(&handle), admit(&handle)];
    for _ in 0..99 {
        pass(MS(100)).await;
        admit(&handle).success();
    }
    assert_eq!(handle.state(), State::Closed);
    pass(MS(1_100)).await;
    assert!(handle.try_acquire().is_err(), "more than a tenth late");
}

#[tokio::test(start_paused = true)]
async fn a_longer_time_is_never_early_on_an_old_breaker() {
    let handle = breaker(ruled(rule(3, S(1))));
    pass(S(86_400)).await;
    let _before = [admit(&handle), admit(&handle)];
    for _ in 0..40 {
        admit(&handle).success();
        pass(MS(100)).await;
    }
    handle.reconfigure(ruled(rule(3, S(10))).build().unwrap());
    assert_eq!(handle.snapshot().window.overdue, Some(0), "not known yet");
    pass(S(30)).await;
    let _hung = [(); 5].map(|()| admit(&handle));
    for _ in 0..9 {
        pass(S(1)).await;
        admit(&handle).success();
        assert_eq!(handle.snapshot().window.overdue, Some(2));
    }
    assert_eq!(handle.state(), State::Closed);
    pass(S(2)).await;
    assert!(handle.try_acquire().is_err());
}
