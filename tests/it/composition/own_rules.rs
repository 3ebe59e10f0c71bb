//! Classification rules of a user, one line each, in stacks that name no type.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body_util::Empty;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::TokioExecutor;
use tower::timeout::error::Elapsed;
use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::{
    BreakerBody,
    classify::{Grpc, Http},
};
use tower_breaker::{
    BreakerHandle, Cause, CircuitBreakerLayer, CircuitOpen, Config, Outcome, Settings, State, Trip,
    handle::Totals, rejection::RejectWithBreakerError,
};

use super::dependency::*;

type Answer = Response<BreakerBody<String>>;

/// A rate-limit error with the wait that the server asks for.
#[derive(Debug)]
struct Limited {
    wait: Duration,
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("limited")
    }
}

impl Error for Limited {}

fn get(uri: &str) -> Request<String> {
    Request::builder().uri(uri).body(String::new()).unwrap()
}

/// Responds or fails according to the path of the request. Never responds to `/hang`.
async fn client(request: Request<String>) -> Result<Response<String>, BoxError> {
    let answer = |status: u16| Response::builder().status(status).header("x-status", status);
    match request.uri().path() {
        "/hang" => std::future::pending().await,
        "/gone" => Err(io::Error::from(ErrorKind::NotFound).into()),
        "/limited" => Err(io::Error::other(Limited { wait: Duration::from_secs(40) }).into()),
        "/refused" => Err(io::Error::from(ErrorKind::ConnectionRefused).into()),
        "/below" => Err(rejection().into()),
        "/degraded" => Ok(answer(200).header("x-degraded", "1").body("old".to_owned()).unwrap()),
        path => {
            let status = path.trim_start_matches('/').parse().unwrap_or(200);
            Ok(answer(status).body("body".to_owned()).unwrap())
        }
    }
}

/// The rejection of a breaker that was forced open.
fn rejection() -> CircuitOpen {
    let handle = BreakerHandle::new("below", Settings::default());
    handle.force_open(None);
    handle.try_acquire().unwrap_err()
}

/// Only a hold opens the circuit.
fn only_holds() -> Settings {
    Settings::builder().trip(Trip::none()).build().unwrap()
}

fn settled(totals: &Totals) -> [u64; 5] {
    [totals.success, totals.failure, totals.throttled, totals.exhausted, totals.ignored]
}

#[tokio::test(start_paused = true)]
async fn rules_and_the_other_parts_of_a_config_combine_in_any_order() {
    let breaker = CircuitBreakerLayer::new(
        Config::http_client()
            .ignore_errors(|error: &BoxError| error.is::<fmt::Error>())
            .name("orders")
            .ignore_caused_by(|cause: &io::Error| cause.kind() == ErrorKind::NotFound)
            .settings(only_holds())
            .classify_responses(|response: &Response<String>| {
                response.headers().contains_key("x-degraded").then(Outcome::failure)
            })
            .on_rejected(RejectWithBreakerError)
            .only_caused_by(|_: &Elapsed| true)
            .trip_when(|_| false),
    );
    let handle = breaker.handle();
    let service = ServiceBuilder::new()
        .layer(breaker)
        .timeout(Duration::from_secs(1))
        .service(service_fn(client));
    for (path, counted) in [
        ("/gone", [0, 0, 0, 0, 1]),
        ("/refused", [1, 0, 0, 0, 1]),
        ("/hang", [1, 1, 0, 0, 1]),
        ("/below", [1, 1, 0, 0, 2]),
        ("/degraded", [1, 2, 0, 0, 2]),
        ("/503", [1, 3, 0, 0, 2]),
    ] {
        let _ = service.clone().oneshot(get(path)).await;
        assert_eq!(settled(&handle.snapshot().totals), counted, "{path}");
    }
    assert_eq!(handle.name(), "orders");
}

