//! The breaker outside async-openai's retry layer. It sees one outcome per call.

use async_openai::error::OpenAIError;
use async_openai::middleware::retry::OpenAIRetryLayer;
use tower::ServiceBuilder;
use tower_breaker::{Cause, CircuitBreakerLayer, State};

use super::client::{LIMITED, MISTAKE, OpenAi, PAGE, ask, client, patient, transport};
use super::recipe::{openai_error, outcome, rejection};
use super::server::{Answer, OVERLOADED, QUOTA, Server};
use crate::support::until::until;

/// The recipe.
fn outside(server: &Server, retries: usize) -> (OpenAi, tower_breaker::BreakerHandle) {
    let breaker = CircuitBreakerLayer::new(patient().classify_caused_by(outcome));
    let handle = breaker.handle();
    let stack = ServiceBuilder::new()
        .map_err(openai_error)
        .layer(breaker)
        .layer(OpenAIRetryLayer::new(retries))
        .service(transport());
    (client(server, stack), handle)
}

#[tokio::test]
async fn a_call_that_ends_well_is_one_success() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = outside(&server, 2);
    server.answer([OVERLOADED, OVERLOADED], Answer::Good);
    assert_eq!(ask(&client).await.unwrap(), "primary");
    let totals = until(&handle, |seen| seen.totals.success == 1).await.totals;
    assert_eq!((totals.failure, server.asked().len()), (0, 3));
}

#[tokio::test]
async fn a_call_that_ends_badly_is_one_failure() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = outside(&server, 2);
    server.answer([], OVERLOADED);
    assert!(matches!(ask(&client).await, Err(OpenAIError::ApiError(_))));
    assert_eq!((handle.snapshot().totals.failure, server.asked().len()), (1, 3));
}

#[tokio::test]
async fn a_failed_connect_is_one_failure() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = outside(&server, 1);
    drop(server);
    assert!(matches!(ask(&client).await, Err(OpenAIError::Reqwest(_))));
    assert_eq!(handle.snapshot().totals.failure, 1);
}

#[tokio::test]
async fn a_limit_that_became_an_error_is_throttled() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = outside(&server, 1);
    server.answer([], LIMITED);
    assert!(matches!(ask(&client).await, Err(OpenAIError::ApiError(_))));
    let seen = handle.snapshot();
    assert_eq!((seen.totals.throttled, seen.totals.failure), (1, 0));
    assert_eq!((seen.state, seen.cause), (State::Open, Cause::Throttled));
    assert_eq!(server.asked().len(), 2);
    assert!(rejection(&ask(&client).await.unwrap_err()).is_some());
}

#[tokio::test]
async fn a_quota_that_became_an_error_is_exhausted() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = outside(&server, 3);
    server.answer([], QUOTA);
    assert!(matches!(ask(&client).await, Err(OpenAIError::ApiError(_))));
    let seen = handle.snapshot();
    assert_eq!((seen.totals.exhausted, seen.cause), (1, Cause::Exhausted));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn without_the_rule_both_are_failures() {
    for answer in [LIMITED, QUOTA] {
        let server = Server::start("primary").await.unwrap();
        let breaker = CircuitBreakerLayer::new(patient());
        let handle = breaker.handle();
        let stack = ServiceBuilder::new()
            .layer(breaker)
            .layer(OpenAIRetryLayer::new(0))
            .service(transport());
        server.answer([], answer);
        // The error of async-openai is itself boxed.
        match ask(&client(&server, stack)).await.unwrap_err() {
            OpenAIError::Boxed(error) => assert!(error.is::<OpenAIError>(), "{error:?}"),
            error => panic!("{error:?}"),
        }
        let totals = handle.snapshot().totals;
        assert_eq!((totals.failure, totals.throttled, totals.exhausted), (1, 0, 0));
    }
}

#[tokio::test]
async fn a_429_that_is_not_from_openai_is_a_failure() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = outside(&server, 3);
    server.answer([], PAGE);
    assert!(matches!(ask(&client).await, Err(OpenAIError::JSONDeserialize(..))));
    // The error does not contain the status 429.
    assert_eq!((handle.snapshot().totals.failure, server.asked().len()), (1, 1));
}

#[tokio::test]
async fn a_client_error_is_a_success() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = outside(&server, 3);
    server.answer([], MISTAKE);
    assert!(matches!(ask(&client).await, Err(OpenAIError::ApiError(_))));
    assert_eq!((handle.snapshot().totals.success, server.asked().len()), (1, 1));
}

#[tokio::test]
async fn the_rejection_of_a_breaker_inside_is_ignored() {
    let server = Server::start("primary").await.unwrap();
    let (outer, inner) = (
        CircuitBreakerLayer::new(patient().classify_caused_by(outcome)),
        CircuitBreakerLayer::new(patient()),
    );
    let (seen, opened) = (outer.handle(), inner.handle());
    let stack = ServiceBuilder::new()
        .map_err(openai_error)
        .layer(outer)
        .layer(OpenAIRetryLayer::new(3))
        .map_err(openai_error)
        .layer(inner)
        .service(transport());
    opened.force_open(None);
    let error = ask(&client(&server, stack)).await.unwrap_err();
    assert!(rejection(&error).is_some(), "{error:?}");
    let totals = seen.snapshot().totals;
    assert_eq!((totals.ignored, totals.failure, server.asked().len()), (1, 0, 0));
}
