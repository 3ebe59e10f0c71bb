//! Every kind of fault, with a client guarded in both ways.

use std::time::Duration;

use tower_breaker::Class;

use super::client::*;
use crate::support::sockets::{Act, RawServer, answer, write};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

/// Returns the reason of the last failure, as breakers log it.
fn why(handle: &tower_breaker::BreakerHandle) -> &'static str {
    handle.snapshot().last_error.and_then(|error| error.reason).unwrap_or("")
}

#[tokio::test]
async fn a_connection_that_is_refused_is_a_failure() {
    let (_port, nowhere) = RawServer::nowhere();
    for (client, handle) in Guarded::both(client, counting()) {
        let error = client.get(&format!("http://{nowhere}/")).await.unwrap_err();
        assert!(of_client(&error).is_connect(), "{error:?}");
        ended_now(&handle, &[(Class::Failure, 1)]);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_head_is_a_failure() {
    for acts in [
        vec![Act::Request, Act::Reset],
        vec![Act::Request, write("HTTP/1.1 200 OK\r\ncontent-le"), Act::Reset],
        vec![Act::Request],
        vec![Act::Request, write("HTTP/1.1 200 OK\r\ncontent-le")],
        vec![Act::Request, write("SSH-2.0-OpenSSH_9.2\r\n"), Act::Hang],
    ] {
        let server = RawServer::start(acts.clone()).await;
        for (client, handle) in Guarded::both(client, counting()) {
            let error = client.get(&server.url()).await.unwrap_err();
            assert!(of_client(&error).is_request(), "{acts:?}: {error:?}");
            ended_now(&handle, &[(Class::Failure, 1)]);
        }
    }
}

#[tokio::test]
async fn a_body_that_breaks_is_a_failure_and_the_caller_sees_its_beginning() {
    let length = "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello";
    let chunk = format!("{CHUNKED}5\r\nhello\r\n");
    for head in [length, &chunk] {
        for end in [vec![], vec![Act::Reset]] {
            let acts = [vec![Act::Request, write(head), Act::Wait], end].concat();
            let server = RawServer::start(acts).await;
            for (client, handle) in Guarded::both(client, counting()) {
                let mut response = client.get(&server.url()).await.unwrap();
                assert_eq!(response.chunk().await.unwrap().unwrap(), "hello");
                pending(&handle);
                server.go_on();
                let error = response.chunk().await.unwrap_err();
                assert!(error.is_body() || error.is_decode(), "{error:?}");
                ended_now(&handle, &[(Class::Failure, 1)]);
                assert_eq!(why(&handle), "body broke");
            }
        }
    }
}

#[tokio::test]
async fn reading_a_broken_body_fails_as_without_a_breaker() {
    let server =
        RawServer::start(vec![Act::Request, write(format!("{CHUNKED}5\r\nhello\r\n"))]).await;
    let bare = client().get(server.url()).send().await.unwrap().bytes().await.unwrap_err();
    for (client, handle) in Guarded::both(client, counting()) {
        let error = client.get(&server.url()).await.unwrap().bytes().await.unwrap_err();
        assert_eq!(error.is_decode(), bare.is_decode());
        assert_eq!(error.is_timeout(), bare.is_timeout());
        assert_eq!(error.url(), bare.url());
        ended_now(&handle, &[(Class::Failure, 1)]);
    }
}

#[tokio::test]
async fn a_timeout_of_the_client_is_a_failure_before_the_head_and_in_the_body() {
    let client = builder().timeout(Duration::from_millis(100)).build().unwrap();
    let server = RawServer::start(vec![Act::Request, Act::Hang]).await;
    for (client, handle) in Guarded::both(|| client.clone(), counting()) {
        let error = client.get(&server.url()).await.unwrap_err();
        assert!(of_client(&error).is_timeout(), "{error:?}");
        ended_now(&handle, &[(Class::Failure, 1)]);
    }
    let hangs = format!("{CHUNKED}5\r\nhello\r\n");
    server.acts(vec![Act::Request, write(hangs), Act::Hang]);
    for (client, handle) in Guarded::both(|| client.clone(), counting()) {
        let error = client.get(&server.url()).await.unwrap().text().await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        ended_now(&handle, &[(Class::Failure, 1)]);
    }
}

#[tokio::test]
async fn a_slow_drip_is_one_call_until_its_last_byte() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n";
    let drip = ["s", "l", "o", "w"].map(|byte| [Act::Wait, write(byte)]).concat();
    let server = RawServer::start([vec![Act::Request, write(head)], drip].concat()).await;
    for (client, handle) in Guarded::both(client, counting()) {
        let mut response = client.get(&server.url()).await.unwrap();
        assert_eq!(response.content_length(), Some(4));
        for byte in ["s", "l", "o", "w"] {
            pending(&handle);
            server.go_on();
            assert_eq!(response.chunk().await.unwrap().unwrap(), byte);
        }
        ended_now(&handle, &[(Class::Success, 1)]);
    }
}

#[tokio::test]
async fn a_drip_that_stops_is_a_failure_by_the_read_timeout_of_the_client() {
    let client = builder().read_timeout(Duration::from_millis(100)).build().unwrap();
    let drip = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ns";
    let server = RawServer::start(vec![Act::Request, write(drip), Act::Hang]).await;
    for (client, handle) in Guarded::both(|| client.clone(), counting()) {
        let mut response = client.get(&server.url()).await.unwrap();
        assert_eq!(response.chunk().await.unwrap().unwrap(), "s");
        assert!(response.chunk().await.unwrap_err().is_timeout());
        ended_now(&handle, &[(Class::Failure, 1)]);
    }
}

#[tokio::test]
async fn a_tls_handshake_with_a_plain_socket_is_a_failure() {
    let server = RawServer::start(answer("200 OK", "plain")).await;
    for (client, handle) in Guarded::both(client, counting()) {
        // The server waits for the end of a head, which a handshake does not contain.
        server.acts(vec![write("HTTP/1.1 400 Bad Request\r\n\r\n"), Act::Hang]);
        let url = format!("https://{}/", server.address);
        let error = client.get(&url).await.unwrap_err();
        assert!(of_client(&error).is_connect(), "{error:?}");
        ended_now(&handle, &[(Class::Failure, 1)]);
    }
}
