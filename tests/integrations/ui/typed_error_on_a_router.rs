//! A breaker that returns a `BreakerError` needs a `HandleErrorLayer`.

use axum::Router;
use axum::routing::get;
use tower_breaker::{CircuitBreakerLayer, Config, rejection::RejectWithBreakerError};

fn main() {
    let _: Router = Router::new()
        .route("/", get(|| async { "hello" }))
        .layer(CircuitBreakerLayer::new(Config::http().on_rejected(RejectWithBreakerError)));
}
