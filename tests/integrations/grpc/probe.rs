//! Probes that are long streams.

use tonic::{Code, Streaming};
use tower_breaker::{BreakerHandle, Class, State};

use super::client::{Client, ended, guarded, hasty, until};
use super::generated::orders::{End, Order, Reply};
use super::server::{Serving, serve};

/// A circuit that one failure opened and whose next call is a probe.
async fn half_open(server: &Serving) -> (Client, BreakerHandle) {
    let (mut client, handle) = guarded(server.address, hasty());
    client.get(Order::status(Code::Unavailable)).await.unwrap_err();
    until(&handle, |snapshot| snapshot.state == State::HalfOpen).await;
    (client, handle)
}

/// The same circuit after a probe whose stream continues after its first reply.
async fn closed_by_stream(
    server: &Serving,
    order: Order,
) -> (Client, BreakerHandle, Streaming<Reply>) {
    let (mut client, handle) = half_open(server).await;
    let mut replies = client.watch(order.after(1).held()).await.unwrap().into_inner();
    assert_eq!(handle.state(), State::HalfOpen);
    replies.message().await.unwrap().expect("a reply");
    until(&handle, |snapshot| snapshot.state == State::Closed).await;
    ended(&handle, &[(Class::Failure, 1), (Class::Success, 1)]).await;
    (client, handle, replies)
}

#[tokio::test]
async fn a_probe_closes_at_its_first_reply_and_its_end_changes_nothing() {
    let server = serve().await;
    let (mut client, handle, mut replies) = closed_by_stream(&server, Order::ok()).await;
    client.get(Order::ok()).await.unwrap();
    ended(&handle, &[(Class::Failure, 1), (Class::Success, 2)]).await;
    server.handler.let_end();
    assert_eq!(replies.message().await.unwrap(), None);
    ended(&handle, &[(Class::Failure, 1), (Class::Success, 2)]).await;
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test]
async fn a_probe_that_breaks_after_it_closed_the_circuit_is_counted_as_broken_after() {
    let server = serve().await;
    for order in [Order::broken(End::Reset), Order::status(Code::Unavailable)] {
        let (_client, handle, mut replies) = closed_by_stream(&server, order).await;
        server.handler.let_end();
        replies.message().await.unwrap_err();
        let totals = until(&handle, |snapshot| snapshot.totals.broken_after > 0).await.totals;
        assert_eq!((totals.broken_after, totals.success, totals.failure), (1, 1, 1), "{order:?}");
    }
}

#[tokio::test]
async fn a_probe_that_is_dropped_after_it_closed_the_circuit_is_not_broken_after() {
    let server = serve().await;
    let (mut client, handle, replies) = closed_by_stream(&server, Order::ok()).await;
    drop(replies);
    client.get(Order::ok()).await.unwrap();
    ended(&handle, &[(Class::Failure, 1), (Class::Success, 2)]).await;
}

#[tokio::test]
async fn a_probe_that_fails_before_its_first_reply_reopens() {
    let server = serve().await;
    for order in [Order::broken(End::Reset), Order::status(Code::Unavailable)] {
        let (mut client, handle) = half_open(&server).await;
        // A reset may overtake the head.
        if let Ok(replies) = client.watch(order).await {
            replies.into_inner().message().await.unwrap_err();
        }
        let snapshot = until(&handle, |snapshot| snapshot.totals.failure == 2).await;
        assert_eq!(snapshot.attempt, 1, "{order:?}");
    }
}

#[tokio::test]
async fn a_probe_that_is_dropped_before_its_first_reply_frees_its_slot() {
    let server = serve().await;
    let (mut client, handle) = half_open(&server).await;
    let replies = client.watch(Order::ok().held()).await.unwrap();
    assert_eq!(handle.snapshot().probes, 1);
    assert_eq!(client.get(Order::ok()).await.unwrap_err().message(), "circuit open");
    drop(replies);
    until(&handle, |snapshot| snapshot.probes == 0).await;
    client.get(Order::ok()).await.unwrap();
    until(&handle, |snapshot| snapshot.state == State::Closed).await;
}
