//! The rejection of a server, as its client sees it.

use std::time::Duration;

use tonic::{Code, Status};
use tower::{BoxError, ServiceBuilder};
use tower_breaker::integration::with_tonic::{outcome, rejection};
use tower_breaker::{
    AsRejection, BreakerHandle, CircuitBreakerLayer, CircuitOpen, Class, Config, Settings, Trip,
    rejection::RejectWithBoxError,
};

use super::client::{counted, ended, endpoint, guarded, settings};
use super::generated::orders::Order;
use super::generated::orders::orders_client::OrdersClient;
use super::server::{Serving, serve, serve_with};

const WAIT: Duration = Duration::from_secs(40);

/// A server whose circuit is open for [`WAIT`].
async fn open() -> (Serving, BreakerHandle) {
    let layer = CircuitBreakerLayer::new(Config::grpc().name("database"));
    let handle = layer.handle();
    let server = serve_with(layer).await;
    handle.hold_for(WAIT);
    (server, handle)
}

/// Compares a wait with [`WAIT`], of which a short time has passed.
#[track_caller]
fn is_that_wait(wait: Option<Duration>) {
    let wait = wait.expect("a wait");
    assert!((WAIT - Duration::from_secs(20)..=WAIT).contains(&wait), "{wait:?}");
}

#[tokio::test]
async fn a_caller_distinguishes_the_rejection_of_a_server_from_its_unavailable() {
    let (server, _handle) = open().await;
    let mut client = OrdersClient::new(endpoint(server.address).connect_lazy());
    let status = client.get(Order::ok()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let found = rejection(&status).expect("a rejection");
    assert_eq!(found.name(), "database");
    is_that_wait(found.retry_after());

    let plain = serve().await;
    let mut client = OrdersClient::new(endpoint(plain.address).connect_lazy());
    let status = client.get(Order::status(Code::Unavailable)).await.unwrap_err();
    assert_eq!(rejection(&status), None);
}

#[tokio::test]
async fn the_wait_is_also_in_the_details() {
    let (server, _handle) = open().await;
    let mut client = OrdersClient::new(endpoint(server.address).connect_lazy());
    let mut status = client.get(Order::ok()).await.unwrap_err();
    // A status of which only the details arrived.
    let details = status.details().to_vec();
    assert!(!details.is_empty());
    status = Status::with_details(Code::Unavailable, "", details.into());
    let classified = outcome(&Err::<(), _>(status));
    assert_eq!(classified.class(), Class::Failure);
    is_that_wait(classified.wait());
}

#[tokio::test]
async fn the_rejection_of_a_server_opens_no_circuit_upstream() {
    let (server, below) = open().await;
    let (mut client, handle) = guarded(server.address, settings(1));
    for _ in 0..3 {
        client.get(Order::ok()).await.unwrap_err();
    }
    ended(&handle, &[(Class::Ignored, 3)]).await;
    assert_eq!(below.snapshot().totals.rejected, 3);
}

#[tokio::test]
async fn the_rejection_of_a_channel_with_boxed_errors_is_found_in_the_status() {
    let server = serve().await;
    let breaker = CircuitBreakerLayer::new(
        Config::grpc_client().name("orders").on_rejected(RejectWithBoxError),
    );
    breaker.handle().hold_for(WAIT);
    let channel = endpoint(server.address).connect_lazy();
    let mut client = OrdersClient::new(ServiceBuilder::new().layer(breaker).service(channel));
    let status = client.get(Order::ok()).await.unwrap_err();
    assert_eq!(status.as_rejection().map(CircuitOpen::name), Some("orders"));
    is_that_wait(rejection(&status).unwrap().retry_after());
    let boxed: BoxError = status.into();
    assert!(CircuitOpen::find(&*boxed).is_some());
}

#[tokio::test]
async fn a_handle_around_a_client_classifies_by_the_code_and_rejects_with_a_status() {
    async fn get(
        handle: &BreakerHandle,
        client: &mut super::client::Client,
        order: Order,
    ) -> Result<(), Status> {
        handle.run_with(client.get(order), outcome).await?;
        Ok(())
    }
    let server = serve().await;
    let (mut client, _) = counted(server.address);
    let settings = Settings::builder().trip(Trip::none().consecutive(2)).build().unwrap();
    let handle = BreakerHandle::new("orders", settings);
    get(&handle, &mut client, Order::ok()).await.unwrap();
    for code in [Code::NotFound, Code::Unavailable, Code::Internal] {
        let status = get(&handle, &mut client, Order::status(code)).await.unwrap_err();
        assert_eq!((status.code(), rejection(&status)), (code, None));
    }
    ended(&handle, &[(Class::Success, 2), (Class::Failure, 2)]).await;
    let status = get(&handle, &mut client, Order::ok()).await.unwrap_err();
    assert_eq!(rejection(&status).unwrap().name(), "orders");
    assert_eq!(server.handler.hits(), 4);
}

#[tokio::test]
async fn a_rejection_that_a_handler_passes_on_is_recognised_two_tiers_up() {
    // A handler may return the status of its own call with `?`. Its response is then the same.
    let (database, _open) = open().await;
    let mut to_database = OrdersClient::new(endpoint(database.address).connect_lazy());
    let passed_on = to_database.get(Order::ok()).await.unwrap_err();
    let response = passed_on.into_http::<()>();
    assert_eq!(response.headers()["x-circuit-open"], "database");
    let classified = tower_breaker::classify::Grpc::server().outcome(Ok::<_, &()>(&response));
    assert_eq!(classified.class(), Class::Ignored);
    is_that_wait(classified.wait());
}
