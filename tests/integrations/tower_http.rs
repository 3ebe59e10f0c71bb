//! One classifier of tower-http, used by its tracing layer and by the breaker of a real axum server.

use std::convert::Infallible;
use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};
use tower_breaker::{
    BreakerHandle, CircuitBreakerLayer, Config, Outcome, Settings, Trip, handle::Totals,
    integration::with_tower_http::TowerHttp,
};
use tower_http::classify::{
    GrpcCode, GrpcErrorsAsFailures, MakeClassifier, ServerErrorsAsFailures, SharedClassifier,
    StatusInRangeAsFailures, StatusInRangeFailureClass,
};
use tower_http::trace::TraceLayer;

/// The failures that tower-http reported, as it formats them.
#[derive(Clone, Default)]
struct Traced(Arc<Mutex<Vec<String>>>);

impl Traced {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// The handler of `/`.
async fn ok() -> &'static str {
    "fine"
}

async fn status(code: u16) -> Response<Body> {
    Response::builder().status(code).header("retry-after", "7").body(Body::from("no")).unwrap()
}

/// Sends data and then an error.
async fn breaks() -> Response<Body> {
    let begun = stream::once(std::future::ready(Ok("begun")));
    let lost = stream::once(async {
        tokio::task::yield_now().await;
        Err(BoxError::from("lost the database"))
    });
    Response::new(Body::from_stream(begun.chain(lost)))
}

/// A gRPC response with its status in the trailers.
async fn grpc(code: &'static str) -> Response<Body> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", code.parse().unwrap());
    let frames = [Frame::data(bytes::Bytes::from_static(b"\0\0\0\0\0")), Frame::trailers(trailers)];
    let frames = frames.into_iter().map(Ok::<_, Infallible>);
    let body = Body::new(StreamBody::new(stream::iter(frames)));
    Response::builder().header("content-type", "application/grpc").body(body).unwrap()
}

/// Serves handlers under the breaker, which is under tower-http's tracing. Both have a clone of the same classifier.
async fn serve<M, F>(make: M, classify: TowerHttp<M, F>) -> (SocketAddr, BreakerHandle, Traced)
where
    M: MakeClassifier<
            Classifier: Clone + Send,
            FailureClass: Display,
            ClassifyEos: Send + Sync + 'static,
        > + Clone
        + Send
        + Sync
        + 'static,
    F: Fn(&M::FailureClass) -> Outcome + Clone + Send + Sync + 'static,
{
    let settings = Settings::builder().trip(Trip::none().consecutive(100)).build().unwrap();
    let breaker = CircuitBreakerLayer::new(Config::http().settings(settings).classify(classify));
    let handle = breaker.handle();
    let traced = Traced::default();
    let seen = traced.clone();
    let trace = TraceLayer::new(make).on_failure(
        move |class: M::FailureClass, _: Duration, _: &tracing::Span| {
            seen.0.lock().unwrap().push(class.to_string());
        },
    );
    let router = Router::new()
        .route("/", get(ok))
        .route("/404", get(|| status(404)))
        .route("/429", get(|| status(429)))
        .route("/503", get(|| status(503)))
        .route("/breaks", get(breaks))
        .route("/grpc/0", get(|| grpc("0")))
        .route("/grpc/5", get(|| grpc("5")))
        .route("/grpc/14", get(|| grpc("14")))
        .layer(ServiceBuilder::new().layer(trace).layer(breaker));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await });
    (address, handle, traced)
}

/// Sends one request and reads the body to its end or its error.
async fn fetch(address: SocketAddr, method: &str, path: &str) -> (u16, bool) {
    let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
    let request = Request::builder()
        .method(method)
        .uri(format!("http://{address}{path}"))
        .header("te", "trailers")
        .body(Empty::<bytes::Bytes>::new())
        .unwrap();
    let response = client.request(request).await.unwrap();
    let status = response.status().as_u16();
    (status, response.into_body().collect().await.is_ok())
}

