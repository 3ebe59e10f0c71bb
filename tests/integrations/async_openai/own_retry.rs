//! `RetryPolicy` in place of async-openai's retry layer.

use std::time::{Duration, Instant};

use async_openai::error::OpenAIError;
use futures_util::StreamExt;
use tower::ServiceBuilder;
use tower::retry::RetryLayer;
use tower_breaker::llm::Llm;
use tower_breaker::{
    Backoff, BreakerHandle, CircuitBreakerLayer, Config, State, retry::RetryPolicy,
};

use super::client::{LIMITED_1S, MISTAKE, OpenAi, ask, client, config, patient, stream, transport};
use super::recipe::{openai_error, outcome, rejection};
use super::server::{Answer, ERROR_EVENT, OVERLOADED, QUOTA, Server};
use crate::support::until::until;

const LONG: Duration = Duration::from_secs(60);

/// The recipe.
fn policy(server: &Server, policy: RetryPolicy, config: Config<Llm>) -> (OpenAi, BreakerHandle) {
    let breaker = CircuitBreakerLayer::new(config.classify_caused_by(outcome));
    let handle = breaker.handle();
    let short = Backoff::exponential(Duration::from_millis(20), LONG);
    let stack = ServiceBuilder::new()
        .map_err(openai_error)
        .layer(RetryLayer::new(policy.backoff(short)))
        .layer(breaker)
        .timeout(LONG)
        .service(transport());
    (client(server, stack), handle)
}

#[tokio::test]
async fn every_attempt_counts() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = policy(&server, RetryPolicy::new(2), patient());
    server.answer([OVERLOADED, OVERLOADED], Answer::Good);
    assert_eq!(ask(&client).await.unwrap(), "primary");
    let totals = until(&handle, |seen| seen.totals.success == 1).await.totals;
    assert_eq!((totals.failure, server.asked().len()), (2, 3));
}

#[tokio::test]
async fn the_policy_stops_at_a_rejection() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = policy(&server, RetryPolicy::new(100), config(2, LONG));
    server.answer([], OVERLOADED);
    assert!(rejection(&ask(&client).await.unwrap_err()).is_some());
    let totals = handle.snapshot().totals;
    assert_eq!((totals.failure, totals.rejected, server.asked().len()), (2, 1, 2));
}

#[tokio::test]
async fn a_used_up_quota_and_a_client_error_are_not_retried_and_the_body_is_complete() {
    for (answer, kind) in [(QUOTA, "insufficient_quota"), (MISTAKE, "invalid_request_error")] {
        let server = Server::start("primary").await.unwrap();
        let (client, _) = policy(&server, RetryPolicy::new(3), patient());
        server.answer([], answer);
        match ask(&client).await.unwrap_err() {
            OpenAIError::ApiError(error) => {
                assert_eq!(error.api_error.r#type.as_deref(), Some(kind));
            }
            error => panic!("{error:?}"),
        }
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn a_failed_connect_is_a_failure_and_is_retried() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = policy(&server, RetryPolicy::new(2), patient());
    drop(server);
    assert!(matches!(ask(&client).await, Err(OpenAIError::Reqwest(_))));
    assert_eq!(handle.snapshot().totals.failure, 3);
}

#[tokio::test]
async fn a_stream_that_breaks_is_a_failure_and_is_not_retried() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = policy(&server, RetryPolicy::new(2), patient());
    server.answer([], ERROR_EVENT);
    let chunks: Vec<_> = stream(&client).await.unwrap().collect().await;
    assert!(chunks.last().unwrap().is_err(), "{chunks:?}");
    assert_eq!((handle.snapshot().totals.failure, server.asked().len()), (1, 1));
}

/// The policy waits slightly longer than the server asks, and therefore longer than the circuit is held.
#[tokio::test]
async fn a_limit_is_retried_when_the_circuit_admits_the_call() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = policy(&server, RetryPolicy::new(2), patient());
    server.answer([LIMITED_1S], Answer::Good);
    let start = Instant::now();
    assert_eq!(ask(&client).await.unwrap(), "primary");
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    let totals = until(&handle, |seen| seen.state == State::Closed).await.totals;
    assert_eq!((totals.throttled, totals.rejected, server.asked().len()), (1, 0, 2));
}

#[tokio::test]
async fn the_policy_may_wait_for_the_circuit() {
    let server = Server::start("primary").await.unwrap();
    let waits = RetryPolicy::new(0).wait_for_circuit(LONG);
    let (client, handle) = policy(&server, waits, config(1, Duration::from_millis(300)));
    server.answer([OVERLOADED], Answer::Good);
    ask(&client).await.unwrap_err();
    assert_eq!(ask(&client).await.unwrap(), "primary");
    until(&handle, |seen| seen.state == State::Closed).await;
    assert_eq!(server.asked().len(), 2);
}
