//! The guarded client and the counts of its breaker.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use tower::{Layer, Service, ServiceExt};
use tower_breaker::{
    Backoff, BoxError, BreakerHandle, CircuitBreaker, CircuitBreakerLayer, Class, Config, Settings,
    SettingsBuilder, Trip, rejection::RejectWithBoxError,
};
use tower_breaker::{BreakerBody, classify::Http};

pub(crate) const HELLO: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
pub(crate) const EMPTY_503: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";

pub(crate) type Answer = Response<BreakerBody<Incoming>>;
pub(crate) type Pooled = Client<HttpConnector, Empty<Bytes>>;
pub(crate) type Guarded<S = Pooled> = CircuitBreaker<S, Http, RejectWithBoxError>;

/// Settings that open after 3 consecutive failures, for longer than any test takes.
pub(crate) fn three() -> SettingsBuilder {
    Settings::http_client()
        .to_builder()
        .trip(Trip::none().consecutive(3))
        .cooldown(Backoff::fixed(Duration::from_secs(3600)))
        .track_in_flight(true)
}

pub(crate) fn http1() -> Pooled {
    Client::builder(TokioExecutor::new()).build_http()
}

pub(crate) fn http2() -> Pooled {
    Client::builder(TokioExecutor::new()).http2_only(true).build_http()
}

pub(crate) fn guard<S>(client: S, settings: SettingsBuilder) -> (Guarded<S>, BreakerHandle) {
    let config = Config::http_client().settings(settings.build().unwrap());
    let layer = CircuitBreakerLayer::new(config);
    let handle = layer.handle();
    (layer.layer(client), handle)
}

pub(crate) fn request(address: SocketAddr) -> Request<Empty<Bytes>> {
    Request::get(format!("http://{address}/")).body(Empty::new()).unwrap()
}

pub(crate) async fn get<S>(client: &S, address: SocketAddr) -> Result<Answer, BoxError>
where
    S: Service<Request<Empty<Bytes>>, Response = Answer, Error = BoxError> + Clone,
{
    client.clone().oneshot(request(address)).await
}

/// Makes a call and reads its body to the end.
pub(crate) async fn whole<S>(client: &S, address: SocketAddr) -> Result<Bytes, BoxError>
where
    S: Service<Request<Empty<Bytes>>, Response = Answer, Error = BoxError> + Clone,
{
    Ok(get(client, address).await?.into_body().collect().await?.to_bytes())
}

/// Returns hyper-util's error, which passes through the breaker unchanged.
#[track_caller]
pub(crate) fn of_client(error: &BoxError) -> &Error {
    error.downcast_ref().expect("the client's error")
}

/// Checks how often each class was counted, that nothing else was counted, and that nothing is in flight.
#[track_caller]
pub(crate) fn counted<const N: usize>(handle: &BreakerHandle, expected: [(Class, u64); N]) {
    let snapshot = handle.snapshot();
    let totals = snapshot.totals;
    for (class, count) in expected {
        let seen = match class {
            Class::Success => totals.success,
            Class::Failure => totals.failure,
            Class::Cancelled => totals.cancelled,
            class => panic!("{class} is not expected anywhere here"),
        };
        assert_eq!(seen, count, "{class}: {totals:?}");
    }
    let all: u64 = expected.iter().map(|(_, count)| count).sum();
    assert_eq!((totals.settled(), snapshot.in_flight), (all, Some(0)), "{totals:?}");
}