/// Waits until `calls` calls are settled. The server may settle a body after the client has read all of it.
async fn settled(handle: &BreakerHandle, calls: u64) -> Totals {
    for _ in 0..1000 {
        let totals = handle.snapshot().totals;
        if totals.settled() >= calls {
            return totals;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("expected {calls} settled calls, found {:?}", handle.snapshot().totals);
}

#[tokio::test]
async fn both_classify_heads_alike() {
    let make = ServerErrorsAsFailures::make_classifier();
    let (address, handle, traced) = serve(make.clone(), TowerHttp::new(make)).await;
    for (method, path, status) in
        [("GET", "/", 200), ("HEAD", "/", 200), ("GET", "/404", 404), ("GET", "/503", 503)]
    {
        assert_eq!(fetch(address, method, path).await, (status, true));
    }
    let totals = settled(&handle, 4).await;
    assert_eq!((totals.success, totals.failure), (3, 1));
    assert_eq!(traced.take(), ["Status code: 503 Service Unavailable"]);
    let error = handle.snapshot().last_error.unwrap();
    assert_eq!(error.to_string(), "Service Unavailable (503)");
}

#[tokio::test]
async fn only_the_breaker_sees_a_body_that_breaks_after_a_200() {
    let make = ServerErrorsAsFailures::make_classifier();
    let (address, handle, traced) = serve(make.clone(), TowerHttp::new(make)).await;
    assert_eq!(fetch(address, "GET", "/breaks").await, (200, false));
    let totals = settled(&handle, 1).await;
    assert_eq!((totals.success, totals.failure), (0, 1));
    assert_eq!(handle.snapshot().last_error.unwrap().to_string(), "body broke");
    assert_eq!(
        traced.take(),
        [""; 0],
        "tower-http reports it now, and the documentation must change"
    );
}

#[tokio::test]
async fn both_read_the_trailers_of_grpc() {
    let failures = GrpcErrorsAsFailures::new().with_success(GrpcCode::NotFound);
    let make = SharedClassifier::new(failures);
    let (address, handle, traced) = serve(make.clone(), TowerHttp::new(make)).await;
    for path in ["/grpc/0", "/grpc/5", "/grpc/14"] {
        assert_eq!(fetch(address, "GET", path).await, (200, true));
    }
    let totals = settled(&handle, 3).await;
    assert_eq!((totals.success, totals.failure), (2, 1));
    assert_eq!(traced.take(), ["Status: Unavailable"]);
    assert_eq!(handle.snapshot().last_error.unwrap().to_string(), "UNAVAILABLE (14)");

    assert_eq!(fetch(address, "GET", "/breaks").await, (200, false));
    assert_eq!(settled(&handle, 4).await.failure, 2);
    assert_eq!(traced.take(), ["Error: lost the database"]);
}

#[tokio::test]
async fn each_failure_class_may_have_its_own_outcome() {
    let make = StatusInRangeAsFailures::new_for_client_and_server_errors().into_make_classifier();
    let classify = TowerHttp::new(make.clone()).outcome_with(|class| match class {
        StatusInRangeFailureClass::StatusCode(code) if code.as_u16() == 429 => Outcome::throttled(),
        StatusInRangeFailureClass::StatusCode(code) if code.is_client_error() => Outcome::success(),
        _ => Outcome::failure(),
    });
    let (address, handle, traced) = serve(make, classify).await;
    for path in ["/404", "/503", "/429"] {
        fetch(address, "GET", path).await;
    }
    let totals = settled(&handle, 3).await;
    assert_eq!((totals.success, totals.failure, totals.throttled), (1, 1, 1));
    assert_eq!(traced.take().len(), 3);
    // The 429 asked for a wait of 7 s.
    assert_eq!(fetch(address, "GET", "/").await.0, 503);
    assert_eq!(handle.snapshot().totals.settled(), 3);
}

#[tokio::test]
async fn the_rejection_of_another_breaker_is_not_a_failure() {
    let make = ServerErrorsAsFailures::make_classifier();
    let (inner, behind, _) = serve(make.clone(), TowerHttp::new(make.clone())).await;
    behind.force_open(None);
    let breaker = CircuitBreakerLayer::new(Config::http().classify(TowerHttp::new(make)));
    let handle = breaker.handle();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut proxy = ServiceBuilder::new().layer(breaker).service(client);
    for _ in 0..10 {
        let request = Request::get(format!("http://{inner}/")).body(Empty::<bytes::Bytes>::new());
        let response = proxy.ready().await.unwrap().call(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), 503);
    }
    assert_eq!(handle.snapshot().totals.ignored, 10);
}
