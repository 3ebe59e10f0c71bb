//! Streams whose errors come after a good head.

use std::time::Duration;

use async_openai::error::OpenAIError;
use async_openai::middleware::retry::OpenAIRetryLayer;
use async_openai::types::chat::ChatCompletionResponseStream;
use futures_util::StreamExt;
use tower::ServiceBuilder;
use tower_breaker::llm::Llm;
use tower_breaker::{BreakerHandle, CircuitBreakerLayer, Config, State};

use super::client::{OpenAi, ask, client, config, patient, stream, transport};
use super::recipe::{openai_error, outcome};
use super::server::{Answer, DIES, ERROR_EVENT, HELD, NO_DONE, OVERLOADED, Piece, Server};
use crate::support::until::until;

/// A head, and nothing else until the test releases the stream.
const SILENT: Answer = Answer::Stream(&[Piece::Held, Piece::Says("data: [DONE]\n\n")]);

fn stacks(server: &Server, config: fn() -> Config<Llm>) -> [(OpenAi, BreakerHandle); 2] {
    let breakers = [(); 2].map(|()| CircuitBreakerLayer::new(config().classify_caused_by(outcome)));
    let handles = breakers.each_ref().map(CircuitBreakerLayer::handle);
    let [inner, outer] = breakers;
    let inside = ServiceBuilder::new()
        .layer(OpenAIRetryLayer::new(0))
        .map_err(openai_error)
        .layer(inner)
        .service(transport());
    let outside = ServiceBuilder::new()
        .map_err(openai_error)
        .layer(outer)
        .layer(OpenAIRetryLayer::new(0))
        .service(transport());
    let [inner, outer] = handles;
    [(client(server, inside), inner), (client(server, outside), outer)]
}

/// Returns the tokens and the errors.
async fn read(mut stream: ChatCompletionResponseStream) -> (String, Vec<OpenAIError>) {
    let (mut text, mut errors) = (String::new(), Vec::new());
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(chunk) => {
                let tokens = chunk.choices.into_iter().filter_map(|choice| choice.delta.content);
                text.extend(tokens);
            }
            Err(error) => errors.push(error),
        }
    }
    (text, errors)
}

#[tokio::test]
async fn a_stream_that_ends_well_is_a_success() {
    let server = Server::start("primary").await.unwrap();
    for (client, handle) in stacks(&server, patient) {
        let (text, errors) = read(stream(&client).await.unwrap()).await;
        assert_eq!((text.as_str(), errors.len()), ("Hello", 0));
        until(&handle, |seen| seen.totals.success == 1).await;
    }
}

#[tokio::test]
async fn a_stream_that_breaks_is_a_failure_with_its_reason_inside_and_outside_the_retry_layer() {
    let server = Server::start("primary").await.unwrap();
    // Without `[DONE]`, async-openai ends the stream as if it were complete.
    let cases = [
        (ERROR_EVENT, "server_is_overloaded", 1),
        (NO_DONE, "stream ended early", 0),
        (DIES, "body broke", 1),
    ];
    for (answer, reason, errors_seen) in cases {
        for (client, handle) in stacks(&server, patient) {
            server.answer([], answer);
            let (text, errors) = read(stream(&client).await.unwrap()).await;
            assert_eq!((text.as_str(), errors.len()), ("Hel", errors_seen), "{errors:?}");
            let seen = until(&handle, |seen| seen.totals.failure == 1).await;
            assert!(seen.last_error.unwrap().to_string().contains(reason), "{reason}");
            assert_eq!(seen.totals.success, 0);
        }
    }
}

#[tokio::test]
async fn a_probe_closes_the_circuit_at_its_first_token() {
    let server = Server::start("primary").await.unwrap();
    for (client, handle) in stacks(&server, || config(1, Duration::from_millis(50))) {
        server.answer([OVERLOADED], HELD);
        ask(&client).await.unwrap_err();
        until(&handle, |seen| seen.state == State::HalfOpen).await;
        let mut probe = stream(&client).await.unwrap();
        probe.next().await.unwrap().unwrap(); // the role
        until(&handle, |seen| seen.state == State::Closed && seen.totals.success == 1).await;
        server.resume();
        let (rest, errors) = read(probe).await;
        assert!(rest.ends_with("lo") && errors.is_empty(), "{rest} {errors:?}");
    }
}

#[tokio::test]
async fn a_stream_that_is_dropped_is_cancelled_before_its_first_token_and_a_success_after_it() {
    let server = Server::start("primary").await.unwrap();
    for (client, handle) in stacks(&server, patient) {
        server.answer([], SILENT);
        drop(stream(&client).await.unwrap());
        until(&handle, |seen| seen.totals.cancelled == 1).await;

        server.answer([], HELD);
        let mut reader = stream(&client).await.unwrap();
        reader.next().await.unwrap().unwrap(); // the role
        reader.next().await.unwrap().unwrap(); // a token
        drop(reader);
        let totals = until(&handle, |seen| seen.totals.success == 1).await.totals;
        assert_eq!((totals.cancelled, totals.failure), (1, 0));
    }
}
