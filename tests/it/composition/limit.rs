//! Concurrency limits and load shedding.

use std::convert::Infallible;
use std::time::Duration;

use tower::load_shed::error::Overloaded;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::{CircuitBreakerLayer, CircuitOpen, State};

use super::dependency::*;

async fn slow((): ()) -> Result<&'static str, Infallible> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok("ok")
}

#[tokio::test(start_paused = true)]
async fn a_limit_outside_is_shared_fairly_through_an_outage() {
    let dependency = Dependency::new();
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    let service =
        ServiceBuilder::new().concurrency_limit(2).layer(layer).service(dependency.service());
    handle.hold_for(COOLDOWN);
    let callers: Vec<_> = (0..20).map(|_| tokio::spawn(service.clone().oneshot(()))).collect();
    for caller in callers {
        assert!(caller.await.unwrap().unwrap_err().is::<CircuitOpen>());
    }
    tokio::time::advance(COOLDOWN).await;
    let callers: Vec<_> = (0..20).map(|_| tokio::spawn(service.clone().oneshot(()))).collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), "ok");
    }
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_full_limit_inside_does_not_delay_rejections() {
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    let service = ServiceBuilder::new().layer(layer).concurrency_limit(1).service(service_fn(slow));
    let callers: Vec<_> = (0..10).map(|_| tokio::spawn(service.clone().oneshot(()))).collect();
    tokio::time::sleep(Duration::from_millis(10)).await;
    handle.force_open(None);
    let start = tokio::time::Instant::now();
    let mut ok = 0;
    for caller in callers {
        ok += u32::from(caller.await.unwrap().is_ok());
    }
    assert_eq!((ok, start.elapsed()), (1, Duration::from_millis(990)));
    assert_eq!(handle.snapshot().totals.rejected, 9);
}

#[tokio::test(start_paused = true)]
async fn load_shed_inside_fails_calls_and_the_breaker_sees_them() {
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    let service = ServiceBuilder::new()
        .layer(layer)
        .load_shed()
        .concurrency_limit(1)
        .service(service_fn(slow));
    let busy = tokio::spawn(service.clone().oneshot(()));
    tokio::task::yield_now().await;
    for _ in 0..2 {
        assert!(service.clone().oneshot(()).await.unwrap_err().is::<Overloaded>());
    }
    assert_eq!(handle.state(), State::Open);
    assert_eq!(busy.await.unwrap().unwrap(), "ok");
}

#[tokio::test(start_paused = true)]
async fn load_shed_over_a_rejecting_breaker_passes_rejections_on() {
    let layer = CircuitBreakerLayer::new(config());
    layer.handle().force_open(None);
    let mut service =
        ServiceBuilder::new().load_shed().layer(layer).service(Dependency::new().service());
    assert!(call(&mut service).await.unwrap_err().is::<CircuitOpen>());
}

#[tokio::test(start_paused = true)]
async fn load_shed_over_a_pending_breaker_is_overloaded_while_open_and_recovers() {
    let dependency = Dependency::new();
    let layer = CircuitBreakerLayer::new(config().pending_while_open());
    let handle = layer.handle();
    let mut service = ServiceBuilder::new().load_shed().layer(layer).service(dependency.service());
    handle.hold_for(COOLDOWN);
    for _ in 0..10 {
        assert!(call(&mut service).await.unwrap_err().is::<Overloaded>());
    }
    tokio::time::advance(COOLDOWN).await;
    assert_eq!(call(&mut service).await.unwrap(), "ok");
    assert_eq!((dependency.hits(), handle.snapshot().totals.rejected), (1, 0));
}
