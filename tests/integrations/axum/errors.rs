//! A breaker that rejects with an error, under axum's `HandleErrorLayer` or `handle_error`.

use std::convert::Infallible;

use axum::error_handling::HandleErrorLayer;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{BoxError, Router};
use http::{Method, StatusCode};
use tower::ServiceBuilder;
use tower_breaker::classify::ErrorsAsFailures;
use tower_breaker::{
    BreakerError, BreakerHandle, CircuitBreakerLayer, CircuitOpen, Config, State,
    rejection::RejectWithBreakerError,
};

use super::requests::*;

fn typed()
-> (CircuitBreakerLayer<tower_breaker::classify::Http, RejectWithBreakerError>, BreakerHandle) {
    let config =
        Config::http().name("orders").settings(settings()).on_rejected(RejectWithBreakerError);
    let layer = CircuitBreakerLayer::new(config);
    let handle = layer.handle();
    (layer, handle)
}

async fn fails() -> StatusCode {
    StatusCode::BAD_GATEWAY
}

#[tokio::test]
async fn the_typed_error_is_a_response_in_one_line() {
    let (layer, handle) = typed();
    let errors = HandleErrorLayer::new(|error: BreakerError<Infallible>| async { error });
    let app = Router::new()
        .route("/", get(fails))
        .layer(ServiceBuilder::new().layer(errors).layer(layer));
    let address = serve(app).await;
    for _ in 0..3 {
        assert_eq!(fetch(address, "/").await.unwrap().status, 502);
    }
    let answer = fetch(address, "/").await.unwrap();
    assert_eq!((answer.status, answer.header("x-circuit-open")), (503, Some("orders")));
    assert_eq!(answer.header("retry-after"), Some("300"));
    assert_eq!((handle.state(), handle.snapshot().totals.rejected), (State::Open, 1));
}

#[tokio::test]
async fn the_error_handler_may_look_at_the_request() {
    let (layer, handle) = typed();
    let errors =
        HandleErrorLayer::new(|method: Method, error: BreakerError<Infallible>| async move {
            let open = error.rejection().map(|open| open.name().to_owned());
            (StatusCode::IM_A_TEAPOT, format!("{method} {open:?}"))
        });
    let app = Router::new()
        .route("/", get(fails))
        .layer(ServiceBuilder::new().layer(errors).layer(layer));
    handle.force_open(None);
    let answer = ask(&app, "/").await;
    assert_eq!((answer.status, &*answer.text), (418, "GET Some(\"orders\")"));
}

#[tokio::test]
async fn a_method_router_carries_the_error_until_it_is_handled() {
    let (layer, handle) = typed();
    let route = get(fails)
        .layer::<_, BreakerError<Infallible>>(layer)
        .handle_error(|error: BreakerError<Infallible>| async { error });
    let app = Router::new().route("/", route);
    assert_eq!(ask(&app, "/").await.status, 502);
    handle.force_open(None);
    assert_eq!(ask(&app, "/").await.header("x-circuit-open"), Some("orders"));
}

#[tokio::test]
async fn a_rejection_is_found_in_a_boxed_error() {
    let config = Config::http()
        .classify(ErrorsAsFailures)
        .on_rejected(tower_breaker::rejection::RejectWithBoxError);
    let layer = CircuitBreakerLayer::new(config);
    let handle = layer.handle();
    let errors = HandleErrorLayer::new(|error: BoxError| async move {
        match CircuitOpen::find(&*error) {
            Some(open) => open.clone().into_response(),
            None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    });
    let app = Router::new()
        .route("/", get(fails))
        .layer(ServiceBuilder::new().layer(errors).layer(layer));
    handle.force_open(None);
    assert_eq!(ask(&app, "/").await.header("x-circuit-open"), Some("http"));
}
