//! A timeout inside the breaker is an error that the breaker sees. A timeout outside cancels the call.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use tower::timeout::error::Elapsed;
use tower::{ServiceBuilder, service_fn};
use tower_breaker::{CircuitBreakerLayer, Outcome, State, rejection::RejectWithBreakerError};

use super::dependency::*;

const LIMIT: Duration = Duration::from_secs(1);

async fn hangs((): ()) -> Result<(), Infallible> {
    pending().await
}

#[tokio::test(start_paused = true)]
async fn a_timeout_inside_is_a_failure() {
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    let mut service = ServiceBuilder::new().layer(layer).timeout(LIMIT).service(service_fn(hangs));
    for _ in 0..2 {
        assert!(call(&mut service).await.unwrap_err().is::<Elapsed>());
    }
    assert_eq!((handle.state(), handle.snapshot().totals.failure), (State::Open, 2));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_outside_cancels_the_call_and_trips_only_with_cancelled_after() {
    let patient = opening_after(2);
    let impatient = patient.to_builder().cancelled_after(LIMIT).build().unwrap();
    for (settings, state) in [(patient, State::Closed), (impatient, State::Open)] {
        let layer = CircuitBreakerLayer::new(config().settings(settings));
        let handle = layer.handle();
        let mut service =
            ServiceBuilder::new().timeout(LIMIT).layer(layer).service(service_fn(hangs));
        for _ in 0..50 {
            call(&mut service).await.unwrap_err();
        }
        assert_eq!(handle.state(), state);
    }
}

#[tokio::test(start_paused = true)]
async fn timeouts_outside_and_inside_do_not_nest_boxes() {
    let layer = CircuitBreakerLayer::new(config());
    let mut service = ServiceBuilder::new()
        .timeout(2 * LIMIT)
        .layer(layer)
        .timeout(LIMIT)
        .service(service_fn(hangs));
    assert!(call(&mut service).await.unwrap_err().is::<Elapsed>());
}

#[tokio::test(start_paused = true)]
async fn typed_rejections_of_an_infallible_service_pass_an_outer_timeout() {
    let layer = CircuitBreakerLayer::new(config().on_rejected(RejectWithBreakerError));
    layer.handle().force_open(None);
    let mut service = ServiceBuilder::new().timeout(LIMIT).layer(layer).service(service_fn(hangs));
    let error = call(&mut service).await.unwrap_err();
    assert!(tower_breaker::CircuitOpen::find(&*error).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_closure_distinguishes_a_timeout_from_other_errors() {
    let classify = |result: Result<&(), &tower::BoxError>| match result {
        Err(error) if error.is::<Elapsed>() => Outcome::failure().weight(2),
        Err(_) => Outcome::ignored(),
        Ok(()) => Outcome::success(),
    };
    let layer = CircuitBreakerLayer::new(config().classify_fn(classify));
    let handle = layer.handle();
    let mut service = ServiceBuilder::new().layer(layer).timeout(LIMIT).service(service_fn(hangs));
    call(&mut service).await.unwrap_err();
    assert_eq!(handle.snapshot().totals.failure, 1);
}
