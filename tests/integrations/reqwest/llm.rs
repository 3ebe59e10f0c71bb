//! An LLM API behind reqwest: streams and error bodies.

use tower::{Layer, ServiceExt};
use tower_breaker::{
    CircuitBreakerLayer, Class, Config, Provider, classify::ToOutcome,
    integration::with_reqwest_middleware::CircuitBreakerMiddleware,
};

use super::client::*;
use crate::support::sockets::{Act, RawServer, write};

const EVENTS: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
const TOKEN: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"},\"finish_reason\":null}]}\n\n";

async fn case(answer: String, body: &str, class: Class) {
    let server = RawServer::start(vec![Act::Request, write(answer)]).await;
    let client = client();
    let request = || client.get(server.url()).build().unwrap();

    let layer = CircuitBreakerLayer::new(Config::llm(Provider::OpenAi));
    let handle = layer.handle();
    let response = layer.layer(client.clone()).oneshot(request()).await.unwrap();
    let classified = response.to_outcome().class();
    if classified != Class::Success {
        assert_eq!(classified, class, "the outcome that a fallback sees");
    }
    assert_eq!(response.text().await.unwrap(), body);
    counted(&handle, class);

    let breaker = CircuitBreakerMiddleware::new(Config::llm(Provider::OpenAi));
    let handle = breaker.handle();
    let client = reqwest_middleware::ClientBuilder::new(client.clone()).with(breaker).build();
    let response = client.execute(request()).await.unwrap();
    assert_eq!(response.url().as_str(), server.url());
    assert_eq!(response.text().await.unwrap(), body);
    counted(&handle, class);
}

#[track_caller]
fn counted(handle: &tower_breaker::BreakerHandle, class: Class) {
    let totals = handle.snapshot().totals;
    let seen = match class {
        Class::Success => totals.success,
        Class::Failure => totals.failure,
        Class::Exhausted => totals.exhausted,
        _ => 0,
    };
    assert_eq!((seen, totals.settled()), (1, 1), "{totals:?}");
}

#[tokio::test]
async fn a_stream_is_classified_by_its_content() {
    let done = format!("{TOKEN}data: [DONE]\n\n");
    case(format!("{EVENTS}{done}"), &done, Class::Success).await;
    case(format!("{EVENTS}{TOKEN}"), TOKEN, Class::Failure).await;
    let error = format!(
        "{TOKEN}data: {{\"error\":{{\"message\":\"overloaded\",\"type\":\"server_error\"}}}}\n\n"
    );
    case(format!("{EVENTS}{error}"), &error, Class::Failure).await;
}

#[tokio::test]
async fn the_body_of_an_error_is_read_and_passed_on() {
    let body = "{\"error\":{\"message\":\"no credit\",\"type\":\"insufficient_quota\",\"code\":\"insufficient_quota\"}}";
    let head = "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\n";
    let length = body.len();
    let answer = format!("{head}content-length: {length}\r\nconnection: close\r\n\r\n{body}");
    case(answer, body, Class::Exhausted).await;
}
