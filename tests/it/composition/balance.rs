//! Breakers under a balancer. With `pending_while_open`, an open endpoint is not ready and gets no traffic.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use tower::balance::p2c::Balance;
use tower::discover::ServiceList;
use tower::load::{CompleteOnResponse, PendingRequests};
use tower::ready_cache::ReadyCache;
use tower::{Layer, Service, ServiceExt};
use tower_breaker::{BreakerHandle, CircuitBreakerLayer, Config, State};

use super::dependency::*;

/// An endpoint behind its own breaker, with a measured load.
fn endpoint(
    dependency: &Dependency,
    config: Config,
) -> (
    PendingRequests<
        impl Service<
            (),
            Response = &'static str,
            Error = tower::BoxError,
            Future: Send + Unpin + 'static,
        > + use<>,
    >,
    BreakerHandle,
) {
    let layer = CircuitBreakerLayer::new(config);
    let handle = layer.handle();
    let service = layer.layer(dependency.service());
    (PendingRequests::new(service, CompleteOnResponse::default()), handle)
}

#[tokio::test(start_paused = true)]
async fn a_dead_endpoint_that_is_pending_gets_no_traffic_and_recovers() {
    let (live, dead) = (Dependency::new(), Dependency::new());
    dead.down(true);
    let (one, _) = endpoint(&live, config().pending_while_open());
    let (two, handle) = endpoint(&dead, config().pending_while_open());
    let mut balance = Balance::new(ServiceList::new(vec![one, two]));

    let mut failed = 0;
    for _ in 0..1_600 {
        failed += u32::from(call(&mut balance).await.is_err());
        tokio::time::advance(Duration::from_micros(100)).await;
    }
    assert_eq!((failed, dead.hits(), live.hits()), (2, 2, 1_598));
    let seen = handle.snapshot();
    assert_eq!((seen.state, seen.totals.rejected), (State::Open, 0));

    // One probe per cooldown while the endpoint is down.
    for _ in 0..20 {
        tokio::time::advance(COOLDOWN / 10).await;
        for _ in 0..50 {
            failed += u32::from(call(&mut balance).await.is_err());
        }
    }
    assert_eq!((failed, dead.hits()), (4, 4));
    assert_eq!(handle.snapshot().totals.rejected, 0);

    dead.down(false);
    tokio::time::advance(COOLDOWN).await;
    for _ in 0..400 {
        call(&mut balance).await.unwrap();
    }
    assert_eq!(handle.state(), State::Closed);
    assert!(dead.hits() > 50, "traffic is back: {}", dead.hits());
}

#[tokio::test(start_paused = true)]
async fn a_dead_endpoint_that_rejects_is_a_black_hole() {
    // The reason for the pending mode: an endpoint that rejects immediately looks like the least loaded one.
    let (live, dead) = (Dependency::new(), Dependency::new());
    let (one, _) = endpoint(&live, config());
    let (two, handle) = endpoint(&dead, config());
    handle.force_open(None);
    let mut balance = Balance::new(ServiceList::new(vec![one, two]));
    let mut rejected = 0;
    for _ in 0..400 {
        rejected += u32::from(call(&mut balance).await.is_err());
    }
    assert!(rejected > 100, "{rejected}");
}

#[tokio::test(start_paused = true)]
async fn a_balancer_whose_endpoints_are_all_open_waits_for_the_first_probe() {
    let dependency = Dependency::new();
    let endpoints: Vec<_> = (1..=3)
        .map(|cooldowns| {
            let (service, handle) = endpoint(&dependency, config().pending_while_open());
            handle.hold_for(cooldowns * COOLDOWN);
            service
        })
        .collect();
    let mut balance = Balance::new(ServiceList::new(endpoints));
    let start = tokio::time::Instant::now();
    assert_eq!(call(&mut balance).await.unwrap(), "ok");
    assert_eq!(start.elapsed(), COOLDOWN);
}

#[tokio::test(start_paused = true)]
async fn a_ready_cache_moves_an_endpoint_whose_circuit_opened_back_to_pending() {
    let dependency = Dependency::new();
    let layer = CircuitBreakerLayer::new(config().pending_while_open());
    let handle = layer.handle();
    let mut cache = ReadyCache::default();
    cache.push("db", layer.layer(dependency.service()));
    poll_fn(|cx| cache.poll_pending(cx)).await.unwrap();

    handle.hold_for(COOLDOWN);
    let start = tokio::time::Instant::now();
    let ready = poll_fn(|cx| Poll::Ready(cache.check_ready(cx, &"db"))).await;
    assert!(!ready.unwrap());
    assert_eq!((cache.ready_len(), cache.pending_len()), (0, 1));

    poll_fn(|cx| cache.poll_pending(cx)).await.unwrap();
    assert_eq!((cache.ready_len(), start.elapsed()), (1, COOLDOWN));
    assert_eq!(cache.call_ready(&"db", ()).await.unwrap(), "ok");
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_ready_cache_never_loses_a_rejecting_endpoint() {
    let dependency = Dependency::new();
    let layer = CircuitBreakerLayer::new(config());
    layer.handle().hold_for(COOLDOWN);
    let mut cache = ReadyCache::default();
    cache.push("db", layer.layer(dependency.service()));
    for _ in 0..3 {
        poll_fn(|cx| cache.poll_pending(cx)).await.unwrap();
        cache.call_ready(&"db", ()).await.unwrap_err();
    }
    tokio::time::advance(COOLDOWN).await;
    poll_fn(|cx| cache.poll_pending(cx)).await.unwrap();
    assert_eq!(cache.call_ready(&"db", ()).await.unwrap(), "ok");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_under_a_balancer_may_be_boxed() {
    let dependency = Dependency::new();
    let (service, _) = endpoint(&dependency, config().pending_while_open());
    let boxed = PendingRequests::new(service.boxed(), CompleteOnResponse::default());
    let mut balance = Balance::new(ServiceList::new(vec![boxed]));
    assert_eq!(call(&mut balance).await.unwrap(), "ok");
}
