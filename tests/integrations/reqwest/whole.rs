//! Good calls are counted, and the caller receives the complete response.

use bytes::Bytes;
use futures_util::StreamExt;
use reqwest::{Method, redirect};
use tower_breaker::Class;

use super::client::*;
use crate::support::sockets::{Act, RawServer, answer, write};

#[tokio::test]
async fn a_response_is_the_same_as_without_a_breaker() {
    let head = "HTTP/1.1 200 Fine\r\ncontent-length: 6\r\nx: y\r\nconnection: close\r\n\r\n";
    let server = RawServer::start(vec![Act::Request, write(format!("{head}[1, 2]"))]).await;
    let url = format!("{}path?q=1", server.url());
    for (client, handle) in Guarded::both(client, counting()) {
        let response = client.get(&url).await.unwrap();
        assert_eq!(response.url().as_str(), url);
        assert_eq!(response.version(), http::Version::HTTP_11);
        assert_eq!(response.headers()["x"], "y");
        assert_eq!(response.remote_addr(), Some(server.address));
        assert_eq!(response.content_length(), Some(6));
        let reason = response.extensions().get::<hyper::ext::ReasonPhrase>().unwrap();
        assert_eq!(reason.as_bytes(), b"Fine");
        assert_eq!(response.json::<Vec<u32>>().await.unwrap(), [1, 2]);
        ended_now(&handle, &[(Class::Success, 1)]);
    }
}

#[tokio::test]
async fn a_stream_of_bytes_settles_at_its_end() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let acts = vec![
        Act::Request,
        write(format!("{chunked}3\r\none\r\n")),
        Act::Wait,
        write("3\r\ntwo\r\n0\r\n\r\n"),
        Act::Hang,
    ];
    let server = RawServer::start(acts).await;
    for (client, handle) in Guarded::both(client, counting()) {
        let mut stream = client.get(&server.url()).await.unwrap().bytes_stream();
        assert_eq!(stream.next().await.unwrap().unwrap(), "one");
        pending(&handle);
        server.go_on();
        assert_eq!(stream.next().await.unwrap().unwrap(), "two");
        assert!(stream.next().await.is_none());
        ended_now(&handle, &[(Class::Success, 1)]);
    }
}

#[tokio::test]
async fn an_error_status_is_classified_at_its_head_and_error_for_status_works() {
    for (status, class) in [
        ("500 Internal Server Error", Class::Failure),
        ("503 Service Unavailable", Class::Failure),
        ("404 Not Found", Class::Success),
        ("501 Not Implemented", Class::Success),
    ] {
        let server = RawServer::start(answer(status, "page")).await;
        for (client, handle) in Guarded::both(client, counting()) {
            let response = client.get(&server.url()).await.unwrap();
            ended_now(&handle, &[(class, 1)]);
            let error = response.error_for_status_ref().unwrap_err();
            assert_eq!(error.url().unwrap().as_str(), server.url());
            assert_eq!(response.text().await.unwrap(), "page");
            ended_now(&handle, &[(class, 1)]);
        }
    }
}

#[tokio::test]
async fn a_redirect_is_a_part_of_the_call() {
    let target = RawServer::start(answer("200 OK", "there")).await;
    let there = format!("location: {}there\r\n", target.url());
    let found = format!("HTTP/1.1 302 Found\r\n{there}content-length: 0\r\nconnection: close\r\n");
    let server = RawServer::start(vec![Act::Request, write(format!("{found}\r\n"))]).await;
    for (client, handle) in Guarded::both(client, counting()) {
        let response = client.get(&server.url()).await.unwrap();
        assert_eq!(response.url().as_str(), format!("{}there", target.url()));
        assert_eq!(response.text().await.unwrap(), "there");
        ended_now(&handle, &[(Class::Success, 1)]);
    }
    let still = builder().redirect(redirect::Policy::none()).build().unwrap();
    for (client, handle) in Guarded::both(|| still.clone(), counting()) {
        assert_eq!(client.get(&server.url()).await.unwrap().status(), 302);
        ended_now(&handle, &[(Class::Success, 1)]);
    }
    let turns = builder().redirect(redirect::Policy::limited(0)).build().unwrap();
    for (client, handle) in Guarded::both(|| turns.clone(), counting()) {
        let error = client.get(&server.url()).await.unwrap_err();
        assert!(of_client(&error).is_redirect(), "{error:?}");
        ended_now(&handle, &[(Class::Failure, 1)]);
    }
    target.acts(vec![Act::Request, Act::Reset]);
    for (client, handle) in Guarded::both(client, counting()) {
        client.get(&server.url()).await.unwrap_err();
        ended_now(&handle, &[(Class::Failure, 1)]);
    }
}

#[tokio::test]
async fn an_encoded_body_passes_unchanged() {
    let head = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n";
    let answer = format!("{head}connection: close\r\n\r\n\x1f\x0b\x08");
    let server = RawServer::start(vec![Act::Request, write(answer)]).await;
    for (client, handle) in Guarded::both(client, counting()) {
        let body = client.get(&server.url()).await.unwrap().bytes().await.unwrap();
        assert_eq!(body, Bytes::from_static(b"\x1f\x0b\x08"));
        ended_now(&handle, &[(Class::Success, 1)]);
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_built_is_ignored() {
    for (client, handle) in Guarded::both(client, counting()) {
        let error = client.send(Method::GET, "ftp://127.0.0.1/").await.unwrap_err();
        assert!(of_client(&error).is_builder(), "{error:?}");
        ended_now(&handle, &[(Class::Ignored, 1)]);
    }
}
