//! tonic's interceptors outside and inside the breakers of clients and servers.

use tonic::service::interceptor::InterceptorLayer;
use tonic::{Code, Request, Status};
use tower::ServiceBuilder;
use tower_breaker::classify::Grpc;
use tower_breaker::{
    BreakerHandle, CircuitBreakerLayer, Class, Config, State, rejection::RejectWithGrpc,
};

use super::client::{ended, endpoint, settings, until};
use super::generated::orders::orders_client::OrdersClient;
use super::generated::orders::{End, Order};
use super::server::{Serving, serve, serve_with};

type Check = fn(Request<()>) -> Result<Request<()>, Status>;

fn refuses(_: Request<()>) -> Result<Request<()>, Status> {
    Err(Status::unauthenticated("no token"))
}

fn is_down(_: Request<()>) -> Result<Request<()>, Status> {
    Err(Status::unavailable("no token service"))
}

fn adds_a_deadline(mut request: Request<()>) -> Result<Request<()>, Status> {
    request.set_timeout(std::time::Duration::from_millis(40));
    Ok(request)
}

fn breaker(
    config: Config<Grpc, RejectWithGrpc>,
) -> (CircuitBreakerLayer<Grpc, RejectWithGrpc>, BreakerHandle) {
    let breaker = CircuitBreakerLayer::new(config.settings(settings(u32::MAX)));
    let handle = breaker.handle();
    (breaker, handle)
}

#[tokio::test]
async fn a_call_that_the_interceptor_of_a_client_refuses_is_not_counted() {
    let server = serve().await;
    let (breaker, handle) = breaker(Config::grpc_client());
    let guarded =
        ServiceBuilder::new().layer(breaker).service(endpoint(server.address).connect_lazy());
    for check in [refuses as Check, is_down as Check] {
        let mut client = OrdersClient::with_interceptor(guarded.clone(), check);
        client.get(Order::ok()).await.unwrap_err();
    }
    assert_eq!(handle.snapshot().totals.settled(), 0);
    assert_eq!(server.handler.hits(), 0);
}

#[tokio::test]
async fn a_call_that_an_interceptor_inside_refuses_is_classified_by_its_code() {
    let server = serve().await;
    for (check, code, class) in [
        (refuses as Check, Code::Unauthenticated, Class::Success),
        (is_down as Check, Code::Unavailable, Class::Failure),
    ] {
        let (breaker, handle) = breaker(Config::grpc_client());
        let guarded = ServiceBuilder::new()
            .layer(breaker)
            .layer(InterceptorLayer::new(check))
            .service(endpoint(server.address).connect_lazy());
        let status = OrdersClient::new(guarded).get(Order::ok()).await.unwrap_err();
        assert_eq!(status.code(), code);
        ended(&handle, &[(class, 1)]).await;
    }
    assert_eq!(server.handler.hits(), 0);
}

#[tokio::test]
async fn an_open_circuit_rejects_after_an_interceptor_outside_and_before_one_inside() {
    let server = serve().await;
    let (breaker, handle) = breaker(Config::grpc_client());
    handle.force_open(None);
    let guarded = ServiceBuilder::new()
        .layer(breaker)
        .layer(InterceptorLayer::new(refuses as Check))
        .service(endpoint(server.address).connect_lazy());
    let mut inside = OrdersClient::new(guarded.clone());
    assert_eq!(inside.get(Order::ok()).await.unwrap_err().message(), "circuit open");
    let mut outside = OrdersClient::with_interceptor(guarded, refuses as Check);
    assert_eq!(outside.get(Order::ok()).await.unwrap_err().message(), "no token");
    assert_eq!(handle.snapshot().totals.rejected, 1);
}

#[tokio::test]
async fn the_deadline_that_an_interceptor_adds_is_enforced() {
    let (on_server, handle) = breaker(Config::grpc());
    let server = serve_with(on_server).await;
    let (on_client, client_handle) = breaker(Config::grpc_client());
    let guarded =
        ServiceBuilder::new().layer(on_client).service(endpoint(server.address).connect_lazy());
    let mut client = OrdersClient::with_interceptor(guarded, adds_a_deadline as Check);
    client.get(Order::broken(End::Hang)).await.unwrap_err();
    // The channel enforces the deadline, and the breaker around it sees an error.
    ended(&client_handle, &[(Class::Failure, 1)]).await;
    // The server enforces the deadline as well.
    until(&handle, |snapshot| snapshot.totals.settled() == 1).await;
}

async fn called(server: &Serving) -> Status {
    let mut client = OrdersClient::new(endpoint(server.address).connect_lazy());
    client.get(Order::ok()).await.unwrap_err()
}

#[tokio::test]
async fn an_interceptor_outside_keeps_calls_away_from_the_breaker_of_a_server() {
    let (breaker, handle) = breaker(Config::grpc());
    let layers =
        ServiceBuilder::new().layer(InterceptorLayer::new(refuses as Check)).layer(breaker);
    let server = serve_with(layers.into_inner()).await;
    assert_eq!(called(&server).await.code(), Code::Unauthenticated);
    assert_eq!(handle.snapshot().totals.settled(), 0);
}

#[tokio::test]
async fn an_interceptor_inside_the_breaker_of_a_server_is_classified_by_its_code() {
    for (check, code, class) in [
        (refuses as Check, Code::Unauthenticated, Class::Success),
        (is_down as Check, Code::Unavailable, Class::Failure),
    ] {
        let (breaker, handle) = breaker(Config::grpc());
        let layers =
            ServiceBuilder::new().layer(breaker).layer(InterceptorLayer::new(check)).into_inner();
        let server = serve_with(layers).await;
        assert_eq!(called(&server).await.code(), code);
        ended(&handle, &[(class, 1)]).await;
        assert_eq!(handle.state(), State::Closed);
        assert_eq!(server.handler.hits(), 0);
    }
}
