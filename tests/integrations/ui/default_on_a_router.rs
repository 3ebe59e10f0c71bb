//! `Config::default()` returns errors, and a router of axum must not.

use axum::Router;
use axum::routing::get;
use tower_breaker::{CircuitBreakerLayer, Config};

fn main() {
    let _: Router = Router::new()
        .route("/", get(|| async { "hello" }))
        .layer(CircuitBreakerLayer::new(Config::default()));
}
