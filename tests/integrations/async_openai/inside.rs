//! The breaker inside async-openai's retry layer. It sees every attempt.

use std::time::Duration;

use async_openai::error::OpenAIError;
use async_openai::middleware::retry::OpenAIRetryLayer;
use tokio::net::TcpListener;
use tower::timeout::error::Elapsed;
use tower::{BoxError, ServiceBuilder};
use tower_breaker::llm::Llm;
use tower_breaker::{
    BreakerHandle, Cause, CircuitBreakerLayer, CircuitOpen, Config, Settings, State,
    rejection::RejectWithHttp,
};

use super::client::{
    LIMITED, LIMITED_1S, MISTAKE, OpenAi, PAGE, Stack, ask, client, client_at, config, patient,
    transport,
};
use super::recipe::{openai_error, outcome, rejection};
use super::server::{Answer, OVERLOADED, QUOTA, Server};
use crate::support::until::until;

const LONG: Duration = Duration::from_secs(60);

/// The recipe.
fn stack(retries: usize, config: Config<Llm>) -> (impl Stack, BreakerHandle) {
    let breaker = CircuitBreakerLayer::new(config.classify_caused_by(outcome));
    let handle = breaker.handle();
    let stack = ServiceBuilder::new()
        .layer(OpenAIRetryLayer::new(retries))
        .map_err(openai_error)
        .layer(breaker)
        .timeout(LONG)
        .service(transport());
    (stack, handle)
}

fn inside(server: &Server, retries: usize, config: Config<Llm>) -> (OpenAi, BreakerHandle) {
    let (stack, handle) = stack(retries, config);
    (client(server, stack), handle)
}

#[tokio::test]
async fn every_attempt_counts() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = inside(&server, 2, patient());
    server.answer([OVERLOADED, OVERLOADED], Answer::Good);
    assert_eq!(ask(&client).await.unwrap(), "primary");
    let totals = until(&handle, |seen| seen.totals.success == 1).await.totals;
    assert_eq!((totals.failure, server.asked().len()), (2, 3));
}

#[tokio::test]
async fn the_error_of_the_last_attempt_is_async_openais_own() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = inside(&server, 1, patient());
    server.answer([], OVERLOADED);
    match ask(&client).await.unwrap_err() {
        OpenAIError::ApiError(error) => {
            assert_eq!(error.status_code, 503);
            assert!(error.api_error.message.contains("overloaded"), "{error}");
        }
        error => panic!("{error:?}"),
    }
    assert_eq!(handle.snapshot().totals.failure, 2);
}

#[tokio::test]
async fn a_used_up_quota_opens_at_once_and_the_retry_layer_still_reads_it() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = inside(&server, 3, patient());
    server.answer([], QUOTA);
    match ask(&client).await.unwrap_err() {
        OpenAIError::ApiError(error) => {
            assert_eq!(error.api_error.r#type.as_deref(), Some("insufficient_quota"));
        }
        error => panic!("{error:?}"),
    }
    let seen = handle.snapshot();
    assert_eq!((seen.totals.exhausted, seen.state, seen.cause), (1, State::Open, Cause::Exhausted));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_429_that_is_not_from_openai_is_throttled() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = inside(&server, 3, patient());
    server.answer([], PAGE);
    assert!(matches!(ask(&client).await, Err(OpenAIError::JSONDeserialize(..))));
    assert_eq!((handle.snapshot().totals.throttled, server.asked().len()), (1, 1));
}

#[tokio::test]
async fn a_client_error_is_a_success() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = inside(&server, 3, patient());
    server.answer([], MISTAKE);
    assert!(matches!(ask(&client).await, Err(OpenAIError::ApiError(_))));
    assert_eq!((handle.snapshot().totals.success, server.asked().len()), (1, 1));
}

#[tokio::test]
async fn the_retry_layer_stops_at_a_rejection() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = inside(&server, 100, config(2, LONG));
    server.answer([], OVERLOADED);
    let error = ask(&client).await.unwrap_err();
    let open = rejection(&error).expect("a rejection");
    assert_eq!((open.name(), open.cause()), ("llm", Cause::ConsecutiveFailures));
    let totals = handle.snapshot().totals;
    assert_eq!((totals.failure, totals.rejected, server.asked().len()), (2, 1, 2));

    assert!(rejection(&ask(&client).await.unwrap_err()).is_some());
    assert_eq!((handle.snapshot().totals.rejected, server.asked().len()), (2, 0));
}

#[tokio::test]
async fn a_rejection_is_hidden_behind_a_transparent_error() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = inside(&server, 0, patient());
    handle.force_open(None);
    let error = ask(&client).await.unwrap_err();
    assert!(matches!(&error, OpenAIError::Boxed(boxed) if boxed.is::<CircuitOpen>()), "{error:?}");
    assert!(rejection(&error).is_some());
    // If `find` returns the rejection one day, `rejection` is no longer needed.
    assert!(CircuitOpen::find(&error).is_none());
}

