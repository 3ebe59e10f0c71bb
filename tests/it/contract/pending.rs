//! The mode for balancers: pending while calls would be rejected.

use std::future::poll_fn;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok};
use tower::{Service, ServiceExt};
use tower_breaker::{BreakerHandle, CircuitOpen, State};

use crate::support::doubles::*;

#[tokio::test(start_paused = true)]
async fn it_is_pending_while_open_and_ready_when_a_probe_may_pass() {
    let (mut service, script, handle) = guarded(config().pending_while_open());
    trip(&mut service, &script, &handle).await;
    let (start, polled) = (Instant::now(), script.polls());
    let mut polls = 0;
    poll_fn(|cx| {
        polls += 1;
        service.poll_ready(cx)
    })
    .await
    .unwrap();
    assert_eq!(start.elapsed(), COOLDOWN);
    assert!(polls <= 3, "woken without a reason: {polls}");
    assert_eq!(script.polls(), polled + 1);
    assert_eq!(service.call(()).await.unwrap(), "ok");
    assert_eq!((handle.state(), handle.snapshot().totals.rejected), (State::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn it_wakes_when_a_lease_is_returned() {
    type End = fn(tower_breaker::Permit);
    let ends: [End; 3] = [drop, tower_breaker::Permit::ignore, tower_breaker::Permit::success];
    for end in ends {
        let (mut service, script, handle) = guarded(config().pending_while_open());
        trip(&mut service, &script, &handle).await;
        cool_down(&handle).await;
        let probe = handle.try_acquire().unwrap();
        let mut task = task();
        assert_pending!(poll_ready(&mut task, &mut service));
        assert!(!task.is_woken());
        end(probe);
        assert!(task.is_woken());
        assert_ready_ok!(poll_ready(&mut task, &mut service));
        assert_eq!(service.call(()).await.unwrap(), "ok");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_probe_makes_it_wait_for_the_next_cooldown() {
    let (mut service, script, handle) = guarded(config().pending_while_open());
    trip(&mut service, &script, &handle).await;
    cool_down(&handle).await;
    let probe = handle.try_acquire().unwrap();
    let start = Instant::now();
    let waiter = tokio::spawn(async move { service.ready().await.map(drop) });
    tokio::time::sleep(Duration::from_secs(2)).await;
    probe.failure();
    waiter.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(2) + COOLDOWN);
}

#[tokio::test(start_paused = true)]
async fn a_lost_probe_keeps_it_waiting_until_its_lease_and_a_cooldown_are_over() {
    let (mut service, script, handle) = guarded(config().pending_while_open());
    trip(&mut service, &script, &handle).await;
    cool_down(&handle).await;
    let _lost = handle.try_acquire().unwrap();
    let start = Instant::now();
    service.ready().await.unwrap();
    assert_eq!(start.elapsed(), tower_breaker::Probe::DEFAULT_LEASE + COOLDOWN);
}

#[tokio::test(start_paused = true)]
async fn it_wakes_whenever_an_operator_lets_calls_pass() {
    let verbs: [fn(&BreakerHandle); 4] = [
        BreakerHandle::force_closed,
        BreakerHandle::reset,
        BreakerHandle::disable,
        BreakerHandle::shadow,
    ];
    for verb in verbs {
        let (mut service, _, handle) = guarded(config().pending_while_open());
        handle.force_open(None);
        let mut task = task();
        assert_pending!(poll_ready(&mut task, &mut service));
        verb(&handle);
        assert!(task.is_woken());
        assert_ready_ok!(poll_ready(&mut task, &mut service));
    }
}

#[tokio::test(start_paused = true)]
async fn a_forced_open_that_is_released_or_expires_lets_a_probe_pass() {
    let (mut service, _, handle) = guarded(config().pending_while_open());
    handle.force_open(None);
    let mut task = task();
    assert_pending!(poll_ready(&mut task, &mut service));
    handle.release();
    assert!(task.is_woken());
    assert_ready_ok!(poll_ready(&mut task, &mut service));

    handle.force_open(Some(COOLDOWN));
    let start = Instant::now();
    service.ready().await.unwrap();
    assert_eq!(start.elapsed(), COOLDOWN);
}

#[tokio::test(start_paused = true)]
async fn a_longer_hold_moves_the_timer_of_a_waiter() {
    let (mut service, script, handle) = guarded(config().pending_while_open());
    trip(&mut service, &script, &handle).await;
    let start = Instant::now();
    let waiter = tokio::spawn(async move { service.ready().await.map(drop) });
    tokio::time::sleep(Duration::from_secs(1)).await;
    handle.hold_for(Duration::from_secs(60));
    waiter.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(61));
}

#[tokio::test(start_paused = true)]
async fn a_manual_close_wakes_a_waiter_before_its_timer() {
    let (mut service, _, handle) = guarded(config().pending_while_open());
    handle.hold_for(Duration::from_secs(3600));
    let start = Instant::now();
    let waiter = tokio::spawn(async move { service.ready().await.map(drop) });
    tokio::time::sleep(Duration::from_secs(1)).await;
    handle.force_closed();
    waiter.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn all_waiters_wake_for_a_probe_and_late_callers_are_rejected() {
    let (mut service, script, handle) = guarded(config().pending_while_open());
    trip(&mut service, &script, &handle).await;
    let mut waiters: Vec<_> = (0..10).map(|_| (task(), service.clone())).collect();
    for (task, service) in &mut waiters {
        assert_pending!(poll_ready(task, service));
    }
    cool_down(&handle).await;
    for (task, service) in &mut waiters {
        assert!(task.is_woken());
        assert_ready_ok!(poll_ready(task, service));
    }
    script.reply(Reply::Hangs);
    let calls: Vec<_> = waiters.iter_mut().map(|(_, service)| service.call(())).collect();
    assert_eq!((script.calls(), handle.snapshot().totals.rejected), (3, 9));
    drop(calls);
}

#[tokio::test(start_paused = true)]
async fn callers_that_poll_during_a_probe_wait_for_it_and_none_is_rejected() {
    let (mut service, script, handle) = guarded(config().pending_while_open());
    trip(&mut service, &script, &handle).await;
    script.reply(Reply::Hangs);
    let callers: Vec<_> = (0..10).map(|_| tokio::spawn(service.clone().oneshot(()))).collect();
    tokio::time::sleep(COOLDOWN + Duration::from_millis(1)).await;
    assert_eq!((script.calls(), handle.snapshot().probes), (3, 1));
    script.reply(Reply::Ok);
    script.finish(Ok("ok"));
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), "ok");
    }
    assert_eq!((script.calls(), handle.snapshot().totals.rejected), (12, 0));
}

#[tokio::test(start_paused = true)]
async fn a_waiter_for_the_inner_waits_for_the_circuit_once_it_opens() {
    let (mut service, script, handle) = guarded(config().pending_while_open());
    script.readiness(Readiness::Pending);
    let mut task = task();
    assert_pending!(poll_ready(&mut task, &mut service));
    handle.hold_for(COOLDOWN);
    assert!(task.is_woken());
    let polls = script.polls();
    assert_pending!(poll_ready(&mut task, &mut service));
    script.readiness(Readiness::Ready);
    assert_pending!(poll_ready(&mut task, &mut service));
    assert_eq!(script.polls(), polls, "the inner service is not polled");
    cool_down(&handle).await;
    assert!(task.is_woken());
    assert_ready_ok!(poll_ready(&mut task, &mut service));
}

#[tokio::test(start_paused = true)]
async fn a_readiness_error_of_the_probe_is_passed_on_and_then_it_waits_again() {
    let (mut service, script, handle) = guarded(config().pending_while_open());
    trip(&mut service, &script, &handle).await;
    cool_down(&handle).await;
    script.readiness(Readiness::Fails);
    let mut task = task();
    assert!(assert_ready_err!(poll_ready(&mut task, &mut service)).is::<Down>());
    assert_eq!(handle.state(), State::Open);
    assert_pending!(poll_ready(&mut task, &mut service));
}

#[tokio::test(start_paused = true)]
async fn a_circuit_that_opens_between_ready_and_call_rejects_the_call() {
    let (mut service, script, handle) = guarded(config().pending_while_open());
    service.ready().await.unwrap();
    handle.force_open(None);
    assert!(service.call(()).await.unwrap_err().is::<CircuitOpen>());
    assert_eq!(script.calls(), 0);
}

#[test]
fn a_timer_exists_only_while_a_deadline_is_pending() {
    // No runtime is active, so a timer would panic.
    let (mut service, _, handle) = guarded(config().pending_while_open());
    assert_eq!(call(&mut service).now_or_never().unwrap().unwrap(), "ok");
    handle.force_open(None);
    let mut task = task();
    assert_pending!(poll_ready(&mut task, &mut service));
    handle.force_closed();
    assert!(task.is_woken());
    assert_eq!(call(&mut service).now_or_never().unwrap().unwrap(), "ok");
}

#[test]
fn the_rejecting_mode_needs_no_runtime() {
    let (mut service, script, handle) = guarded(config());
    script.reply(Reply::Fails);
    for _ in 0..2 {
        call(&mut service).now_or_never().unwrap().unwrap_err();
    }
    assert_eq!(handle.state(), State::Open);
    assert!(call(&mut service).now_or_never().unwrap().unwrap_err().is::<CircuitOpen>());
    handle.force_closed();
    script.readiness(Readiness::Pending);
    assert_pending!(poll_ready(&mut task(), &mut service));
}
