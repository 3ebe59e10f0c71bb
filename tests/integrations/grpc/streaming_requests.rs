//! Streams of requests through a guarded client.

use futures_util::stream::{iter, pending};
use futures_util::{Stream, StreamExt};
use tonic::{Code, Streaming};
use tower_breaker::Class;

use super::client::{Client, counted, ended};
use super::generated::orders::{End, Order, Reply};
use super::server::serve;

/// A stream that sends the orders and stays open.
fn open_ended(orders: Vec<Order>) -> impl Stream<Item = Order> + Send + 'static {
    iter(orders).chain(pending())
}

async fn talk(
    client: &mut Client,
    orders: impl Stream<Item = Order> + Send + 'static,
) -> Streaming<Reply> {
    client.talk(orders).await.expect("a head").into_inner()
}

#[tokio::test]
async fn a_stream_of_requests_that_ends_with_ok_is_one_success() {
    let server = serve().await;
    let (mut client, handle) = counted(server.address);
    let reply = client.put(iter(vec![Order::ok(); 4])).await.unwrap().into_inner();
    assert_eq!(reply.number, 4);
    ended(&handle, &[(Class::Success, 1)]).await;
}

#[tokio::test]
async fn a_stream_of_requests_that_ends_badly_is_one_failure() {
    let server = serve().await;
    for order in [Order::status(Code::Unavailable), Order::broken(End::Panic)] {
        let (mut client, handle) = counted(server.address);
        client.put(iter([Order::ok(), order])).await.unwrap_err();
        ended(&handle, &[(Class::Failure, 1)]).await;
    }
}

#[tokio::test]
async fn a_bidirectional_stream_that_both_sides_end_is_one_success() {
    let server = serve().await;
    let (mut client, handle) = counted(server.address);
    let mut replies = talk(&mut client, iter(vec![Order::ok().after(2); 2])).await;
    let mut numbers = Vec::new();
    while let Some(reply) = replies.message().await.unwrap() {
        numbers.push(reply.number);
    }
    assert_eq!(numbers, [0, 1, 0, 1]);
    ended(&handle, &[(Class::Success, 1)]).await;
}

#[tokio::test]
async fn a_bidirectional_stream_that_the_server_ends_badly_is_one_failure() {
    let server = serve().await;
    for last in [Order::status(Code::Unavailable), Order::broken(End::Reset)] {
        let (mut client, handle) = counted(server.address);
        let orders = open_ended(vec![Order::ok().after(1), last.held()]);
        let mut replies = talk(&mut client, orders).await;
        replies.message().await.unwrap().expect("a reply");
        assert_eq!(handle.snapshot().totals.settled(), 0);
        server.handler.let_end();
        replies.message().await.unwrap_err();
        ended(&handle, &[(Class::Failure, 1)]).await;
    }
}

#[tokio::test]
async fn a_bidirectional_stream_that_the_client_drops_is_a_success() {
    let server = serve().await;
    let (mut client, handle) = counted(server.address);
    let mut replies = talk(&mut client, open_ended(vec![Order::ok().after(1)])).await;
    replies.message().await.unwrap().expect("a reply");
    drop(replies);
    ended(&handle, &[(Class::Success, 1)]).await;
}
