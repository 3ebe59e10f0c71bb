//! Handlers that panic or hang, and clients that disconnect.

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use axum::error_handling::HandleErrorLayer;
use axum::routing::get;
use axum::{BoxError, Router};
use http::StatusCode;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tower::ServiceBuilder;
use tower_breaker::{
    BreakerError, BreakerHandle, CircuitBreakerLayer, Config, State,
    integration::with_axum::Breakers,
};

use super::requests::*;
use crate::support::until::until;

/// Sends a request and disconnects once the handler has been called.
async fn disconnect(address: SocketAddr, called: impl Future<Output = ()>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n").await.unwrap();
    called.await;
}

#[tokio::test]
async fn a_panic_in_a_handler_is_a_failure_and_ends_only_its_connection() {
    async fn panics() -> StatusCode {
        panic!("a bug")
    }
    let layer = CircuitBreakerLayer::new(Config::http().settings(settings()));
    let handle = layer.handle();
    let address = serve(Router::new().route("/", get(panics)).layer(layer)).await;
    for _ in 0..3 {
        fetch(address, "/").await.unwrap_err();
    }
    assert_eq!((handle.state(), handle.snapshot().totals.failure), (State::Open, 3));
    assert_eq!(fetch(address, "/").await.unwrap().status, 503);
}

#[tokio::test]
async fn a_panic_in_a_call_that_a_handler_guards_is_a_failure() {
    async fn handler(stock: BreakerHandle) -> Result<(), BreakerError<StatusCode>> {
        stock.run(async { panic!("a bug") }).await
    }
    let stock = BreakerHandle::new("stock", settings());
    let app = Router::new().route("/", get(handler)).layer(Breakers::new([stock.clone()]));
    let address = serve(app).await;
    for _ in 0..3 {
        fetch(address, "/").await.unwrap_err();
    }
    assert_eq!((stock.state(), stock.snapshot().totals.failure), (State::Open, 3));
    assert_eq!(fetch(address, "/").await.unwrap().status, 503);
}

#[tokio::test]
async fn a_client_that_disconnects_cancels_its_call_and_does_not_open_the_circuit() {
    let layer = CircuitBreakerLayer::new(Config::http().settings(settings()));
    let handle = layer.handle();
    let (called, mut was_called) = watch::channel(0);
    let hangs = move || {
        called.send_modify(|called| *called += 1);
        pending::<()>()
    };
    let address = serve(Router::new().route("/", get(hangs)).layer(layer)).await;
    for gone in 1..=5 {
        let called = async { drop(was_called.wait_for(|called| *called == gone).await.unwrap()) };
        disconnect(address, called).await;
        until(&handle, |seen| seen.totals.cancelled == gone).await;
    }
    let seen = handle.snapshot();
    assert_eq!((seen.state, seen.totals.failure), (State::Closed, 0));
}

#[tokio::test]
async fn a_client_that_disconnects_during_a_probe_frees_the_slot() {
    let layer = CircuitBreakerLayer::new(Config::http().settings(settings()));
    let handle = layer.handle();
    let address = serve(Router::new().route("/", get(pending::<()>)).layer(layer)).await;
    handle.hold_for(Duration::from_millis(1));
    until(&handle, |seen| seen.state == State::HalfOpen).await;
    for gone in 1..=3 {
        let called = async { drop(until(&handle, |seen| seen.probes == 1).await) };
        disconnect(address, called).await;
        until(&handle, |seen| seen.totals.cancelled == gone).await;
    }
    let seen = handle.snapshot();
    assert_eq!((seen.state, seen.probes), (State::HalfOpen, 0));
}

#[tokio::test]
async fn a_handler_that_hangs_is_a_failure_with_a_timeout_inside() {
    let layer = CircuitBreakerLayer::new(Config::http().settings(settings()));
    let handle = layer.handle();
    let errors = HandleErrorLayer::new(|_: BoxError| async { StatusCode::GATEWAY_TIMEOUT });
    let stack = ServiceBuilder::new().layer(errors).layer(layer).timeout(Duration::from_millis(20));
    let address = serve(Router::new().route("/", get(pending::<()>)).layer(stack)).await;
    for _ in 0..3 {
        assert_eq!(fetch(address, "/").await.unwrap().status, 504);
    }
    assert_eq!((handle.state(), handle.snapshot().totals.failure), (State::Open, 3));
    assert_eq!(fetch(address, "/").await.unwrap().header("x-circuit-open"), Some("http"));
}