#[tokio::test]
async fn a_rejection_that_is_a_503_uses_up_the_attempts() {
    let server = Server::start("primary").await.unwrap();
    let breaker = CircuitBreakerLayer::new(patient().on_rejected(RejectWithHttp));
    let handle = breaker.handle();
    let stack =
        ServiceBuilder::new().layer(OpenAIRetryLayer::new(2)).layer(breaker).service(transport());
    let client = client(&server, stack);
    handle.force_open(None);
    assert!(matches!(ask(&client).await, Err(OpenAIError::ApiError(_))));
    assert_eq!((handle.snapshot().totals.rejected, server.asked().len()), (3, 0));
}

/// The preset holds for 30 s if the server names no time, and the retry layer waits for 100 ms.
#[tokio::test]
async fn a_retry_after_a_limit_that_names_no_time_is_rejected() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = inside(&server, 3, patient());
    server.answer([LIMITED], Answer::Good);
    let error = ask(&client).await.unwrap_err();
    let open = rejection(&error).expect("a rejection");
    assert_eq!(open.cause(), Cause::Throttled);
    assert!(open.retry_after().unwrap() >= Duration::from_secs(20), "{open}");
    let totals = handle.snapshot().totals;
    assert_eq!((totals.throttled, totals.rejected, server.asked().len()), (1, 1, 1));
}

/// The retry layer waits for exactly the time that the server names. Hold jitter makes the hold up to 10 % longer.
#[tokio::test]
async fn without_jitter_a_limit_that_names_its_time_is_retried() {
    let server = Server::start("primary").await.unwrap();
    let settings = Settings::llm().to_builder().hold_jitter(0.0).build().unwrap();
    let (client, handle) = inside(&server, 3, patient().settings(settings));
    server.answer([LIMITED_1S], Answer::Good);
    assert_eq!(ask(&client).await.unwrap(), "primary");
    let totals = until(&handle, |seen| seen.state == State::Closed).await.totals;
    assert_eq!((totals.throttled, totals.rejected, server.asked().len()), (1, 0, 2));
}

#[tokio::test]
async fn a_probe_closes_the_circuit() {
    let server = Server::start("primary").await.unwrap();
    let (client, handle) = inside(&server, 0, config(1, Duration::from_millis(50)));
    server.answer([OVERLOADED], Answer::Good);
    ask(&client).await.unwrap_err();
    assert!(matches!(handle.state(), State::Open | State::HalfOpen));
    until(&handle, |seen| seen.state == State::HalfOpen).await;
    assert_eq!(ask(&client).await.unwrap(), "primary");
    assert_eq!(until(&handle, |seen| seen.state == State::Closed).await.cause, Cause::Recovered);
}

#[tokio::test]
async fn a_failed_connect_is_a_failure_and_is_retried_only_if_unboxed() {
    for (unboxed, attempts) in [(true, 3), (false, 1)] {
        let server = Server::start("primary").await.unwrap();
        let breaker = CircuitBreakerLayer::new(patient());
        let handle = breaker.handle();
        let error = move |error: BoxError| match unboxed {
            true => openai_error(error),
            false => OpenAIError::Boxed(error),
        };
        let stack = ServiceBuilder::new()
            .layer(OpenAIRetryLayer::new(2))
            .map_err(error)
            .layer(breaker)
            .service(transport());
        let client = client(&server, stack);
        drop(server);
        let error = ask(&client).await.unwrap_err();
        assert_eq!(matches!(error, OpenAIError::Reqwest(_)), unboxed, "{error:?}");
        assert_eq!(handle.snapshot().totals.failure, attempts, "{unboxed}");
    }
}

#[tokio::test]
async fn a_timeout_inside_is_a_failure() {
    // The listener never accepts. The client connects, and nothing else happens.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", silent.local_addr().unwrap());
    let breaker = CircuitBreakerLayer::new(patient().classify_caused_by(outcome));
    let handle = breaker.handle();
    let stack = ServiceBuilder::new()
        .layer(OpenAIRetryLayer::new(2))
        .map_err(openai_error)
        .layer(breaker)
        .timeout(Duration::from_millis(50))
        .service(transport());
    match ask(&client_at(base, stack)).await.unwrap_err() {
        OpenAIError::Boxed(error) => assert!(error.is::<Elapsed>(), "{error:?}"),
        error => panic!("{error:?}"),
    }
    // The timeout is not retried, because the retry layer recognises only failed connects.
    assert_eq!(handle.snapshot().totals.failure, 1);
}

#[tokio::test]
async fn a_request_that_cannot_be_built_is_ignored() {
    let (stack, handle) = stack(3, patient());
    let error = ask(&client_at("no base".to_owned(), stack)).await.unwrap_err();
    assert!(matches!(&error, OpenAIError::Reqwest(error) if error.is_builder()), "{error:?}");
    let totals = handle.snapshot().totals;
    assert_eq!((totals.ignored, totals.failure), (1, 0));
}
