//! HTTP/2 with prior knowledge: connections that receive a GOAWAY frame.

use tower_breaker::Class;

use super::client::*;
use crate::support::sockets::{Act, RawServer, write};

/// The server's preface: empty SETTINGS (RFC 9113, section 3.4).
pub(crate) const PREFACE: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

const NO_ERROR: u8 = 0;
const INTERNAL_ERROR: u8 = 2;

/// `:status: 200` on the first stream, by its index in HPACK's static table (RFC 7541, appendix A). Flags: 0x1
/// END_STREAM, 0x4 END_HEADERS.
pub(crate) fn headers(flags: u8) -> [u8; 10] {
    [0, 0, 1, 1, flags, 0, 0, 0, 1, 0x88]
}

/// DATA on the first stream.
fn data(text: &[u8], flags: u8) -> Vec<u8> {
    let mut frame = vec![0, 0, text.len() as u8, 0, flags, 0, 0, 0, 1];
    frame.extend_from_slice(text);
    frame
}

fn go_away(last_stream: u8, code: u8) -> [u8; 17] {
    [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, last_stream, 0, 0, 0, code]
}

pub(crate) fn http2() -> reqwest::Client {
    builder().http2_prior_knowledge().build().unwrap()
}

#[tokio::test]
async fn a_stream_that_ends_is_a_success() {
    let acts =
        vec![write(PREFACE), Act::Headers, write(headers(4)), write(data(b"two", 1)), Act::Hang];
    let server = RawServer::start(acts).await;
    for (client, handle) in Guarded::both(http2, counting()) {
        let response = client.get(&server.url()).await.unwrap();
        assert_eq!(response.version(), http::Version::HTTP_2);
        assert_eq!(response.text().await.unwrap(), "two");
        ended_now(&handle, &[(Class::Success, 1)]);
    }
}

#[tokio::test]
async fn a_connection_that_goes_away_before_the_head_is_a_failure() {
    let acts = vec![write(PREFACE), Act::Headers, write(go_away(0, INTERNAL_ERROR))];
    let server = RawServer::start(acts).await;
    for (client, handle) in Guarded::both(http2, counting()) {
        client.get(&server.url()).await.unwrap_err();
        ended_now(&handle, &[(Class::Failure, 1)]);
    }
}

#[tokio::test]
async fn a_connection_that_goes_away_in_the_body_is_a_failure() {
    let acts = vec![
        write(PREFACE),
        Act::Headers,
        write(headers(4)),
        write(data(b"begun", 0)),
        Act::Wait,
        write(go_away(1, INTERNAL_ERROR)),
    ];
    let server = RawServer::start(acts).await;
    for (client, handle) in Guarded::both(http2, counting()) {
        let mut response = client.get(&server.url()).await.unwrap();
        assert_eq!(response.chunk().await.unwrap().unwrap(), "begun");
        pending(&handle);
        server.go_on();
        response.chunk().await.unwrap_err();
        ended_now(&handle, &[(Class::Failure, 1)]);
    }
}

/// The server reports that it did not handle the request, and reqwest repeats the request. That is one call.
#[tokio::test]
async fn a_request_that_reqwest_repeats_is_one_call() {
    let server = RawServer::start(vec![]).await;
    for (client, handle) in Guarded::both(http2, counting()) {
        server.acts(vec![write(PREFACE), Act::Headers, write(go_away(0, NO_ERROR))]);
        let before = server.connections();
        client.get(&server.url()).await.unwrap_err();
        assert!(server.connections() > before + 1, "{}", server.connections());
        ended_now(&handle, &[(Class::Failure, 1)]);
    }
}
