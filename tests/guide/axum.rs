//! The snippets of the chapter on axum.

use axum::Router;
use axum::body::{Body, to_bytes};
use http::Request;
use tower::ServiceExt;

#[tokio::test]
async fn a_breaker_for_a_router_and_one_for_each_route() {
    use axum::http::StatusCode;

    async fn orders() {}
    async fn prices() -> StatusCode {
        StatusCode::BAD_GATEWAY
    }
    // guide: router
    use axum::routing::get;
    use tower_breaker::{CircuitBreakerLayer, Config};

    let app = Router::new()
        .route("/orders", get(orders))
        .route("/prices", get(prices))
        .layer(CircuitBreakerLayer::new(Config::http()));
    // guide: end
    let ask = |app: &Router, path: &str| {
        app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap())
    };
    for _ in 0..5 {
        ask(&app, "/prices").await.unwrap();
    }
    assert_eq!(ask(&app, "/orders").await.unwrap().status(), 503);

    // guide: routes
    let guarded = |name: &'static str| CircuitBreakerLayer::new(Config::http().name(name));
    let app = Router::new()
        .route("/orders", get(orders).layer(guarded("orders")))
        .route("/prices", get(prices).layer(guarded("prices")));
    // guide: end
    for _ in 0..5 {
        ask(&app, "/prices").await.unwrap();
    }
    assert_eq!(ask(&app, "/prices").await.unwrap().status(), 503);
    assert_eq!(ask(&app, "/orders").await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_handler_sees_its_breaker() {
    // guide: timeout_and_health
    use axum::{
        BoxError, Router, error_handling::HandleErrorLayer, http::StatusCode, routing::get,
    };
    use std::time::Duration;
    use tower::ServiceBuilder;
    use tower_breaker::integration::with_axum::Breakers;
    use tower_breaker::{BreakerHandle, CircuitBreakerLayer, Config};

    async fn health(breaker: BreakerHandle) -> String {
        format!("{} is {}", breaker.name(), breaker.state())
    }

    let breaker = CircuitBreakerLayer::new(Config::http().name("orders"));
    let handle = breaker.handle();
    let app: Router = Router::new()
        .route("/orders", get(|| async { "orders" }))
        .layer(
            ServiceBuilder::new()
                .layer(HandleErrorLayer::new(|_: BoxError| async { StatusCode::GATEWAY_TIMEOUT }))
                .layer(breaker) // rejects with 503, and counts the timeout as a failure
                .timeout(Duration::from_secs(10)),
        )
        .route("/health", get(health)) // added after the layer: not guarded, works while the circuit is open
        .layer(Breakers::new([handle])); // passes the breaker to `health`
    // guide: end
    let health = app.oneshot(Request::get("/health").body(Body::empty()).unwrap()).await.unwrap();
    let body = to_bytes(health.into_body(), 100).await.unwrap();
    assert_eq!(body, "orders is closed");
}
