//! A rejected call keeps the inner's readiness: limits belong outside of the breaker.

use tokio_test::{assert_pending, assert_ready_ok};
use tower::limit::ConcurrencyLimitLayer;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::{BreakerHandle, CircuitBreakerLayer, CircuitOpen, State};

use crate::support::doubles::*;

async fn answer((): ()) -> Answer {
    Ok("ok")
}

fn limited_inside()
-> (impl Service<(), Response = &'static str, Error = BoxError> + Clone, BreakerHandle) {
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    let service =
        ServiceBuilder::new().layer(layer).concurrency_limit(1).service(service_fn(answer));
    (service, handle)
}

#[tokio::test(start_paused = true)]
async fn with_a_limit_inside_a_rejected_clone_keeps_its_slot_until_its_next_call() {
    let (mut holder, handle) = limited_inside();
    let mut other = holder.clone();

    holder.ready().await.unwrap();
    handle.force_open(None);
    assert!(holder.call(()).await.unwrap_err().is::<CircuitOpen>());
    handle.force_closed();

    let mut task = task();
    assert_pending!(poll_ready(&mut task, &mut other));
    assert_eq!(call(&mut holder).await.unwrap(), "ok");
    assert!(task.is_woken());
    assert_ready_ok!(poll_ready(&mut task, &mut other));
    assert_eq!(other.call(()).await.unwrap(), "ok");
}

#[tokio::test(start_paused = true)]
async fn with_a_limit_inside_a_rejected_clone_keeps_its_slot_until_it_is_dropped() {
    let (mut holder, handle) = limited_inside();
    let mut other = holder.clone();

    holder.ready().await.unwrap();
    handle.force_open(None);
    // Asked again while the circuit is open: still the slot of the first time.
    assert!(call(&mut holder).await.unwrap_err().is::<CircuitOpen>());
    handle.force_closed();

    let mut task = task();
    assert_pending!(poll_ready(&mut task, &mut other));
    drop(holder);
    assert!(task.is_woken());
    assert_eq!(call(&mut other).await.unwrap(), "ok");
}

#[tokio::test(start_paused = true)]
async fn with_a_limit_inside_a_rejected_readiness_takes_no_slot() {
    let (mut idle, handle) = limited_inside();
    let mut other = idle.clone();
    handle.force_open(None);
    idle.ready().await.unwrap();
    handle.force_closed();
    assert_eq!(call(&mut other).await.unwrap(), "ok");
}

#[tokio::test(start_paused = true)]
async fn with_a_limit_outside_a_rejection_takes_nobodys_slot() {
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    let mut one =
        ServiceBuilder::new().concurrency_limit(1).layer(layer).service(service_fn(answer));
    let mut other = one.clone();
    one.ready().await.unwrap();
    handle.force_open(None);
    assert!(one.call(()).await.unwrap_err().is::<CircuitOpen>());
    handle.force_closed();
    assert_ready_ok!(poll_ready(&mut task(), &mut other));
    assert_eq!(other.call(()).await.unwrap(), "ok");
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_over_a_full_limit_rejects_and_lets_go_whoever_waits_for_it() {
    let (strict, script, _) = guarded(config());
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    let mut service = layer.layer(ConcurrencyLimitLayer::new(1).layer(strict));
    script.reply(Reply::Hangs);
    let busy = tokio::spawn(service.clone().oneshot(()));
    tokio::task::yield_now().await;

    let mut waiters: Vec<_> = (0..10).map(|_| (task(), service.clone())).collect();
    for (task, waiter) in &mut waiters {
        assert_pending!(poll_ready(task, waiter));
    }
    handle.hold_for(COOLDOWN);
    for (task, waiter) in &mut waiters {
        assert!(task.is_woken());
        assert_ready_ok!(poll_ready(task, waiter));
    }
    assert!(call(&mut service).await.unwrap_err().is::<CircuitOpen>());

    // None of them is in the queue of the limit any more: the slot goes to the probe.
    script.finish(Ok("ok"));
    busy.await.unwrap().unwrap();
    script.reply(Reply::Ok);
    cool_down(&handle).await;
    drop(waiters);
    assert_eq!(call(&mut service).await.unwrap(), "ok");
    assert_eq!(handle.state(), State::Closed);
}
