//! The `grpc-timeout` of a request, and calls that are dropped when it expires.

use std::time::Duration;

use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::{sleep, timeout};
use tonic::{Code, Request};
use tower::Layer;
use tower_breaker::{BreakerHandle, CircuitBreakerLayer, Class, Config, Settings, State};

use super::client::{ended, endpoint, hit, settings, until};
use super::generated::orders::End;
use super::generated::orders::Order;
use super::generated::orders::orders_client::OrdersClient;
use super::server::{Serving, serve, serve_with};

/// A transport that sends `grpc-timeout` and does not enforce it.
type Patient = Client<HttpConnector, tonic::body::Body>;

fn patient() -> Patient {
    let mut connector = HttpConnector::new();
    // The default of tonic. Without it, the message waits 40 ms after its head.
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).http2_only(true).build(connector)
}

fn within(order: Order, deadline: Duration) -> Request<Order> {
    let mut request = Request::new(order);
    request.set_timeout(deadline);
    request
}

/// A deadline that no test reaches.
const FAR: Duration = Duration::from_secs(3_600);
/// Long enough for a head on a busy machine.
const NEAR: Duration = Duration::from_millis(200);

async fn guarded(settings: Settings) -> (Serving, OrdersClient<Patient>, BreakerHandle) {
    let layer = CircuitBreakerLayer::new(Config::grpc().settings(settings));
    let handle = layer.handle();
    let server = serve_with(layer).await;
    let origin = format!("http://{}", server.address).parse().unwrap();
    (server, OrdersClient::with_origin(patient(), origin), handle)
}

async fn counted() -> (Serving, OrdersClient<Patient>, BreakerHandle) {
    guarded(settings(u32::MAX)).await
}

fn reason(handle: &BreakerHandle) -> Option<&'static str> {
    handle.snapshot().last_error.and_then(|error| error.reason)
}

#[tokio::test]
async fn a_call_that_the_server_drops_at_its_deadline_is_a_failure() {
    let (_server, mut client, handle) = counted().await;
    // Only the timeout of the server ends this call.
    let status = client.get(within(Order::broken(End::Hang), NEAR)).await.unwrap_err();
    assert_eq!(status.code(), Code::Cancelled);
    ended(&handle, &[(Class::Failure, 1)]).await;
    assert_eq!(reason(&handle), Some("deadline exceeded"));
}

#[tokio::test]
async fn a_call_that_is_dropped_before_its_deadline_is_cancelled() {
    let (server, mut client, handle) = counted().await;
    let call = tokio::spawn(async move { client.get(within(Order::broken(End::Hang), FAR)).await });
    hit(&server.handler, 1).await;
    call.abort();
    ended(&handle, &[(Class::Cancelled, 1)]).await;
}

#[tokio::test]
async fn calls_that_hang_open_the_circuit_of_a_server() {
    let (server, mut client, handle) = guarded(settings(3)).await;
    for _ in 0..3 {
        client.get(within(Order::broken(End::Hang), NEAR)).await.unwrap_err();
    }
    until(&handle, |snapshot| snapshot.state == State::Open).await;
    let rejected = client.get(within(Order::ok(), FAR)).await.unwrap_err();
    assert_eq!(rejected.message(), "circuit open");
    assert_eq!(server.handler.hits(), 3);
}

#[tokio::test]
async fn a_stream_without_a_reply_is_classified_by_its_deadline() {
    for (deadline, class) in [(NEAR, Class::Failure), (FAR, Class::Cancelled)] {
        let (_server, mut client, handle) = counted().await;
        let replies = client.watch(within(Order::ok().held(), deadline)).await.unwrap();
        // The timeout of the server does not cover a body that has begun, so the caller ends the call.
        sleep(NEAR * 2).await;
        assert_eq!(handle.snapshot().totals.settled(), 0);
        drop(replies);
        ended(&handle, &[(class, 1)]).await;
    }
}

#[tokio::test]
async fn a_stream_that_is_dropped_after_a_reply_is_a_success_past_its_deadline() {
    let (_server, mut client, handle) = counted().await;
    let order = Order::ok().after(1).held();
    let mut replies = client.watch(within(order, NEAR)).await.unwrap().into_inner();
    replies.message().await.unwrap().expect("a reply");
    sleep(NEAR * 2).await;
    drop(replies);
    ended(&handle, &[(Class::Success, 1)]).await;
}

#[tokio::test]
async fn a_response_in_time_is_classified_by_its_status() {
    for (code, class) in [
        (Code::Ok, Class::Success),
        (Code::DeadlineExceeded, Class::Failure),
        (Code::Cancelled, Class::Ignored),
    ] {
        let (_server, mut client, handle) = counted().await;
        let _ = client.get(within(Order::status(code), FAR)).await;
        ended(&handle, &[(class, 1)]).await;
    }
}

#[tokio::test]
async fn a_call_that_its_client_drops_at_the_deadline_is_a_failure() {
    let server = serve().await;
    for (deadline, class) in [(NEAR, Class::Failure), (FAR, Class::Cancelled)] {
        let layer = CircuitBreakerLayer::new(Config::grpc_client().settings(settings(u32::MAX)));
        let handle = layer.handle();
        let origin = format!("http://{}", server.address).parse().unwrap();
        let mut client = OrdersClient::with_origin(layer.layer(patient()), origin);
        let call = client.watch(within(Order::ok().held(), deadline));
        let mut replies = call.await.unwrap().into_inner();
        timeout(NEAR * 2, replies.message()).await.expect_err("it hangs");
        drop(replies);
        ended(&handle, &[(class, 1)]).await;
    }
}

/// Two clocks are involved. That of the caller may expire slightly before that of the server.
#[tokio::test]
async fn a_caller_with_its_own_clock_ends_each_call_once() {
    const CALLS: u64 = 10;
    let (server, _, handle) = counted().await;
    let mut client = OrdersClient::new(endpoint(server.address).connect_lazy());
    for _ in 0..CALLS {
        client.get(within(Order::broken(End::Hang), Duration::from_millis(20))).await.unwrap_err();
    }
    let totals = until(&handle, |snapshot| snapshot.totals.settled() >= CALLS).await.totals;
    println!("{} at the deadline, {} shortly before", totals.failure, totals.cancelled);
    assert_eq!(totals.failure + totals.cancelled, CALLS);
}
