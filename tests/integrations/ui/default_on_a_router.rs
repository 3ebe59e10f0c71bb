//! `Config::default()` fails, and a router of axum cannot.

use axum::Router;
use axum::routing::get;
use tower_breaker::{CircuitBreakerLayer, Config};

fn main() {
    let _: Router = Router::new()
        .route("/", get(|| async { "hello" }))
        .layer(CircuitBreakerLayer::new(Config::default()));
}
