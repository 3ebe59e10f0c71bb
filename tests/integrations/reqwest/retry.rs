//! Retries outside and inside the breaker, by reqwest-retry and by tower.

use std::time::Duration;

use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::policies::ExponentialBackoff;
use reqwest_retry::{
    DefaultRetryableStrategy, RetryTransientMiddleware, Retryable, RetryableStrategy,
};
use tower::retry::RetryLayer;
use tower::{Layer, ServiceBuilder, ServiceExt};
use tower_breaker::classify::OPEN_HEADER;
use tower_breaker::{
    AsRejection, Backoff, CircuitBreakerLayer, Class, Config, FallbackLayer, State,
    integration::with_reqwest_middleware::CircuitBreakerMiddleware, rejection::RejectWithHttp,
    retry::RetryPolicy,
};

use super::client::*;
use crate::support::sockets::{RawServer, answer};

const RETRIES: u32 = 5;

fn shortly() -> ExponentialBackoff {
    let bounds = Duration::from_millis(1)..=Duration::from_millis(2);
    let builder = ExponentialBackoff::builder();
    builder.retry_bounds(*bounds.start(), *bounds.end()).build_with_max_retries(RETRIES)
}

/// Settings that open at the third failure and stay open.
fn for_long() -> tower_breaker::SettingsBuilder {
    tripping().cooldown(Backoff::fixed(LONG).jitter(0.0))
}

fn transient() -> RetryTransientMiddleware<ExponentialBackoff> {
    RetryTransientMiddleware::new_with_policy(shortly())
}

async fn get(
    client: &ClientWithMiddleware,
    server: &RawServer,
) -> reqwest_middleware::Result<reqwest::Response> {
    client.get(server.url()).send().await
}

#[tokio::test]
async fn a_retry_outside_counts_every_attempt_and_stops_at_a_rejection() {
    let server = RawServer::start(answer("503 Service Unavailable", "")).await;
    let breaker = CircuitBreakerMiddleware::new(config(for_long()));
    let client = ClientBuilder::new(client()).with(transient()).with(breaker.clone()).build();
    let error = get(&client, &server).await.unwrap_err();
    assert_eq!(error.as_rejection().unwrap().state(), State::Open, "{error:?}");
    let totals = breaker.handle().snapshot().totals;
    assert_eq!((totals.failure, totals.rejected), (3, 1));
    assert_eq!(server.connections(), 3);
    // A call that is rejected immediately is not repeated either. Its error is wrapped differently.
    let error = get(&client, &server).await.unwrap_err();
    assert!(error.as_rejection().is_some(), "{error:?}");
    assert_eq!(breaker.handle().snapshot().totals.rejected, 2);
}

#[tokio::test]
async fn a_retry_inside_is_one_call() {
    let server = RawServer::start(answer("503 Service Unavailable", "")).await;
    let breaker = CircuitBreakerMiddleware::new(config(counting()));
    let client = ClientBuilder::new(client()).with(breaker.clone()).with(transient()).build();
    assert_eq!(get(&client, &server).await.unwrap().status(), 503);
    ended_now(&breaker.handle(), &[(Class::Failure, 1)]);
    assert_eq!(server.connections(), 1 + RETRIES as usize);
}

/// Treats the response of an open circuit as final.
struct UnlessOpen;

impl RetryableStrategy for UnlessOpen {
    fn handle(&self, result: &reqwest_middleware::Result<reqwest::Response>) -> Option<Retryable> {
        match result {
            Ok(response) if response.headers().contains_key(OPEN_HEADER) => Some(Retryable::Fatal),
            result => DefaultRetryableStrategy.handle(result),
        }
    }
}

#[tokio::test]
async fn a_strategy_that_knows_the_header_stops_at_a_rejection_that_is_a_response() {
    let server = RawServer::start(answer("503 Service Unavailable", "")).await;
    let breaker = CircuitBreakerMiddleware::new(config(for_long()).on_rejected(RejectWithHttp));
    let retry = RetryTransientMiddleware::new_with_policy_and_strategy(shortly(), UnlessOpen);
    let client = ClientBuilder::new(client()).with(retry).with(breaker.clone()).build();
    let response = get(&client, &server).await.unwrap();
    assert!(response.headers().contains_key(OPEN_HEADER));
    let totals = breaker.handle().snapshot().totals;
    assert_eq!((totals.failure, totals.rejected), (3, 1));
}

#[tokio::test]
async fn tower_retry_classifies_responses_of_reqwest_and_stops_at_a_rejection() {
    let server = RawServer::start(answer("503 Service Unavailable", "")).await;
    let layer = CircuitBreakerLayer::new(config(for_long()));
    let handle = layer.handle();
    let backoff = Backoff::fixed(Duration::from_millis(1));
    let retry = RetryPolicy::new(RETRIES).backoff(backoff).clone_with(reqwest::Request::try_clone);
    let client = client();
    let request = client.get(server.url()).build().unwrap();
    let service = ServiceBuilder::new().layer(RetryLayer::new(retry)).layer(layer).service(client);
    let error = service.oneshot(request).await.unwrap_err();
    assert!(error.as_rejection().is_some(), "{error:?}");
    let totals = handle.snapshot().totals;
    assert_eq!((totals.failure, totals.rejected), (3, 1));
}

#[tokio::test]
async fn a_client_with_middleware_is_a_service() {
    let server = RawServer::start(answer("503 Service Unavailable", "")).await;
    let breaker = CircuitBreakerMiddleware::new(config(for_long()));
    let client = ClientBuilder::new(client()).with(breaker.clone()).build();
    let backoff = Backoff::fixed(Duration::from_millis(1));
    let retry = RetryPolicy::new(RETRIES).backoff(backoff).clone_with(reqwest::Request::try_clone);
    let request = client.get(server.url()).build().unwrap();
    let error = RetryLayer::new(retry).layer(client).oneshot(request).await.unwrap_err();
    assert!(error.as_rejection().is_some(), "{error:?}");
    assert_eq!(breaker.handle().snapshot().totals.rejected, 1);
}

#[tokio::test]
async fn a_fallback_answers_for_failed_and_rejected_calls() {
    let server = RawServer::start(answer("503 Service Unavailable", "")).await;
    let layer =
        CircuitBreakerLayer::new(Config::http_client().settings(for_long().build().unwrap()));
    let handle = layer.handle();
    let client = client();
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::value_fn(|| http::Response::new("kept")))
        .layer(layer)
        .service(client.clone());
    for _ in 0..4 {
        let request = client.get(server.url()).build().unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.text().await.unwrap(), "kept");
    }
    let totals = handle.snapshot().totals;
    assert_eq!((totals.failure, totals.rejected), (3, 1));
}
