//! Responses without a body are over with their head, whatever their headers say.

use http::Method;
use tower::{Layer, ServiceExt, service_fn};
use tower_breaker::{CircuitBreakerLayer, Class};

use super::client::*;
use super::http2::{PREFACE, headers, http2};
use crate::support::sockets::{Act, RawServer, write};

#[tokio::test]
async fn a_head_is_over_with_its_head() {
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
async fn so_are_204_and_304() {
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
async fn a_head_of_http2_is_over_though_its_stream_is_not() {
    // No END_STREAM: what comes is a frame of data without any.
    let acts = vec![write(PREFACE), Act::Headers, write(headers(0x4)), Act::Hang];
    let server = RawServer::start(acts).await;
    for (client, handle) in Guarded::both(http2, counting()) {
        drop(client.send(Method::HEAD, &server.url()).await.unwrap());
        ended_now(&handle, &[(Class::Success, 1)]);
    }
}

/// For a request of a type of its own, as other crates have it.
#[tokio::test]
async fn a_head_of_http1_is_over_whatever_the_type_of_the_request() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
    let server = RawServer::start(vec![Act::Request, write(answer), Act::Hang]).await;
    let (client, layer) = (client(), CircuitBreakerLayer::new(config(counting())));
    let handle = layer.handle();
    let service = layer.layer(service_fn(move |url: String| client.head(url).send()));
    drop(service.oneshot(server.url()).await.unwrap());
    ended_now(&handle, &[(Class::Success, 1)]);
}
