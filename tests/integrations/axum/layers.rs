//! Where the layer may be added, and how often axum applies it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::routing::{MethodRouter, get};
use http::{Request, Response, StatusCode};
use tower::Layer;
use tower_breaker::classify::Http;
use tower_breaker::{
    CircuitBreaker, CircuitBreakerLayer, Config, State, rejection::RejectWithHttp,
};

use super::requests::*;

/// A layer that counts how often it is applied.
#[derive(Clone)]
struct Counted {
    layer: CircuitBreakerLayer<Http, RejectWithHttp>,
    applied: Arc<AtomicUsize>,
}

impl<S> Layer<S> for Counted {
    type Service = CircuitBreaker<S, Http, RejectWithHttp>;

    fn layer(&self, inner: S) -> Self::Service {
        self.applied.fetch_add(1, Ordering::Relaxed);
        self.layer.layer(inner)
    }
}

/// A place for the layer, and a function that builds a router with the layer there.
type Place = (&'static str, fn(Counted) -> Router);

fn fails() -> MethodRouter {
    get(|| async { StatusCode::BAD_GATEWAY }).post(|| async { StatusCode::BAD_GATEWAY })
}

fn breaker() -> CircuitBreakerLayer<Http, RejectWithHttp> {
    CircuitBreakerLayer::new(Config::http().settings(settings()))
}

#[tokio::test]
async fn axum_applies_the_layer_many_times_to_one_breaker() {
    let places: [Place; 5] = [
        ("Router::layer", |layer| Router::new().route("/", fails()).layer(layer)),
        ("Router::route_layer", |layer| Router::new().route("/", fails()).route_layer(layer)),
        ("MethodRouter::layer", |layer| Router::new().route("/", fails().layer(layer))),
        ("MethodRouter::route_layer", |layer| Router::new().route("/", fails().route_layer(layer))),
        ("merge", |layer| Router::new().merge(Router::new().route("/", fails()).layer(layer))),
    ];
    for (place, router) in places {
        let counted = Counted { layer: breaker(), applied: Arc::default() };
        let applied = Arc::clone(&counted.applied);
        let handle = counted.layer.handle();
        let address = serve(router(counted)).await;
        let before = applied.load(Ordering::Relaxed);
        let mut seen = Vec::new();
        for _ in 0..6 {
            seen.push(fetch(address, "/").await.unwrap().status);
        }
        assert_eq!(seen, [502, 502, 502, 503, 503, 503], "{place}");
        assert_eq!((handle.state(), handle.snapshot().totals.rejected), (State::Open, 3));
        // axum has applied the layer again. A breaker made in `Layer::layer` would be a new one.
        assert!(applied.load(Ordering::Relaxed) > before, "{place}: once per connection");
    }
}

#[tokio::test]
async fn a_function_of_the_request_makes_the_rejection_response() {
    let config = Config::http().name("orders").reject_with(|request: Request<Body>, open| {
        let body = format!("{} {}: {open}", request.method(), request.uri().path());
        Response::builder().status(202).body(Body::from(body)).unwrap()
    });
    let layer = CircuitBreakerLayer::new(config);
    let handle = layer.handle();
    let app = Router::new().route("/", fails()).layer(layer);
    handle.force_open(None);
    let answer = fetch(serve(app).await, "/").await.unwrap();
    assert_eq!(answer.status, 202);
    assert!(answer.text.starts_with("GET /: circuit \"orders\" is forced_open"), "{answer:?}");
}
