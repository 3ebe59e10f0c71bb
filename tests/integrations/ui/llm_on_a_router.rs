//! The presets for clients return errors, and a router of axum must not. They need a `HandleErrorLayer`.

use axum::Router;
use axum::routing::get;
use tower_breaker::{CircuitBreakerLayer, Config, Provider};

fn main() {
    let _: Router = Router::new()
        .route("/", get(|| async { "hello" }))
        .layer(CircuitBreakerLayer::new(Config::llm(Provider::OpenAi)));
}
