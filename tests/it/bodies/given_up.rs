//! Callers that do not read to the end.

use std::time::Duration;

use tower_breaker::Class;
use tower_breaker::classify::SettleAt;

use super::client::*;
use crate::support::sockets::{RawServer, answer_and_hang};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n";
const BEGUN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello";

#[tokio::test]
async fn a_body_dropped_before_the_first_content_is_cancelled() {
    let server = RawServer::start(answer_and_hang(HEAD)).await;
    let (client, handle) = counted(http1());
    let body = get(&client, server.address).await.unwrap().into_body();
    pending(&handle);
    let waited = tokio::time::timeout(Duration::from_millis(5), receive(body)).await;
    assert!(waited.is_err(), "the server hangs");
    ended_now(&handle, &[(Class::Cancelled, 1)]);
}

#[tokio::test]
async fn a_body_dropped_late_before_the_first_content_is_a_failure() {
    let limit = Duration::from_millis(20);
    let server = RawServer::start(answer_and_hang(HEAD)).await;
    let (client, handle) = guarded(http1(), counting().cancelled_after(limit), SettleAt::End);
    let body = get(&client, server.address).await.unwrap().into_body();
    let waited = tokio::time::timeout(limit, receive(body)).await;
    assert!(waited.is_err(), "the server hangs");
    ended_now(&handle, &[(Class::Failure, 1)]);
}

#[tokio::test]
async fn a_body_that_is_never_polled_is_cancelled_when_it_is_dropped() {
    for at in [SettleAt::End, SettleAt::FirstContent] {
        let server = RawServer::start(answer_and_hang(BEGUN)).await;
        let (client, handle) = guarded(http1(), counting(), at);
        let body = get(&client, server.address).await.unwrap().into_body();
        drop(body);
        ended_now(&handle, &[(Class::Cancelled, 1)]);
    }
}

#[tokio::test]
async fn a_body_dropped_after_content_is_a_success_however_late() {
    let limit = Duration::from_millis(20);
    let server = RawServer::start(answer_and_hang(BEGUN)).await;
    let (client, handle) = guarded(http1(), counting().cancelled_after(limit), SettleAt::End);
    let mut body = get(&client, server.address).await.unwrap().into_body();
    assert_eq!(receive_exactly(&mut body, 5).await, b"hello");
    let waited = tokio::time::timeout(limit, receive(body)).await;
    assert!(waited.is_err(), "the server hangs");
    ended_now(&handle, &[(Class::Success, 1)]);
}

#[tokio::test]
async fn a_call_dropped_before_its_head_is_cancelled() {
    let server = RawServer::start(answer_and_hang("")).await;
    let (client, handle) = counted(http1());
    let call = get(&client, server.address);
    assert!(tokio::time::timeout(Duration::from_millis(5), call).await.is_err());
    ended_now(&handle, &[(Class::Cancelled, 1)]);
}
