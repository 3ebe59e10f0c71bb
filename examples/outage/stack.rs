//! The two clients: the naive one, and the one with a breaker and a fallback.

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

/// The timeout of one attempt.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The wait before a retry.
const PAUSE: Duration = Duration::from_millis(100);

/// The number of calls pending for longer than [`OVERDUE_AFTER`] that open the circuit.
pub(crate) const OVERDUE_CALLS: u32 = 5;
pub(crate) const OVERDUE_AFTER: Duration = Duration::from_secs(5);
/// The number of consecutive failures that open the circuit.
pub(crate) const CONSECUTIVE: u32 = 5;
/// The cooldown of the first trip, and the longest cooldown.
pub(crate) const COOLDOWN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));
/// The jitter of a cooldown, as a fraction.
pub(crate) const JITTER: f64 = 0.2;

pub(crate) type Request = http::Request<Empty<Bytes>>;
/// A client. Its response is complete, and its error is the one that a user sees.
pub(crate) type Client = BoxCloneSyncService<Request, Reply, BoxError>;

/// A complete response.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) by_backup: bool,
}

/// A client with a timeout and retries.
pub(crate) fn naive(provider: SocketAddr, retries: u32) -> Client {
    finish(
        ServiceBuilder::new()
            .layer(RetryLayer::new(Again(retries)))
            .layer(TimeoutLayer::new(real(TIMEOUT)))
            .service(http_client(provider)),
    )
}

/// The naive client with a breaker between retries and timeout, and a fallback around them.
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

/// The values of `Settings::http_client()` in the time of the run, with or without the overdue rule.
pub(crate) fn settings(overdue: bool) -> Settings {
    let seconds = |seconds| real(Duration::from_secs(seconds));
    // The five failures of the preset must span 500 ms. This distinguishes one HTTP/2 reset, which ends a hundred calls at
    // once, from an outage. These connections are HTTP/1, so the condition is left out. With it, `ten_thousand_requests`
    // sends about a hundred calls to the provider instead of about fifty.
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

/// A hyper client for one origin. Requests contain only a path, so that the same request can go to either server.
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

/// Retries after an error or a 5xx, up to the given number of times. It does not retry a rejection, because the circuit is
/// open.
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
