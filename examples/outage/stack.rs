//! The two clients that are compared: the naive one, and the one that this crate is about.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::uri::{Authority, Scheme, Uri};
use http::{Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tower::retry::{Policy, RetryLayer};
use tower::timeout::TimeoutLayer;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};
use tower_breaker::{
    Backoff, BreakerHandle, CircuitBreakerLayer, CircuitOpen, Config, FallbackLayer, Probe,
    Settings, Trip, Window,
};

use crate::clock::real;
use crate::servers::SERVED_BY;

/// How long one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client waits before it tries again.
const PAUSE: Duration = Duration::from_millis(100);

/// So many calls, pending for longer than [`OVERDUE_AFTER`], open the circuit.
pub(crate) const OVERDUE_CALLS: u32 = 5;
pub(crate) const OVERDUE_AFTER: Duration = Duration::from_secs(5);
/// So many failures in a row open it as well.
pub(crate) const CONSECUTIVE: u32 = 5;
/// The cooldown of the first trip, and the longest one.
pub(crate) const COOLDOWN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));
/// The share by which a cooldown is jittered.
pub(crate) const JITTER: f64 = 0.2;

pub(crate) type Request = http::Request<Empty<Bytes>>;
/// A finished client: a whole answer, or the error that a user would see.
pub(crate) type Client = BoxCloneSyncService<Request, Reply, BoxError>;

/// An answer, read to its end.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) by_backup: bool,
}

/// Timeout and retries, as in most code bases.
pub(crate) fn naive(provider: SocketAddr, retries: u32) -> Client {
    finish(
        ServiceBuilder::new()
            .layer(RetryLayer::new(Again(retries)))
            .layer(TimeoutLayer::new(real(TIMEOUT)))
            .service(http_client(provider)),
    )
}

/// The same timeout and retries with a breaker between them and a fallback around them.
pub(crate) fn protected(
    provider: SocketAddr,
    backup: SocketAddr,
    retries: u32,
    settings: Settings,
) -> (Client, BreakerHandle) {
    let config = Config::http_client().name("provider").settings(settings);
    let breaker = CircuitBreakerLayer::new(config);
    let handle = breaker.handle();
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::service(http_client(backup)))
        .layer(RetryLayer::new(Again(retries)))
        .layer(breaker)
        .layer(TimeoutLayer::new(real(TIMEOUT)))
        .service(http_client(provider));
    (finish(service), handle)
}

/// The numbers of `Settings::http_client()` on the run's clock, with the overdue rule or without it.
pub(crate) fn settings(overdue: bool) -> Settings {
    let seconds = |seconds| real(Duration::from_secs(seconds));
    // Without the 500 ms that the preset's five failures must span: they tell one HTTP/2 reset, which ends a hundred
    // calls at once, from an outage, and these connections are HTTP/1. With them, `ten_thousand_requests` sends
    // about a hundred calls to the provider instead of about fifty.
    let mut trip = Trip::none().consecutive(CONSECUTIVE).failure_rate(0.5, 20);
    if overdue {
        trip = trip.overdue(OVERDUE_CALLS, real(OVERDUE_AFTER));
    }
    Settings::http_client()
        .to_builder()
        .trip(trip)
        .window(Window::time(seconds(30)))
        .cooldown(Backoff::exponential(real(COOLDOWN.0), real(COOLDOWN.1)).jitter(JITTER))
        .probe(Probe::successes(1).lease(seconds(35)))
        .min_hold(seconds(1))
        .cancelled_after(seconds(10))
        .build()
        .expect("the defaults are valid at every ratio of the clock")
}

/// A hyper client for one origin. A request names only its path, so that the same one can go to either server.
fn http_client(
    origin: SocketAddr,
) -> impl Service<Request, Response = Response<Incoming>, Error = legacy::Error, Future: Send + 'static>
+ Clone
+ Send
+ Sync
+ 'static {
    let authority: Authority = origin.to_string().parse().expect("an address is an authority");
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = legacy::Client::builder(TokioExecutor::new()).build(connector);
    ServiceBuilder::new()
        .map_request(move |mut request: Request| {
            let mut uri = request.uri().clone().into_parts();
            uri.scheme = Some(Scheme::HTTP);
            uri.authority = Some(authority.clone());
            *request.uri_mut() = Uri::from_parts(uri).expect("scheme, authority and path");
            request
        })
        .service(client)
}

fn finish<S, B>(service: S) -> Client
where
    S: Service<Request, Response = Response<B>, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    B: Body<Error: Into<BoxError>, Data: Send> + Send + 'static,
{
    BoxCloneSyncService::new(service.and_then(read))
}

async fn read<B>(response: Response<B>) -> Result<Reply, BoxError>
where
    B: Body<Error: Into<BoxError>>,
{
    let (head, body) = response.into_parts();
    body.collect().await.map_err(Into::into)?;
    let by_backup = head.headers.get(SERVED_BY).is_some_and(|name| name == "backup");
    Ok(Reply { status: head.status, by_backup })
}

/// Tries again after an error or a 5xx, so many times. Never after a rejection: the breaker has just said that
/// the provider is not there.
#[derive(Clone, Copy)]
struct Again(u32);

impl<B> Policy<Request, Response<B>, BoxError> for Again {
    type Future = tokio::time::Sleep;

    fn retry(
        &mut self,
        _: &mut Request,
        result: &mut Result<Response<B>, BoxError>,
    ) -> Option<Self::Future> {
        let again = match result {
            Ok(response) => response.status().is_server_error(),
            Err(error) => CircuitOpen::find(&**error).is_none(),
        };
        if !again || self.0 == 0 {
            return None;
        }
        self.0 -= 1;
        Some(tokio::time::sleep(real(PAUSE)))
    }

    fn clone_request(&mut self, request: &Request) -> Option<Request> {
        Some(request.clone())
    }
}