#[tokio::test(start_paused = true)]
async fn a_timeout_weighs_more_than_a_response() {
    let trip = Trip::none().failures(6);
    let breaker = CircuitBreakerLayer::new(
        Config::http_client()
            .settings(Settings::builder().trip(trip).build().unwrap())
            .classify(Http::client().weight_on([504], 2))
            .classify_errors(|error: &BoxError| {
                error.is::<Elapsed>().then(|| Outcome::failure().weight(3))
            }),
    );
    let handle = breaker.handle();
    let service = ServiceBuilder::new()
        .layer(breaker)
        .timeout(Duration::from_secs(1))
        .service(service_fn(client));
    for (path, failures) in [("/503", 1), ("/504", 3)] {
        drop(service.clone().oneshot(get(path)).await.unwrap());
        assert_eq!(handle.snapshot().window.failures, failures);
    }
    assert_eq!(handle.state(), State::Closed);
    service.oneshot(get("/hang")).await.unwrap_err();
    assert_eq!(handle.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_grpc_status_has_a_weight() {
    let trip = Trip::none().failures(5);
    let breaker = CircuitBreakerLayer::new(
        Config::grpc_client()
            .settings(Settings::builder().trip(trip).build().unwrap())
            .classify(Grpc::client().weight_on([14], 5)),
    );
    let handle = breaker.handle();
    let service =
        ServiceBuilder::new().layer(breaker).service(service_fn(async |_: Request<()>| {
            Ok::<_, Infallible>(
                Response::builder().header("grpc-status", "14").body(String::new()).unwrap(),
            )
        }));
    drop(service.oneshot(Request::new(())).await.unwrap());
    assert_eq!(handle.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn an_error_deep_in_a_box_holds_the_circuit_for_its_wait() {
    let breaker =
        CircuitBreakerLayer::new(Config::http_client().settings(only_holds()).classify_caused_by(
            |limited: &Limited| Some(Outcome::throttled().retry_after(limited.wait)),
        ));
    let handle = breaker.handle();
    let service = ServiceBuilder::new().layer(breaker).service(service_fn(client));
    service.clone().oneshot(get("/limited")).await.unwrap_err();
    assert_eq!((handle.state(), handle.snapshot().cause), (State::Open, Cause::Throttled));
    let error = service.oneshot(get("/200")).await.unwrap_err();
    let wait = CircuitOpen::find(&*error).unwrap().retry_after().unwrap();
    assert!((40..=48).contains(&wait.as_secs()), "{wait:?}");
}

#[tokio::test(start_paused = true)]
async fn a_degraded_response_is_a_failure_and_its_body_is_complete() {
    let breaker =
        CircuitBreakerLayer::new(Config::http().settings(opening_after(2)).classify_responses(
            |response: &Response<String>| {
                response
                    .headers()
                    .contains_key("x-degraded")
                    .then(|| Outcome::failure().reason("degraded"))
            },
        ));
    let handle = breaker.handle();
    let infallible =
        service_fn(async |request| Ok::<_, Infallible>(client(request).await.unwrap()));
    let service = ServiceBuilder::new().layer(breaker).service(infallible);
    for _ in 0..2 {
        let answer: Answer = service.clone().oneshot(get("/degraded")).await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.into_body().into_inner().unwrap()),
            (200, "old".to_owned())
        );
    }
    assert_eq!(handle.snapshot().last_error.unwrap().reason, Some("degraded"));
    let Ok(answer) = service.oneshot(get("/200")).await;
    assert_eq!((handle.state(), answer.status().as_u16()), (State::Open, 503));
}

#[tokio::test(start_paused = true)]
async fn a_response_that_no_rule_settles_is_settled_by_its_body() {
    let breaker = CircuitBreakerLayer::new(
        Config::http_client().classify_responses(|_: &Response<String>| None),
    );
    let handle = breaker.handle();
    let service = ServiceBuilder::new().layer(breaker).service(service_fn(client));
    let answer = service.oneshot(get("/200")).await.unwrap();
    assert_eq!(settled(&handle.snapshot().totals), [0; 5]);
    drop(answer);
    assert_eq!(handle.snapshot().totals.cancelled, 1);
}

#[tokio::test(start_paused = true)]
async fn rules_fit_a_service_that_cannot_fail() {
    let breaker = CircuitBreakerLayer::new(
        Config::http()
            .ignore_errors(|error: &Infallible| match *error {})
            .ignore_caused_by(|_: &io::Error| true)
            .classify_responses(|response: &Response<axum::body::Body>| {
                (response.status() == 418).then(Outcome::ignored)
            }),
    );
    let handle = breaker.handle();
    let teapot = || async { axum::http::StatusCode::IM_A_TEAPOT };
    let router: axum::Router =
        axum::Router::new().route("/", axum::routing::get(teapot)).layer(breaker);
    let request = Request::builder().uri("/").body(axum::body::Body::empty()).unwrap();
    let Ok(answer) = router.oneshot(request).await;
    assert_eq!((answer.status().as_u16(), handle.snapshot().totals.ignored), (418, 1));
}

#[tokio::test]
async fn rules_inspect_the_error_of_a_real_client() {
    let breaker = CircuitBreakerLayer::new(
        Config::http_client()
            .classify_errors(|error: &ClientError| (!error.is_connect()).then(Outcome::exhausted))
            .ignore_caused_by(|cause: &io::Error| cause.kind() == ErrorKind::ConnectionRefused),
    );
    let handle = breaker.handle();
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let service = ServiceBuilder::new().layer(breaker).service(client);
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let request = Request::builder().uri(format!("http://{closed}/")).body(Empty::new()).unwrap();
    service.oneshot(request).await.unwrap_err();
    assert_eq!(settled(&handle.snapshot().totals), [0, 0, 0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn rules_accept_the_error_of_a_hyper_service() {
    let breaker = CircuitBreakerLayer::new(
        Config::http_client()
            .ignore_errors(|error: &hyper::Error| error.is_canceled())
            .ignore_caused_by(|_: &io::Error| true),
    );
    let service =
        ServiceBuilder::new().layer(breaker).service(service_fn(async |_: Request<()>| {
            Ok::<_, hyper::Error>(Response::new(String::new()))
        }));
    assert!(service.oneshot(Request::new(())).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_rule_is_ignored_and_propagates() {
    let failing = service_fn(async |()| Err::<(), _>(io::Error::other("down")));
    macro_rules! panics {
        ($($config:expr),*) => {$(
            let breaker = CircuitBreakerLayer::new($config);
            let handle = breaker.handle();
            let service = ServiceBuilder::new().layer(breaker).service(failing);
            let unwound = AssertUnwindSafe(service.oneshot(())).catch_unwind().await;
            assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"confused"));
            assert_eq!(settled(&handle.snapshot().totals), [0, 0, 0, 0, 1]);
        )*};
    }
    panics!(
        config().ignore_errors(|_: &io::Error| panic!("confused")),
        config().only_errors(|_: &io::Error| panic!("confused")),
        config().classify_errors(|_: &io::Error| panic!("confused")),
        config().ignore_caused_by(|_: &io::Error| panic!("confused")),
        config().only_caused_by(|_: &io::Error| panic!("confused")),
        config().classify_caused_by(|_: &io::Error| panic!("confused"))
    );
    let breaker =
        CircuitBreakerLayer::new(config().classify_responses(|(): &()| panic!("confused")));
    let handle = breaker.handle();
    let service = ServiceBuilder::new()
        .layer(breaker)
        .service(service_fn(async |()| Ok::<_, Infallible>(())));
    AssertUnwindSafe(service.oneshot(())).catch_unwind().await.unwrap_err();
    assert_eq!(settled(&handle.snapshot().totals), [0, 0, 0, 0, 1]);
}
