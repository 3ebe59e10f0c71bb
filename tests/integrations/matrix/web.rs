//! axum routers and handlers.

use std::future::pending;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::error_handling::HandleErrorLayer;
use axum::handler::Handler;
use axum::routing::get;
use axum::{BoxError, Router};
use futures_util::stream;
use http::{Request, Response, StatusCode};
use tower::{ServiceBuilder, ServiceExt};
use tower_breaker::{CircuitOpen, Config, FallbackLayer};

use super::cell::{Cell, Dependency, cells, settings, three};

pub(crate) async fn cells() -> impl Iterator<Item = Cell> {
    let config = || Config::http().settings(settings(1));
    let backup = || FallbackLayer::value_fn(|| Response::new(Body::from("backup")));
    let router = cells!("axum Router::layer", config(), backup(), |layer, dependency| {
        let app = Router::new().route("/", get(orders(&dependency))).layer(layer);
        three(&dependency, async || ask(&app).await).await
    });
    let route_layer =
        cells!("axum Router::route_layer", config(), backup(), |layer, dependency| {
            let app = Router::new().route("/", get(orders(&dependency))).route_layer(layer);
            three(&dependency, async || ask(&app).await).await
        });
    let method = cells!("axum MethodRouter::layer", config(), backup(), |layer, dependency| {
        let app = Router::new().route("/", get(orders(&dependency)).layer(layer));
        three(&dependency, async || ask(&app).await).await
    });
    let method_route =
        cells!("axum MethodRouter::route_layer", config(), backup(), |layer, dependency| {
            let app = Router::new().route("/", get(orders(&dependency)).route_layer(layer));
            three(&dependency, async || ask(&app).await).await
        });
    let handled = cells!(
        "axum under HandleErrorLayer, a timeout inside",
        Config::http_client().settings(settings(1)),
        backup(),
        |layer, dependency| {
            let stack = ServiceBuilder::new()
                .layer(HandleErrorLayer::new(status))
                .layer(layer)
                .timeout(Duration::from_millis(20));
            let inside = dependency.clone();
            let hangs = async move || {
                if !inside.is_up() {
                    pending::<()>().await;
                }
                "ok"
            };
            let app = Router::new().route("/", get(hangs)).layer(stack);
            three(&dependency, async || ask(&app).await).await
        }
    );
    let streams = cells!(
        "axum bodies that stream, a router as backup",
        config(),
        FallbackLayer::service(Router::new().route("/", get(async || "backup"))).keep(
            |request: &Request<Body>| {
                let mut again = Request::new(Body::empty());
                *again.uri_mut() = request.uri().clone();
                again
            }
        ),
        |layer, dependency| {
            let inside = dependency.clone();
            let streams = async move || {
                let status = if inside.is_up() { StatusCode::OK } else { StatusCode::BAD_GATEWAY };
                let pieces = ["o", "k"].map(|piece| Ok::<_, BoxError>(Bytes::from(piece)));
                (status, Body::from_stream(stream::iter(pieces)))
            };
            let app = Router::new().route("/", get(streams)).layer(layer);
            three(&dependency, async || ask(&app).await).await
        }
    );
    [router, route_layer, method, method_route, handled, streams].into_iter().flatten()
}

fn orders(dependency: &Dependency) -> impl Handler<((),), ()> + use<> {
    let dependency = dependency.clone();
    async move || if dependency.is_up() { Ok("ok") } else { Err(StatusCode::BAD_GATEWAY) }
}

async fn status(error: BoxError) -> StatusCode {
    match CircuitOpen::find(&*error) {
        Some(_) => StatusCode::SERVICE_UNAVAILABLE,
        None => StatusCode::GATEWAY_TIMEOUT,
    }
}

async fn ask(app: &Router) -> &'static str {
    let Ok(answer) = app.clone().oneshot(Request::new(Body::empty())).await;
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), 100).await.unwrap();
    match (status, &*body) {
        (200, b"ok") => "ok",
        (200, b"backup") => "backup",
        (502 | 504, _) => "down",
        (503, b"") => "open",
        _ => "something else",
    }
}
