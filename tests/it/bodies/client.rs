//! The guarded client and what its caller receives.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tower::{Layer, Service, ServiceExt};
use tower_breaker::classify::{Http, SettleAt};
use tower_breaker::{
    Backoff, BoxError, BreakerHandle, CircuitBreaker, CircuitBreakerLayer, Config, Probe,
    SettingsBuilder, State, rejection::RejectWithBoxError,
};

pub(crate) use crate::support::counts::{counting, ended, ended_now, pending, totals};
pub(crate) use crate::support::until::until;

pub(crate) type Pooled = Client<HttpConnector, Empty<Bytes>>;
pub(crate) type Guarded = CircuitBreaker<Pooled, Http, RejectWithBoxError>;

/// Settings that count every call. One successful probe closes the circuit.
pub(crate) fn probing() -> SettingsBuilder {
    let builder = counting().cooldown(Backoff::fixed(Duration::from_millis(1)).jitter(0.0));
    builder.no_ramp().probe(Probe::successes(1))
}

pub(crate) fn http1() -> Pooled {
    Client::builder(TokioExecutor::new()).build_http()
}

pub(crate) fn http2() -> Pooled {
    Client::builder(TokioExecutor::new()).http2_only(true).build_http()
}

/// A client behind a breaker that only counts.
pub(crate) fn counted(client: Pooled) -> (Guarded, BreakerHandle) {
    guarded(client, counting(), SettleAt::End)
}

/// Any service behind a breaker that only counts.
pub(crate) fn counted_service<S>(
    client: S,
) -> (CircuitBreaker<S, Http, RejectWithBoxError>, BreakerHandle) {
    let config = Config::http_client().settings(counting().build().unwrap());
    let layer = CircuitBreakerLayer::new(config);
    let handle = layer.handle();
    (layer.layer(client), handle)
}

pub(crate) fn guarded(
    client: Pooled,
    settings: SettingsBuilder,
    at: SettleAt,
) -> (Guarded, BreakerHandle) {
    let config = Config::http_client().settings(settings.build().unwrap());
    let layer = CircuitBreakerLayer::new(config.classify(Http::client().settle_at(at)));
    let handle = layer.handle();
    (layer.layer(client), handle)
}

/// Opens a [`probing`] breaker and waits until the next call is a probe.
pub(crate) async fn half_open(handle: &BreakerHandle) {
    handle.hold_for(Duration::from_millis(1));
    until(handle, |snapshot| snapshot.state == State::HalfOpen).await;
}

pub(crate) fn request(method: Method, address: SocketAddr) -> Request<Empty<Bytes>> {
    let uri = format!("http://{address}/");
    Request::builder().method(method).uri(uri).body(Empty::new()).unwrap()
}

pub(crate) async fn get<S, B>(client: &S, address: SocketAddr) -> Result<Response<B>, S::Error>
where
    S: Service<Request<Empty<Bytes>>, Response = Response<B>> + Clone,
{
    client.clone().oneshot(request(Method::GET, address)).await
}

/// The part of a body that a caller received.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) data: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) broke: bool,
}

impl Received {
    pub(crate) fn data(data: &str) -> Self {
        Self { data: data.into(), ..Self::default() }
    }

    pub(crate) fn broken(data: &str) -> Self {
        Self { data: data.into(), broke: true, ..Self::default() }
    }
}

/// Reads a body until it ends or breaks.
pub(crate) async fn receive<B: Body<Data = Bytes> + Unpin>(mut body: B) -> Received {
    let mut received = Received::default();
    while let Some(frame) = body.frame().await {
        match frame.map(|frame| frame.into_data().map_err(|frame| frame.into_trailers())) {
            Ok(Ok(data)) => received.data.extend_from_slice(&data),
            Ok(Err(trailers)) => received.trailers = trailers.ok(),
            Err(_) => {
                received.broke = true;
                break;
            }
        }
    }
    received
}

/// Reads the given number of bytes and no frame beyond them.
pub(crate) async fn receive_exactly<B>(body: &mut B, bytes: usize) -> Vec<u8>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    let mut data = Vec::new();
    while data.len() < bytes {
        let frame = body.frame().await.expect("more").map_err(Into::into).unwrap();
        data.extend_from_slice(&frame.into_data().unwrap());
    }
    assert_eq!(data.len(), bytes);
    data
}
