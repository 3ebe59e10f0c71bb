//! Responses without a body end with their head, whatever their headers contain.

use http::Method;
use tower::{Layer, ServiceExt, service_fn};
use tower_breaker::{CircuitBreakerLayer, Class};

use super::client::*;
use super::http2::{PREFACE, headers, http2};
use crate::support::sockets::{Act, RawServer, write};

#[tokio::test]
async fn the_response_to_head_ends_with_its_head() {
    for head in ["content-length: 5\r\n", "transfer-encoding: chunked\r\n"] {
        let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\n");
        let server = RawServer::start(vec![Act::Request, write(answer), Act::Hang]).await;
        for (client, handle) in Guarded::both(client, counting()) {
            let response = client.send(Method::HEAD, &server.url()).await.unwrap();
            ended_now(&handle, &[(Class::Success, 1)]);
            assert_eq!(response.bytes().await.unwrap(), "");
            ended_now(&handle, &[(Class::Success, 1)]);
        }
    }
}

#[tokio::test]
async fn responses_204_and_304_end_with_their_head() {
    for status in ["204 No Content", "304 Not Modified"] {
        let answer = format!("HTTP/1.1 {status}\r\n\r\n");
        let server = RawServer::start(vec![Act::Request, write(answer), Act::Hang]).await;
        for (client, handle) in Guarded::both(client, counting()) {
            drop(client.get(&server.url()).await.unwrap());
            ended_now(&handle, &[(Class::Success, 1)]);
        }
    }
}

#[tokio::test]
async fn the_response_to_head_over_http2_ends_before_its_stream() {
    // The head has no END_STREAM, so that an empty DATA frame would have to end the stream.
    let acts = vec![write(PREFACE), Act::Headers, write(headers(0x4)), Act::Hang];
    let server = RawServer::start(acts).await;
    for (client, handle) in Guarded::both(http2, counting()) {
        drop(client.send(Method::HEAD, &server.url()).await.unwrap());
        ended_now(&handle, &[(Class::Success, 1)]);
    }
}

/// The service takes a custom request type, as in other crates.
#[tokio::test]
async fn the_response_to_head_over_http1_ends_whatever_the_request_type() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
    let server = RawServer::start(vec![Act::Request, write(answer), Act::Hang]).await;
    let (client, layer) = (client(), CircuitBreakerLayer::new(config(counting())));
    let handle = layer.handle();
    let service = layer.layer(service_fn(move |url: String| client.head(url).send()));
    drop(service.oneshot(server.url()).await.unwrap());
    ended_now(&handle, &[(Class::Success, 1)]);
}
