//! The guarded client and the counts of its breaker.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;
use tower::{BoxError, Layer, Service, ServiceExt};
use tower_breaker::llm::Llm;
use tower_breaker::{
    BreakerBody, BreakerHandle, CircuitBreaker, CircuitBreakerLayer, Class, Config, Provider,
    State, handle::Totals, rejection::RejectWithBoxError,
};

use super::server::Wire;

pub(crate) type Answer = Response<BreakerBody<Incoming>>;

/// No test waits this long, except on a machine that is stalled.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// The clients that all breakers of a test guard: one for HTTP/1.1 with a connection per call, and one for HTTP/2.
#[derive(Clone)]
pub(crate) struct Clients {
    http1: Hyper<HttpConnector, Empty<Bytes>>,
    http2: Hyper<HttpConnector, Empty<Bytes>>,
}

impl Clients {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let http1 =
            Hyper::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector.clone());
        let http2 = Hyper::builder(TokioExecutor::new()).http2_only(true).build(connector);
        Self { http1, http2 }
    }

    /// Returns a client behind its own breaker.
    pub(crate) fn guarded(&self, wire: Wire, config: Config<Llm, RejectWithBoxError>) -> Guarded {
        let layer = CircuitBreakerLayer::new(config);
        let handle = layer.handle();
        Guarded { service: layer.layer(self.unguarded(wire)), handle }
    }

    pub(crate) fn unguarded(&self, wire: Wire) -> Hyper<HttpConnector, Empty<Bytes>> {
        if wire == Wire::Http2 { self.http2.clone() } else { self.http1.clone() }
    }
}

pub(crate) struct Guarded {
    pub(crate) service: CircuitBreaker<Hyper<HttpConnector, Empty<Bytes>>, Llm, RejectWithBoxError>,
    pub(crate) handle: BreakerHandle,
}

/// Returns the preset for the provider of a case.
pub(crate) fn preset(provider: Provider) -> Config<Llm, RejectWithBoxError> {
    Config::llm(provider)
}

/// Returns the preset that holds a response until its first content.
pub(crate) fn holding(provider: Provider) -> Config<Llm, RejectWithBoxError> {
    Config::llm(provider).classify(Llm::new(provider).buffer_until_content(LONG))
}

impl Guarded {
    pub(crate) async fn get(&self, uri: Uri) -> Result<Answer, BoxError> {
        get(&self.service, uri).await
    }

    /// Returns the class of the call, of which exactly one must have been counted.
    pub(crate) fn counted(&self) -> Class {
        counted(&self.handle.snapshot().totals).expect("a call has ended")
    }

    /// Waits until the next call is a probe.
    pub(crate) async fn half_open(&self) {
        self.handle.hold_for(Duration::from_millis(1));
        self.until(State::HalfOpen).await;
    }

    pub(crate) async fn until(&self, state: State) {
        let shown = async {
            let mut watch = self.handle.watch();
            while watch.state() != state {
                watch.changed().await;
            }
        };
        timeout(LONG, shown).await.expect("the state");
    }
}

pub(crate) async fn get<S, B>(service: &S, uri: Uri) -> Result<Response<B>, BoxError>
where
    S: Service<Request<Empty<Bytes>>, Response = Response<B>, Error = BoxError> + Clone,
{
    let call = service.clone().oneshot(Request::get(uri).body(Empty::new()).unwrap());
    timeout(LONG, call).await.expect("a response")
}

/// Returns the class of the only call that has ended, or `None` if none has.
pub(crate) fn counted(totals: &Totals) -> Option<Class> {
    let counts = [
        (totals.success, Class::Success),
        (totals.failure, Class::Failure),
        (totals.throttled, Class::Throttled),
        (totals.exhausted, Class::Exhausted),
        (totals.ignored, Class::Ignored),
        (totals.cancelled, Class::Cancelled),
    ];
    assert_eq!((totals.late, totals.rejected), (0, 0), "{totals:?}");
    assert!(totals.settled() <= 1, "{totals:?}");
    counts.into_iter().find(|(count, _)| *count == 1).map(|(_, class)| class)
}

/// Reads the given number of bytes of a body. More bytes may follow.
pub(crate) async fn read(answer: &mut Answer, bytes: usize) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < bytes {
        let frame = timeout(LONG, answer.body_mut().frame()).await.expect("a frame");
        read.extend_from_slice(&frame.expect("more of the body").unwrap().into_data().unwrap());
    }
    assert_eq!(read.len(), bytes);
    read
}

/// Reads a body to its end.
pub(crate) async fn read_all(answer: Answer) -> Result<Vec<u8>, BoxError> {
    let whole = timeout(LONG, answer.into_body().collect()).await.expect("an end");
    Ok(whole?.to_bytes().to_vec())
}
