//! A second provider as the fallback of the first.

use std::time::Duration;

use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use async_openai::middleware::retry::OpenAIRetryLayer;
use futures_util::StreamExt;
use reqwest::Url;
use reqwest::header::HeaderValue;
use tower::ServiceBuilder;
use tower_breaker::llm::Llm;
use tower_breaker::{BreakerHandle, CircuitBreakerLayer, Config, FallbackLayer, Provider};

use super::client::{LIMITED, MISTAKE, OpenAi, ask, client, config, stream, transport};
use super::recipe::{Target, good, openai_error, outcome};
use super::server::{Answer, Asked, OVERLOADED, Piece, QUOTA, Server};

const LONG: Duration = Duration::from_secs(60);

/// The recipe: two providers, each with its own breaker.
fn two_providers(primary: &Server, second: &Server) -> (OpenAi, BreakerHandle, BreakerHandle) {
    two(primary, second, || config(1, LONG))
}

fn two(
    primary: &Server,
    second: &Server,
    config: fn() -> Config<Llm>,
) -> (OpenAi, BreakerHandle, BreakerHandle) {
    let settings = || config().classify_caused_by(outcome);
    let breakers = [settings(), settings()].map(CircuitBreakerLayer::new);
    let [first, backup] = breakers.each_ref().map(CircuitBreakerLayer::handle);
    let [primary_breaker, backup_breaker] = breakers;
    let from = Url::parse(&primary.base()).unwrap();
    let to = Target {
        base: Url::parse(&second.base()).unwrap(),
        authorization: HeaderValue::from_static("Bearer second-key"),
        model: "second-model".to_owned(),
    };
    let second = ServiceBuilder::new()
        .map_result(good)
        .map_request(move |request: HttpRequestFactory| to.clone().redirect(from.clone(), request))
        .layer(backup_breaker)
        .service(transport());
    let stack = ServiceBuilder::new()
        .layer(FallbackLayer::service(second))
        .layer(OpenAIRetryLayer::new(1))
        .map_err(openai_error)
        .layer(primary_breaker)
        .service(transport());
    (client(primary, stack), first, backup)
}

#[tokio::test]
async fn the_second_provider_answers_with_its_own_key_and_model() {
    for bad in [OVERLOADED, QUOTA, LIMITED] {
        let (primary, second) =
            (Server::start("primary").await.unwrap(), Server::start("second").await.unwrap());
        let (client, ..) = two_providers(&primary, &second);
        assert_eq!(ask(&client).await.unwrap(), "primary");
        assert_eq!(second.asked(), []);
        let own = Asked {
            path: "/v1/chat/completions".to_owned(),
            key: "Bearer primary-key".to_owned(),
            model: "model".to_owned(),
        };
        assert_eq!(primary.asked(), [own]);

        primary.answer([], bad);
        assert_eq!(ask(&client).await.unwrap(), "second");
        let asked = Asked {
            path: "/v1/chat/completions".to_owned(),
            key: "Bearer second-key".to_owned(),
            model: "second-model".to_owned(),
        };
        assert_eq!(second.asked(), [asked]);
        assert_eq!(primary.asked().len(), 1);

        // The circuit is open, so that only the second provider is called.
        assert_eq!(ask(&client).await.unwrap(), "second");
        assert_eq!((primary.asked().len(), second.asked().len()), (0, 1));
    }
}

#[tokio::test]
async fn a_stream_falls_back_before_it_begins() {
    let (primary, second) =
        (Server::start("primary").await.unwrap(), Server::start("second").await.unwrap());
    let (client, ..) = two_providers(&primary, &second);
    primary.answer([], OVERLOADED);
    let chunks: Vec<_> = stream(&client).await.unwrap().collect().await;
    assert!(chunks.len() == 4 && chunks.iter().all(Result::is_ok), "{chunks:?}");
    assert_eq!(second.asked().len(), 1);
}

#[tokio::test]
async fn a_client_error_does_not_fall_back() {
    let (primary, second) =
        (Server::start("primary").await.unwrap(), Server::start("second").await.unwrap());
    let (client, ..) = two_providers(&primary, &second);
    primary.answer([], MISTAKE);
    ask(&client).await.unwrap_err();
    assert_eq!(second.asked(), []);
}

#[tokio::test]
async fn if_both_are_down_each_breaker_counts_its_own_provider() {
    let (primary, second) =
        (Server::start("primary").await.unwrap(), Server::start("second").await.unwrap());
    let (client, first, backup) = two_providers(&primary, &second);
    primary.answer([], QUOTA);
    second.answer([], Answer::Plain { status: 500, headers: &[], body: "" });
    // The error is the primary's.
    match ask(&client).await.unwrap_err() {
        OpenAIError::ApiError(error) => assert_eq!(error.status_code, 429),
        error => panic!("{error:?}"),
    }
    let (first, backup) = (first.snapshot().totals, backup.snapshot().totals);
    assert_eq!((first.exhausted, first.failure), (1, 0));
    assert_eq!((backup.exhausted, backup.failure), (0, 1));
}

#[tokio::test]
async fn a_stream_that_is_held_falls_back_before_its_first_token() {
    const NOT_A_TOKEN: Answer = Answer::Stream(&[Piece::Says(
        "data: {\"error\":{\"message\":\"busy\",\"type\":\"server_error\",\"code\":null}}\n\n",
    )]);
    let held: fn() -> Config<Llm> =
        || config(1, LONG).classify(Llm::new(Provider::OpenAi).buffer_until_content(LONG));
    let not_held: fn() -> Config<Llm> = || config(1, LONG);
    for (config, chunks) in [(held, 4), (not_held, 1)] {
        let (primary, second) =
            (Server::start("primary").await.unwrap(), Server::start("second").await.unwrap());
        let (client, first, _) = two(&primary, &second, config);
        primary.answer([], NOT_A_TOKEN);
        let read: Vec<_> = stream(&client).await.unwrap().collect().await;
        assert_eq!(read.len(), chunks, "{read:?}");
        assert_eq!(read.iter().all(Result::is_ok), chunks == 4, "{read:?}");
        assert_eq!(first.snapshot().totals.failure, 1);
    }
}
