//! Streams of replies through a guarded client. Their status is in the trailers.

use std::time::Duration;

use tonic::{Code, Status, Streaming};
use tower_breaker::{BreakerHandle, Class, State};

use super::client::{Client, counted, ended, guarded, open_for, settings, until};
use super::generated::orders::{End, Order, Reply};
use super::relay::Relay;
use super::server::{Serving, serve};

async fn watch(client: &mut Client, order: Order) -> Streaming<Reply> {
    client.watch(order).await.expect("a head").into_inner()
}

/// Reads the first `count` replies, which are numbered.
async fn read(replies: &mut Streaming<Reply>, count: u32) {
    for number in 0..count {
        assert_eq!(replies.message().await.unwrap(), Some(Reply { number }));
    }
}

/// Reads `after` replies and returns the end of the stream.
async fn end(mut replies: Streaming<Reply>, after: u32) -> Result<(), Status> {
    read(&mut replies, after).await;
    replies.message().await.map(|reply| assert_eq!(reply, None))
}

/// An open stream: 3 replies were read, and the call is not settled.
async fn open(server: &Serving, order: Order) -> (Client, BreakerHandle, Streaming<Reply>) {
    let (mut client, handle) = counted(server.address);
    let mut replies = watch(&mut client, order.after(3).held()).await;
    read(&mut replies, 3).await;
    assert_eq!(handle.snapshot().totals.settled(), 0);
    (client, handle, replies)
}

#[tokio::test]
async fn a_stream_is_one_success_at_its_end() {
    let server = serve().await;
    let (_client, handle, replies) = open(&server, Order::ok()).await;
    server.handler.let_end();
    end(replies, 0).await.unwrap();
    ended(&handle, &[(Class::Success, 1)]).await;
}

#[tokio::test]
async fn a_stream_without_replies_is_a_success() {
    let server = serve().await;
    let (mut client, handle) = counted(server.address);
    end(watch(&mut client, Order::ok()).await, 0).await.unwrap();
    ended(&handle, &[(Class::Success, 1)]).await;
}

#[tokio::test]
async fn the_status_in_the_trailers_decides() {
    let server = serve().await;
    for (code, class) in [
        (Code::Unavailable, Class::Failure),
        (Code::Internal, Class::Failure),
        (Code::Cancelled, Class::Ignored),
        (Code::ResourceExhausted, Class::Throttled),
        (Code::NotFound, Class::Success),
    ] {
        for replies in [0, 1, 3] {
            let (mut client, handle) = counted(server.address);
            let stream = watch(&mut client, Order::status(code).after(replies)).await;
            assert_eq!(end(stream, replies).await.unwrap_err().code(), code);
            ended(&handle, &[(class, 1)]).await;
        }
    }
}

#[tokio::test]
async fn a_failure_in_the_trailers_names_its_code() {
    let server = serve().await;
    let (mut client, handle) = counted(server.address);
    let stream = watch(&mut client, Order::status(Code::Unavailable).after(1)).await;
    end(stream, 1).await.unwrap_err();
    ended(&handle, &[(Class::Failure, 1)]).await;
    assert_eq!(handle.snapshot().last_error.unwrap().to_string(), "UNAVAILABLE (14)");
}

#[tokio::test]
async fn a_throttle_in_the_trailers_holds_for_the_time_that_it_names() {
    let server = serve().await;
    let limited = Order::status(Code::ResourceExhausted).after(2);
    for (order, least) in [(limited.with_pushback(5_000), 5), (limited.with_retry_delay(7_000), 7)]
    {
        let (mut client, handle) = counted(server.address);
        end(watch(&mut client, order).await, 2).await.unwrap_err();
        let snapshot = until(&handle, |snapshot| snapshot.state == State::Open).await;
        let (least, most) = (Duration::from_secs(least), Duration::from_millis(least * 1_101));
        assert!((least..most).contains(&open_for(&snapshot)), "{order:?}: {snapshot:?}");
    }
}

#[tokio::test]
async fn a_stream_that_is_reset_is_one_failure() {
    let server = serve().await;
    let (_client, handle, replies) = open(&server, Order::broken(End::Reset)).await;
    server.handler.let_end();
    end(replies, 0).await.unwrap_err();
    ended(&handle, &[(Class::Failure, 1)]).await;
}

#[tokio::test]
async fn a_stream_whose_handler_panics_is_one_failure() {
    let server = serve().await;
    let (_client, handle, replies) = open(&server, Order::broken(End::Panic)).await;
    server.handler.let_end();
    end(replies, 0).await.unwrap_err();
    ended(&handle, &[(Class::Failure, 1)]).await;
}

#[tokio::test]
async fn a_connection_that_is_lost_is_one_failure_of_each_stream() {
    let server = serve().await;
    let relay = Relay::to(server.address).await;
    let (mut client, handle) = counted(relay.address);
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut replies = watch(&mut client, Order::ok().after(1).held()).await;
        read(&mut replies, 1).await;
        streams.push(replies);
    }
    relay.cut();
    for replies in streams {
        end(replies, 0).await.unwrap_err();
    }
    ended(&handle, &[(Class::Failure, 3)]).await;
}

#[tokio::test]
async fn a_stream_that_is_dropped_after_a_reply_is_a_success() {
    let server = serve().await;
    let (_client, handle, replies) = open(&server, Order::ok()).await;
    drop(replies);
    ended(&handle, &[(Class::Success, 1)]).await;
}

#[tokio::test]
async fn a_stream_that_is_dropped_before_the_first_reply_is_cancelled() {
    let server = serve().await;
    let (mut client, handle) = counted(server.address);
    let replies = watch(&mut client, Order::ok().held()).await;
    assert_eq!(handle.snapshot().totals.settled(), 0);
    drop(replies);
    ended(&handle, &[(Class::Cancelled, 1)]).await;
}

#[tokio::test]
async fn failures_in_trailers_open_the_circuit() {
    let server = serve().await;
    let (mut client, handle) = guarded(server.address, settings(2));
    for _ in 0..2 {
        let stream = watch(&mut client, Order::status(Code::Unavailable).after(1)).await;
        end(stream, 1).await.unwrap_err();
    }
    until(&handle, |snapshot| snapshot.state == State::Open).await;
    let rejected = client.watch(Order::ok()).await.unwrap_err();
    assert_eq!((rejected.code(), rejected.message()), (Code::Unavailable, "circuit open"));
    assert_eq!(server.handler.hits(), 2);
}
