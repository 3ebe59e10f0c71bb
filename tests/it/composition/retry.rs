//! With retry outside, the breaker counts every attempt. With retry inside, all attempts of a call are one outcome.

use std::future::{Ready, ready};
use std::time::Duration;

use tokio::time::Instant;
use tower::retry::Policy;
use tower::{ServiceBuilder, ServiceExt};
use tower_breaker::{AsRejection, CircuitBreakerLayer, CircuitOpen, State, retry::StopAtRejection};

use super::dependency::*;

/// Retries every error, including rejections, the given number of times.
#[derive(Clone)]
struct Attempts(u32);

impl<Res, E> Policy<(), Res, E> for Attempts {
    type Future = Ready<()>;

    fn retry(&mut self, (): &mut (), result: &mut Result<Res, E>) -> Option<Ready<()>> {
        if result.is_ok() {
            return None;
        }
        self.0 = self.0.checked_sub(1)?;
        Some(ready(()))
    }

    fn clone_request(&mut self, (): &()) -> Option<()> {
        Some(())
    }
}

#[tokio::test(start_paused = true)]
async fn outside_every_attempt_is_counted_and_none_is_made_after_the_circuit_opened() {
    let dependency = Dependency::new();
    dependency.down(true);
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    let service = ServiceBuilder::new()
        .retry(StopAtRejection::new(Attempts(10)))
        .layer(layer)
        .service(dependency.service());
    let error = service.clone().oneshot(()).await.unwrap_err();
    assert!(CircuitOpen::find(&*error).is_some());
    assert_eq!((dependency.hits(), handle.state()), (2, State::Open));
    for _ in 0..10 {
        service.clone().oneshot(()).await.unwrap_err();
    }
    assert_eq!((dependency.hits(), handle.snapshot().totals.rejected), (2, 11));
}

#[tokio::test(start_paused = true)]
async fn outside_a_policy_that_retries_rejections_does_not_reach_the_dependency() {
    let dependency = Dependency::new();
    dependency.down(true);
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    let service =
        ServiceBuilder::new().retry(Attempts(10)).layer(layer).service(dependency.service());
    service.oneshot(()).await.unwrap_err();
    // The policy only wastes its attempts: eleven in total.
    assert_eq!((dependency.hits(), handle.snapshot().totals.rejected), (2, 9));
}

#[tokio::test(start_paused = true)]
async fn inside_all_attempts_of_a_call_are_one_outcome() {
    let dependency = Dependency::new();
    dependency.down(true);
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    let mut service =
        ServiceBuilder::new().layer(layer).retry(Attempts(2)).service(dependency.service());
    call(&mut service).await.unwrap_err();
    let seen = handle.snapshot();
    assert_eq!((dependency.hits(), seen.totals.failure, seen.state), (3, 1, State::Closed));
    call(&mut service).await.unwrap_err();
    assert_eq!((dependency.hits(), handle.state()), (6, State::Open));
    call(&mut service).await.unwrap_err();
    assert_eq!(dependency.hits(), 6);
}

#[tokio::test(start_paused = true)]
async fn outside_with_a_wait_a_request_survives_the_outage() {
    let dependency = Dependency::new();
    dependency.down(true);
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    let policy = StopAtRejection::new(Attempts(10)).wait_for_circuit(Duration::from_secs(10));
    let service = ServiceBuilder::new().retry(policy).layer(layer).service(dependency.service());
    let start = Instant::now();
    let request = tokio::spawn(service.oneshot(()));
    tokio::time::sleep(COOLDOWN / 2).await;
    dependency.down(false);
    assert_eq!(request.await.unwrap().unwrap(), "ok");
    assert_eq!((start.elapsed(), dependency.hits()), (COOLDOWN, 3));
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_between_retry_and_breaker_hides_no_rejection() {
    let layer = CircuitBreakerLayer::new(config());
    layer.handle().force_open(None);
    let dependency = Dependency::new();
    let service = ServiceBuilder::new()
        .retry(StopAtRejection::new(Attempts(10)))
        .timeout(Duration::from_secs(1))
        .concurrency_limit(5)
        .layer(layer)
        .timeout(Duration::from_secs(1))
        .service(dependency.service());
    let error = service.oneshot(()).await.unwrap_err();
    assert_eq!(error.as_rejection().unwrap().name(), "db");
}
