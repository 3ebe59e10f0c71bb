//! Timeouts inside and outside the breakers of clients and servers, as in the table of the manual.

use std::time::Duration;

use tonic::transport::{Channel, Server};
use tonic::{Code, Request, Status};
use tower::ServiceBuilder;
use tower::timeout::TimeoutLayer;
use tower_breaker::classify::Grpc;
use tower_breaker::{
    BreakerHandle, CircuitBreaker, CircuitBreakerLayer, Class, Config, Settings, State,
    rejection::RejectWithGrpc,
};

use super::client::{counted, ended, endpoint, guarded, guarded_channel, settings};
use super::generated::orders::orders_client::OrdersClient;
use super::generated::orders::{End, Order};
use super::server::{serve, serve_by};

/// Long enough for a head on a busy machine.
const SHORT: Duration = Duration::from_millis(150);

fn layer() -> (CircuitBreakerLayer<Grpc, RejectWithGrpc>, BreakerHandle) {
    let layer = CircuitBreakerLayer::new(Config::grpc_client().settings(settings(u32::MAX)));
    let handle = layer.handle();
    (layer, handle)
}

fn hangs() -> Order {
    Order::broken(End::Hang)
}

fn code_and_message(status: &Status) -> (Code, &str) {
    (status.code(), status.message())
}

#[tokio::test]
async fn the_timeout_of_the_channel_is_a_failure() {
    let server = serve().await;
    let channel = endpoint(server.address).timeout(SHORT).connect_lazy();
    let (mut client, handle) = guarded_channel(channel, settings(u32::MAX));
    let status = client.get(hangs()).await.unwrap_err();
    assert_eq!(code_and_message(&status), (Code::Cancelled, "Timeout expired"));
    ended(&handle, &[(Class::Failure, 1)]).await;
}

#[tokio::test]
async fn the_timeout_of_a_request_is_a_failure() {
    let server = serve().await;
    let (mut client, handle) = counted(server.address);
    let mut request = Request::new(hangs());
    request.set_timeout(SHORT);
    let status = client.get(request).await.unwrap_err();
    assert_eq!(code_and_message(&status), (Code::Cancelled, "Timeout expired"));
    ended(&handle, &[(Class::Failure, 1)]).await;
}

#[tokio::test]
async fn timeouts_of_requests_open_the_circuit() {
    let server = serve().await;
    let (mut client, handle) = guarded(server.address, settings(2));
    for _ in 0..2 {
        let mut request = Request::new(hangs());
        request.set_timeout(SHORT);
        client.get(request).await.unwrap_err();
    }
    assert_eq!(handle.state(), State::Open);
    assert_eq!(client.get(Order::ok()).await.unwrap_err().message(), "circuit open");
}

#[tokio::test]
async fn a_tower_timeout_inside_is_a_failure() {
    let server = serve().await;
    let (breaker, handle) = layer();
    let service = ServiceBuilder::new()
        .layer(breaker)
        .layer(TimeoutLayer::new(SHORT))
        .service(endpoint(server.address).connect_lazy());
    let status = OrdersClient::new(service).get(hangs()).await.unwrap_err();
    assert_eq!(code_and_message(&status), (Code::Unknown, "request timed out"));
    ended(&handle, &[(Class::Failure, 1)]).await;
}

#[tokio::test]
async fn a_tower_timeout_outside_is_a_cancelled_call() {
    let server = serve().await;
    let (breaker, handle) = layer();
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(SHORT))
        .layer(breaker)
        .service(endpoint(server.address).connect_lazy());
    let status = OrdersClient::new(service).get(hangs()).await.unwrap_err();
    assert_eq!(code_and_message(&status), (Code::Unknown, "request timed out"));
    ended(&handle, &[(Class::Cancelled, 1)]).await;
}

#[tokio::test]
async fn a_timeout_outside_is_a_failure_after_cancelled_after() {
    let server = serve().await;
    let settings = settings(u32::MAX).to_builder().cancelled_after(SHORT).build().unwrap();
    let (mut client, handle) = guarded(server.address, settings);
    tokio::time::timeout(SHORT * 2, client.get(hangs())).await.expect_err("it hangs");
    ended(&handle, &[(Class::Failure, 1)]).await;
}

/// The head of a stream arrives immediately. A timeout inside the breaker ends with the head and does not end the stream.
#[tokio::test]
async fn a_timeout_inside_does_not_end_a_stream_that_has_begun() {
    let server = serve().await;
    let (breaker, handle) = layer();
    let service = ServiceBuilder::new()
        .layer(breaker)
        .layer(TimeoutLayer::new(SHORT))
        .service(endpoint(server.address).timeout(SHORT).connect_lazy());
    let mut client: OrdersClient<CircuitBreaker<_, Grpc, RejectWithGrpc>> =
        OrdersClient::new(service);
    let mut replies = client.watch(Order::ok().after(1).held()).await.unwrap().into_inner();
    replies.message().await.unwrap().expect("a reply");
    tokio::time::sleep(SHORT * 2).await;
    server.handler.let_end();
    assert_eq!(replies.message().await.unwrap(), None);
    ended(&handle, &[(Class::Success, 1)]).await;
}

async fn by_server(settings: Settings) -> (Status, BreakerHandle) {
    let breaker = CircuitBreakerLayer::new(Config::grpc().settings(settings));
    let handle = breaker.handle();
    let server = serve_by(Server::builder().timeout(SHORT), breaker).await;
    let mut client: OrdersClient<Channel> =
        OrdersClient::new(endpoint(server.address).connect_lazy());
    (client.get(hangs()).await.unwrap_err(), handle)
}

#[tokio::test]
async fn the_timeout_of_the_server_is_a_cancelled_call_and_a_failure_after_cancelled_after() {
    let neutral = Settings::grpc();
    assert_eq!(neutral.cancelled_after(), None);
    let counts = neutral.to_builder().cancelled_after(SHORT).build().unwrap();
    for (settings, class) in [(neutral, Class::Cancelled), (counts, Class::Failure)] {
        let (status, handle) = by_server(settings).await;
        assert_eq!(code_and_message(&status), (Code::Cancelled, "Timeout expired"));
        ended(&handle, &[(class, 1)]).await;
    }
}

#[tokio::test]
async fn a_tower_timeout_inside_the_servers_breaker_is_a_failure() {
    let breaker = CircuitBreakerLayer::new(Config::grpc().settings(settings(u32::MAX)));
    let handle = breaker.handle();
    let layers = ServiceBuilder::new().layer(breaker).layer(TimeoutLayer::new(SHORT)).into_inner();
    let server = serve_by(Server::builder(), layers).await;
    let mut client = OrdersClient::new(endpoint(server.address).connect_lazy());
    client.get(hangs()).await.unwrap_err();
    ended(&handle, &[(Class::Failure, 1)]).await;
}
