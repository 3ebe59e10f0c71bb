//! tower's `Hedge` is not `Clone`, and every layer of a router must be.

use std::time::Duration;

use axum::error_handling::HandleErrorLayer;
use axum::routing::get;
use axum::{BoxError, Router};
use http::{Request, StatusCode};
use tower::ServiceBuilder;
use tower::hedge::{Hedge, Policy};
use tower::layer::layer_fn;
use tower_breaker::{CircuitBreakerLayer, Config};

#[derive(Clone)]
struct Never;

impl<B> Policy<Request<B>> for Never {
    fn clone_request(&self, _: &Request<B>) -> Option<Request<B>> {
        None
    }

    fn can_retry(&self, _: &Request<B>) -> bool {
        false
    }
}

fn main() {
    let hedge = layer_fn(|route| Hedge::new(route, Never, 1, 0.9, Duration::from_secs(60)));
    let stack = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(|_: BoxError| async { StatusCode::BAD_GATEWAY }))
        .layer(CircuitBreakerLayer::new(Config::http()))
        .layer(hedge);
    let _: Router = Router::new().route("/", get(|| async { "hello" })).layer(stack);
}
