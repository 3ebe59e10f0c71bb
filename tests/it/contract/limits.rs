//! A rejected call keeps the readiness of the inner service, so limits belong outside the breaker.

use tokio_test::{assert_pending, assert_ready_ok};
use tower::limit::ConcurrencyLimitLayer;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::{BreakerHandle, CircuitBreakerLayer, CircuitOpen, State};

use crate::support::doubles::*;

async fn respond((): ()) -> Answer {
    Ok("ok")
}

fn limited_inside()
-> (impl Service<(), Response = &'static str, Error = BoxError> + Clone, BreakerHandle) {
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    let service =
        ServiceBuilder::new().layer(layer).concurrency_limit(1).service(service_fn(respond));
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
    // Polled again while the circuit is open. The clone still holds the slot of the first poll.
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
async fn with_a_limit_outside_a_rejection_keeps_no_slot() {
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    let mut one =
        ServiceBuilder::new().concurrency_limit(1).layer(layer).service(service_fn(respond));
    let mut other = one.clone();
    one.ready().await.unwrap();
    handle.force_open(None);
    assert!(one.call(()).await.unwrap_err().is::<CircuitOpen>());
    handle.force_closed();
    assert_ready_ok!(poll_ready(&mut task(), &mut other));
    assert_eq!(other.call(()).await.unwrap(), "ok");
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_over_a_full_limit_rejects_and_releases_its_waiters() {
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

    // No waiter is left in the queue of the limit, so the probe gets the slot.
    script.finish(Ok("ok"));
    busy.await.unwrap().unwrap();
    script.reply(Reply::Ok);
    cool_down(&handle).await;
    drop(waiters);
    assert_eq!(call(&mut service).await.unwrap(), "ok");
    assert_eq!(handle.state(), State::Closed);
}
