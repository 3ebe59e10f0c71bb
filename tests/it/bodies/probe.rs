//! Probes whose response is a long stream.

use tower_breaker::classify::SettleAt;
use tower_breaker::{Class, State};

use super::client::*;
use crate::support::sockets::{Act, RawServer, answer_and_hang, write};

const HEAD: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const CHUNK: &str = "5\r\nhello\r\n";

/// A stream of five chunks, each sent when the test calls `go_on`, followed by `end`.
fn stream(end: &str) -> Vec<Act> {
    let mut acts = vec![Act::Request, write(HEAD)];
    for _ in 0..5 {
        acts.extend([Act::Wait, write(CHUNK)]);
    }
    acts.extend([Act::Wait, write(end)]);
    acts
}

#[tokio::test]
async fn a_probe_closes_at_its_first_content_and_its_break_is_one_failure_of_the_new_epoch() {
    for (end, broken) in [("0\r\n\r\n", 0), ("", 1)] {
        let server = RawServer::start(stream(end)).await;
        let (client, handle) = guarded(http1(), probing(), SettleAt::End);
        half_open(&handle).await;
        let mut body = get(&client, server.address).await.unwrap().into_body();
        pending(&handle);
        assert_eq!(handle.state(), State::HalfOpen);
        for _ in 0..5 {
            server.go_on();
            assert_eq!(receive_exactly(&mut body, 5).await, b"hello");
            assert_eq!(handle.state(), State::Closed);
            ended_now(&handle, &[(Class::Success, 1)]);
        }
        server.go_on();
        assert_eq!(receive(body).await.broke, broken == 1);
        let snapshot = handle.snapshot();
        assert_eq!(snapshot.totals.broken_after, broken);
        assert_eq!(u64::from(snapshot.window.consecutive_failures), broken);
        assert_eq!((snapshot.totals.success, snapshot.totals.settled()), (1, 1));
        assert_eq!((snapshot.totals.admitted, snapshot.state), (Some(1), State::Closed));
    }
}

#[tokio::test]
async fn a_break_before_the_first_content_fails_the_probe() {
    let server = RawServer::start(vec![Act::Request, write(HEAD)]).await;
    let (client, handle) = guarded(http1(), probing(), SettleAt::End);
    half_open(&handle).await;
    let epoch = handle.snapshot().epoch;
    let answer = get(&client, server.address).await.unwrap();
    assert_eq!(receive(answer.into_body()).await, Received::broken(""));
    ended_now(&handle, &[(Class::Failure, 1)]);
    // One epoch for half-open, and one for the open period that follows.
    assert_eq!(handle.snapshot().epoch, epoch + 2);
}

#[tokio::test]
async fn a_probe_that_is_dropped_before_content_frees_its_slot() {
    let server = RawServer::start(answer_and_hang(HEAD)).await;
    let (client, handle) = guarded(http1(), probing(), SettleAt::End);
    half_open(&handle).await;
    let body = get(&client, server.address).await.unwrap().into_body();
    assert!(get(&client, server.address).await.is_err(), "one probe at a time");
    drop(body);
    assert_eq!((handle.state(), handle.snapshot().totals.cancelled), (State::HalfOpen, 1));
    assert!(get(&client, server.address).await.is_ok(), "its slot is free");
}

#[tokio::test]
async fn a_probe_without_a_body_closes_at_its_head() {
    let server = RawServer::start(answer_and_hang("HTTP/1.1 204 No Content\r\n\r\n")).await;
    let (client, handle) = guarded(http1(), probing(), SettleAt::End);
    half_open(&handle).await;
    let _answer = get(&client, server.address).await.unwrap();
    assert_eq!(handle.state(), State::Closed);
    ended_now(&handle, &[(Class::Success, 1)]);
}

#[tokio::test]
async fn a_break_after_its_epoch_is_not_counted() {
    let server = RawServer::start(stream("")).await;
    let (client, handle) = guarded(http1(), probing(), SettleAt::End);
    half_open(&handle).await;
    let mut body = get(&client, server.address).await.unwrap().into_body();
    for _ in 0..5 {
        server.go_on();
        assert_eq!(receive_exactly(&mut body, 5).await, b"hello");
    }
    handle.reset();
    server.go_on();
    assert!(receive(body).await.broke);
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.totals.settled(), snapshot.window.consecutive_failures), (1, 0));
}
