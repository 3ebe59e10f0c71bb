//! Clients of real servers: reqwest and a tonic channel.

use std::convert::Infallible;
use std::future::ready;
use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use futures_util::stream;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tonic::Code;
use tonic::transport::Endpoint;
use tonic_prost::ProstCodec;
use tower::{Layer, ServiceExt};
use tower_breaker::{Config, FallbackLayer, Outcome};

use super::cell::{Cell, Dependency, Shown, cells, settings, three};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

pub(crate) async fn cells() -> impl Iterator<Item = Cell> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let good = |response: &reqwest::Response| response.status().is_success();
    let reqwest = cells!(
        "a reqwest client",
        Config::default().settings(settings(1)).classify_fn(
            |result: Result<&reqwest::Response, &reqwest::Error>| match result {
                Ok(response) if good(response) => Outcome::success(),
                _ => Outcome::failure(),
            }
        ),
        FallbackLayer::value_fn(|| reqwest::Response::from(Response::new("backup")))
            .when_fn(|result: Result<&reqwest::Response, &_>| !result.is_ok_and(good)),
        |layer, dependency| {
            let address = web(&dependency).await;
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let service = layer.layer(client.clone());
            three(&dependency, async || {
                let request = client.get(format!("http://{address}/")).build().unwrap();
                match service.clone().oneshot(request).await {
                    Ok(response) => text(response).await,
                    Err(error) => error.shown(),
                }
            })
            .await
        }
    );
    let tonic = cells!(
        "a tonic channel",
        Config::grpc_client().settings(settings(1)),
        FallbackLayer::value_fn(|| {
            let answer = Response::builder().header("content-type", "application/grpc");
            let answer = answer.header("grpc-status", "5").header("grpc-message", "backup");
            answer.body(tonic::body::Body::empty()).unwrap()
        }),
        |layer, dependency| {
            let address = grpc(&dependency).await;
            let channel = Endpoint::from_shared(format!("http://{address}")).unwrap();
            let service = layer.layer(channel.connect_lazy());
            let mut client = tonic::client::Grpc::new(service);
            three(&dependency, async || {
                client.ready().await.unwrap();
                let path = PathAndQuery::from_static("/shop.Orders/List");
                let codec = ProstCodec::<(), ()>::default();
                match client.unary::<(), (), _>(tonic::Request::new(()), path, codec).await {
                    Ok(_) => "ok",
                    Err(status) => named(&status),
                }
            })
            .await
        }
    );
    reqwest.into_iter().chain(tonic)
}

async fn text(response: reqwest::Response) -> &'static str {
    let status = response.status().as_u16();
    match (status, &*response.text().await.unwrap()) {
        (200, "ok") => "ok",
        (200, "backup") => "backup",
        (502, _) => "down",
        _ => "something else",
    }
}

fn named(status: &tonic::Status) -> &'static str {
    match (status.code(), status.message()) {
        (Code::NotFound, "backup") => "backup",
        (Code::Internal, "down") => "down",
        (Code::Unavailable, "circuit open") => "open",
        _ => "something else",
    }
}

async fn web(dependency: &Dependency) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let dependency = dependency.clone();
    let orders =
        async move || if dependency.is_up() { Ok("ok") } else { Err(StatusCode::BAD_GATEWAY) };
    let app = Router::new().route("/", get(orders));
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

/// Serves one connection. Responds with an empty message, or with `INTERNAL` in the head, like servers that fail before
/// their first message. A fallback looks at the head only.
async fn grpc(dependency: &Dependency) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let dependency = dependency.clone();
    let service = service_fn(move |_| {
        let answer = Response::builder().header("content-type", "application/grpc");
        let (answer, frames) = if dependency.is_up() {
            let ok = HeaderMap::from_iter([(GRPC_STATUS, HeaderValue::from_static("0"))]);
            (answer, vec![Frame::data(Bytes::from_static(&[0; 5])), Frame::trailers(ok)])
        } else {
            (answer.header(GRPC_STATUS, "13").header("grpc-message", "down"), Vec::new())
        };
        let frames = frames.into_iter().map(Ok::<_, Infallible>);
        ready(answer.body(StreamBody::new(stream::iter(frames))))
    });
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let connection = http2::Builder::new(TokioExecutor::new());
        let _ = connection.serve_connection(TokioIo::new(stream), service).await;
    });
    address
}
