//! The contract of `poll_ready`.

use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok};
use tower::{Service, ServiceExt};
use tower_breaker::{CircuitBreakerLayer, State};

use crate::support::doubles::*;

#[tokio::test(start_paused = true)]
async fn an_open_circuit_rejects_while_the_inner_is_pending_and_never_polls_it() {
    let (mut service, script, handle) = guarded(config());
    trip(&mut service, &script, &handle).await;
    script.readiness(Readiness::Pending);
    let before = (script.polls(), script.calls());
    for _ in 0..100 {
        call(&mut service).now_or_never().expect("at once").unwrap_err();
    }
    assert_eq!((script.polls(), script.calls()), before);
}

#[tokio::test(start_paused = true)]
async fn a_rejecting_circuit_is_never_an_error_in_poll_ready() {
    for pending in [false, true] {
        let config = if pending { config().pending_while_open() } else { config() };
        let (mut service, script, handle) = guarded(config);
        let mut task = task();
        let mut look = |service: &mut _| match poll_ready(&mut task, service) {
            Poll::Ready(Ok(())) => assert!(!pending),
            Poll::Pending => assert!(pending),
            Poll::Ready(Err(error)) => panic!("{error}"),
        };
        trip(&mut service, &script, &handle).await;
        script.readiness(Readiness::Fails);
        look(&mut service);

        handle.force_open(None);
        look(&mut service);

        handle.reset();
        handle.hold_for(COOLDOWN);
        look(&mut service);

        cool_down(&handle).await;
        let probe = handle.try_acquire().unwrap();
        look(&mut service);
        drop(probe);
    }
}

#[tokio::test(start_paused = true)]
async fn a_closed_circuit_is_as_ready_as_the_inner_and_passes_its_wakes_on() {
    let (mut service, script, _) = guarded(config());
    script.readiness(Readiness::Pending);
    let mut task = task();
    assert_pending!(poll_ready(&mut task, &mut service));
    assert!(!task.is_woken());
    script.readiness(Readiness::Ready);
    assert!(task.is_woken());
    assert_ready_ok!(poll_ready(&mut task, &mut service));
    assert_eq!(service.call(()).await.unwrap(), "ok");
    assert_eq!((script.polls(), script.calls()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn an_inner_readiness_error_is_passed_on_and_counts_as_a_failure() {
    let (mut service, script, handle) = guarded(config());
    script.readiness(Readiness::Fails);
    let mut task = task();
    let error = assert_ready_err!(poll_ready(&mut task, &mut service));
    assert!(error.is::<Down>());
    let seen = handle.snapshot();
    assert_eq!((seen.state, seen.totals.failure), (State::Closed, 1));
    assert_eq!(seen.last_error.unwrap().reason, Some("not ready"));

    assert_ready_err!(poll_ready(&mut task, &mut service));
    assert_eq!(handle.state(), State::Open);
    assert_eq!((script.polls(), script.calls()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn an_inner_readiness_error_reopens_a_half_open_circuit() {
    let (mut service, script, handle) = guarded(config());
    trip(&mut service, &script, &handle).await;
    cool_down(&handle).await;
    script.readiness(Readiness::Fails);
    assert!(call(&mut service).await.unwrap_err().is::<Down>());
    assert_eq!((handle.state(), handle.snapshot().probes), (State::Open, 0));
    // The inner service is not polled again before the cooldown ends.
    let polls = script.polls();
    call(&mut service).await.unwrap_err();
    assert_eq!(script.polls(), polls);
}

#[tokio::test(start_paused = true)]
async fn an_inner_readiness_error_is_not_counted_while_disabled() {
    let (mut service, script, handle) = guarded(config());
    handle.disable();
    script.readiness(Readiness::Fails);
    for _ in 0..5 {
        assert!(call(&mut service).await.unwrap_err().is::<Down>());
    }
    assert_eq!((handle.state(), handle.snapshot().totals.failure), (State::Disabled, 0));
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "`CircuitBreaker::call` without a ready `poll_ready`")]
async fn a_clone_gives_up_readiness() {
    let (mut service, _, _) = guarded(config());
    let mut clone = service.ready().await.unwrap().clone();
    drop(clone.call(()));
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "`CircuitBreaker::call` without a ready `poll_ready`")]
async fn a_clone_gives_up_the_readiness_for_a_rejection() {
    let (mut service, _, handle) = guarded(config());
    handle.force_open(None);
    let mut clone = service.ready().await.unwrap().clone();
    drop(clone.call(()));
}

#[tokio::test(start_paused = true)]
async fn cloning_leaves_the_readiness_of_the_original() {
    let (mut service, script, _) = guarded(config());
    let ready = service.ready().await.unwrap();
    let _clone = ready.clone();
    assert_eq!(ready.call(()).await.unwrap(), "ok");
    assert_eq!(script.polls(), 1);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "`CircuitBreaker::call` without a ready `poll_ready`")]
async fn readiness_is_good_for_one_call() {
    let (mut service, _, _) = guarded(config());
    service.ready().await.unwrap().call(()).await.unwrap();
    drop(service.call(()));
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "`CircuitBreaker::call` without a ready `poll_ready`")]
async fn a_later_pending_revokes_readiness() {
    let (mut service, script, _) = guarded(config());
    let mut task = task();
    assert_ready_ok!(poll_ready(&mut task, &mut service));
    script.readiness(Readiness::Pending);
    assert_pending!(poll_ready(&mut task, &mut service));
    drop(service.call(()));
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "`CircuitBreaker::call` without a ready `poll_ready`")]
async fn a_service_is_not_ready_after_a_readiness_error() {
    let (mut service, script, _) = guarded(config());
    script.readiness(Readiness::Fails);
    assert_ready_err!(poll_ready(&mut task(), &mut service));
    drop(service.call(()));
}

#[tokio::test(start_paused = true)]
async fn a_layer_makes_services_without_a_runtime_or_a_poll() {
    let layer = CircuitBreakerLayer::new(config());
    let (service, script, _) = guarded(config());
    let _nested = tower::Layer::layer(&layer, service);
    assert_eq!((script.polls(), script.calls()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn readiness_errors_end_a_ramp_although_it_admits_few_calls() {
    let ramp = tower_breaker::Ramp::new([10], Duration::from_secs(60));
    let settings = settings().to_builder().ramp(ramp).build().unwrap();
    let (mut service, script, handle) = guarded(config().settings(settings));
    trip(&mut service, &script, &handle).await;
    cool_down(&handle).await;
    call(&mut service).await.unwrap();
    assert_eq!(handle.state(), State::HalfOpen);
    script.readiness(Readiness::Fails);
    for _ in 0..2 {
        assert_ready_err!(poll_ready(&mut task(), &mut service));
    }
    let totals = handle.snapshot().totals;
    assert_eq!((handle.state(), totals.failure, totals.rejected), (State::Open, 4, 0));
}
