//! A guarded server and the counts of its breaker.

use tonic::Code;
use tonic::transport::Channel;
use tower_breaker::{BreakerHandle, CircuitBreakerLayer, Class, Config, Settings, State};

use super::client::{ended, endpoint, hasty, hit, settings, until};
use super::generated::orders::orders_client::OrdersClient;
use super::generated::orders::{End, Order};
use super::server::{Serving, serve_with};

async fn guarded(settings: Settings) -> (Serving, OrdersClient<Channel>, BreakerHandle) {
    let layer = CircuitBreakerLayer::new(Config::grpc().name("orders").settings(settings));
    let handle = layer.handle();
    let server = serve_with(layer).await;
    let client = OrdersClient::new(endpoint(server.address).connect_lazy());
    (server, client, handle)
}

async fn counted() -> (Serving, OrdersClient<Channel>, BreakerHandle) {
    guarded(settings(u32::MAX)).await
}

#[tokio::test]
async fn unary_calls_are_classified_by_their_code() {
    for (code, class) in [
        (Code::Ok, Class::Success),
        (Code::NotFound, Class::Success),
        (Code::Unavailable, Class::Failure),
        (Code::Internal, Class::Failure),
        (Code::Cancelled, Class::Ignored),
        // The quota of one caller.
        (Code::ResourceExhausted, Class::Ignored),
    ] {
        let (_server, mut client, handle) = counted().await;
        assert_eq!(client.get(Order::status(code)).await.is_ok(), code == Code::Ok);
        ended(&handle, &[(class, 1)]).await;
    }
}

#[tokio::test]
async fn streams_are_classified_by_their_trailers() {
    for (code, class) in [
        (Code::Ok, Class::Success),
        (Code::NotFound, Class::Success),
        (Code::Unavailable, Class::Failure),
        (Code::ResourceExhausted, Class::Ignored),
    ] {
        let (server, mut client, handle) = counted().await;
        let order = Order::status(code).after(2).held();
        let mut replies = client.watch(order).await.unwrap().into_inner();
        for _ in 0..2 {
            replies.message().await.unwrap().expect("a reply");
        }
        assert_eq!(handle.snapshot().totals.settled(), 0, "{code:?}");
        server.handler.let_end();
        assert_eq!(replies.message().await.is_ok(), code == Code::Ok);
        ended(&handle, &[(class, 1)]).await;
    }
}

#[tokio::test]
async fn a_stream_that_breaks_is_one_failure() {
    let (server, mut client, handle) = counted().await;
    let order = Order::broken(End::Reset).after(1).held();
    let mut replies = client.watch(order).await.unwrap().into_inner();
    replies.message().await.unwrap().expect("a reply");
    server.handler.let_end();
    replies.message().await.unwrap_err();
    ended(&handle, &[(Class::Failure, 1)]).await;
}

#[tokio::test]
async fn a_handler_that_panics_is_one_failure() {
    let (_server, mut client, handle) = counted().await;
    client.get(Order::broken(End::Panic)).await.unwrap_err();
    ended(&handle, &[(Class::Failure, 1)]).await;
}

#[tokio::test]
async fn a_stream_that_its_client_drops_after_a_reply_is_a_success() {
    let (_server, mut client, handle) = counted().await;
    let order = Order::ok().after(1).held();
    let mut replies = client.watch(order).await.unwrap().into_inner();
    replies.message().await.unwrap().expect("a reply");
    drop(replies);
    ended(&handle, &[(Class::Success, 1)]).await;
}

#[tokio::test]
async fn a_stream_that_its_client_drops_before_the_first_reply_is_cancelled() {
    let (_server, mut client, handle) = counted().await;
    let replies = client.watch(Order::ok().held()).await.unwrap();
    drop(replies);
    ended(&handle, &[(Class::Cancelled, 1)]).await;
}

#[tokio::test]
async fn a_call_that_its_client_drops_is_cancelled() {
    let (server, mut client, handle) = counted().await;
    let call = tokio::spawn(async move { client.get(Order::broken(End::Hang)).await });
    hit(&server.handler, 1).await;
    call.abort();
    ended(&handle, &[(Class::Cancelled, 1)]).await;
}

#[tokio::test]
async fn an_open_circuit_rejects_in_place_of_the_service() {
    let (server, mut client, handle) = guarded(settings(2)).await;
    for _ in 0..2 {
        let mut replies =
            client.watch(Order::status(Code::Internal).after(1)).await.unwrap().into_inner();
        replies.message().await.unwrap().expect("a reply");
        replies.message().await.unwrap_err();
    }
    until(&handle, |snapshot| snapshot.state == State::Open).await;
    let rejected = client.get(Order::ok()).await.unwrap_err();
    assert_eq!((rejected.code(), rejected.message()), (Code::Unavailable, "circuit open"));
    assert_eq!(rejected.metadata().get("x-circuit-open").unwrap(), "orders");
    assert!(rejected.metadata().contains_key("grpc-retry-pushback-ms"));
    assert_eq!(server.handler.hits(), 2);
    assert_eq!(handle.snapshot().totals.rejected, 1);
}

#[tokio::test]
async fn a_probe_that_is_a_stream_closes_at_its_first_reply() {
    let (server, mut client, handle) = guarded(hasty()).await;
    client.get(Order::status(Code::Internal)).await.unwrap_err();
    until(&handle, |snapshot| snapshot.state == State::HalfOpen).await;
    let order = Order::broken(End::Reset).after(1).held();
    let mut replies = client.watch(order).await.unwrap().into_inner();
    replies.message().await.unwrap().expect("a reply");
    until(&handle, |snapshot| snapshot.state == State::Closed).await;
    ended(&handle, &[(Class::Failure, 1), (Class::Success, 1)]).await;
    server.handler.let_end();
    replies.message().await.unwrap_err();
    let totals = until(&handle, |snapshot| snapshot.totals.broken_after > 0).await.totals;
    assert_eq!((totals.broken_after, totals.success, totals.failure), (1, 1, 1));
}
