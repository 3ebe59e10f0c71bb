//! A hedge sends a second request if the first is slow. If the hedge is inside the breaker, both are one call.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tower::hedge::{Hedge, Policy};
use tower::{BoxError, Layer, Service, ServiceExt, service_fn};
use tower_breaker::{CircuitBreakerLayer, CircuitOpen, State};

use super::dependency::*;

#[derive(Clone)]
struct Always;

impl Policy<()> for Always {
    fn clone_request(&self, (): &()) -> Option<()> {
        Some(())
    }

    fn can_retry(&self, (): &()) -> bool {
        true
    }
}

fn hedged<S>(service: S) -> Hedge<S, Always>
where
    S: Service<()> + Clone,
    S::Error: Into<BoxError>,
{
    // The hedge sends the second request after 10 ms.
    Hedge::new_with_mock_latencies(service, Always, 1, 0.9, Duration::from_secs(60), &[10; 20])
}

/// A service that takes 1 s and counts its calls.
fn slow()
-> (impl Service<(), Response = (), Error = BoxError, Future: Send> + Clone, Arc<AtomicUsize>) {
    let hits = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&hits);
    let service = service_fn(move |()| {
        seen.fetch_add(1, Ordering::Relaxed);
        async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(())
        }
    });
    (service, hits)
}

#[tokio::test(start_paused = true)]
async fn inside_the_two_requests_of_a_probe_are_one_call() {
    let (inner, hits) = slow();
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    handle.hold_for(COOLDOWN);
    tokio::time::advance(COOLDOWN).await;
    let service = layer.layer(hedged(inner));
    service.oneshot(()).await.unwrap();
    let seen = handle.snapshot();
    assert_eq!((hits.load(Ordering::Relaxed), seen.totals.success), (2, 1));
    assert_eq!((seen.state, seen.totals.rejected), (State::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn outside_the_second_request_of_a_probe_is_rejected_and_fails_the_call() {
    // As documented, the hedge fails at the first error of either request.
    let (inner, hits) = slow();
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    handle.hold_for(COOLDOWN);
    tokio::time::advance(COOLDOWN).await;
    let service = hedged(layer.layer(inner));
    let error = service.oneshot(()).await.unwrap_err();
    assert!(CircuitOpen::find(&*error).is_some());
    // The hedge also drops the first request. It is cancelled, and its slot is free again.
    let seen = handle.snapshot();
    assert_eq!((hits.load(Ordering::Relaxed), seen.totals.cancelled), (1, 1));
    assert_eq!((seen.state, seen.probes), (State::HalfOpen, 0));
}

#[tokio::test(start_paused = true)]
async fn outside_the_slower_request_is_cancelled_and_is_not_a_failure() {
    let (inner, hits) = slow();
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    hedged(layer.layer(inner)).oneshot(()).await.unwrap();
    let totals = handle.snapshot().totals;
    assert_eq!(hits.load(Ordering::Relaxed), 2);
    assert_eq!((totals.success, totals.cancelled, totals.failure), (1, 1, 0));
}
