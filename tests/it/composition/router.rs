//! axum routers, served on loopback with a connection per request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::error_handling::HandleErrorLayer;
use axum::routing::get;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower::{BoxError, ServiceBuilder, ServiceExt};
use tower_breaker::{
    Backoff, BreakerHandle, CircuitBreakerLayer, CircuitOpen, Config, Settings, State,
};

use crate::support::doubles::opening_after;

/// The status that the handler returns, and the number of its calls.
#[derive(Clone, Default)]
struct Shop(Arc<(AtomicU16, AtomicUsize)>);

impl Shop {
    fn new(status: u16) -> Self {
        Self(Arc::new((AtomicU16::new(status), AtomicUsize::new(0))))
    }

    fn answers(&self, status: u16) {
        self.0.0.store(status, Ordering::Relaxed);
    }

    fn hits(&self) -> usize {
        self.0.1.load(Ordering::Relaxed)
    }

    fn handler(&self) -> impl Fn() -> std::future::Ready<StatusCode> + Clone + Send + Sync + use<> {
        let Self(shop) = self.clone();
        move || {
            shop.1.fetch_add(1, Ordering::Relaxed);
            let status = StatusCode::from_u16(shop.0.load(Ordering::Relaxed));
            std::future::ready(status.expect("a status; 1 panics"))
        }
    }
}

/// A breaker that opens after three failures, with a cooldown that is short enough for a test.
fn breaker() -> (
    CircuitBreakerLayer<tower_breaker::classify::Http, tower_breaker::rejection::RejectWithHttp>,
    BreakerHandle,
) {
    let layer = CircuitBreakerLayer::new(Config::http().name("shop").settings(brief()));
    let handle = layer.handle();
    (layer, handle)
}

fn brief() -> Settings {
    let cooldown = Backoff::fixed(Duration::from_millis(100));
    opening_after(3).to_builder().cooldown(cooldown).build().unwrap()
}

async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await });
    address
}

/// Sends one request on a new connection.
async fn fetch(address: SocketAddr, path: &str) -> Result<(StatusCode, HeaderMap), BoxError> {
    let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
    let request = Request::builder()
        .uri(format!("http://{address}{path}"))
        .body(Empty::<bytes::Bytes>::new())
        .unwrap();
    let head = client.request(request).await?.into_parts().0;
    Ok((head.status, head.headers))
}

async fn status(address: SocketAddr, path: &str) -> u16 {
    fetch(address, path).await.unwrap().0.as_u16()
}

async fn until(handle: &BreakerHandle, state: State) {
    let mut watch = handle.watch();
    let reached = async {
        while watch.state() != state {
            watch.changed().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), reached).await.expect("in time");
}

/// Every way to add the layer to a router.
fn routers(shop: &Shop) -> Vec<(&'static str, Router, BreakerHandle)> {
    let handler = || get(shop.handler());
    let mut routers = Vec::new();
    let mut add = |name, make: &dyn Fn(CircuitBreakerLayer<_, _>) -> Router| {
        let (layer, handle) = breaker();
        routers.push((name, make(layer), handle));
    };
    add("layer", &|layer| Router::new().route("/", handler()).layer(layer));
    add("route_layer", &|layer| Router::new().route("/", handler()).route_layer(layer));
    add("get.layer", &|layer| Router::new().route("/", handler().layer(layer)));
    add("get.route_layer", &|layer| Router::new().route("/", handler().route_layer(layer)));
    add("nest", &|layer| {
        Router::new().merge(Router::new().route("/", handler()).layer(layer)).with_state(())
    });
    add("builder", &|layer| {
        Router::new().route("/", handler()).layer(ServiceBuilder::new().layer(layer))
    });
    routers
}

#[tokio::test]
async fn it_opens_over_a_connection_per_request_and_recovers() {
    let shop = Shop::new(502);
    for (name, router, handle) in routers(&shop) {
        shop.answers(502);
        let before = shop.hits();
        let address = serve(router).await;
        for _ in 0..3 {
            assert_eq!(status(address, "/").await, 502, "{name}");
        }
        // With a long hold, the following checks do not depend on the speed of the machine.
        handle.hold_for(Duration::from_secs(3600));
        for _ in 0..10 {
            let (status, headers) = fetch(address, "/").await.unwrap();
            assert_eq!(
                (status.as_u16(), &headers["x-circuit-open"]),
                (503, &"shop".parse().unwrap())
            );
            assert!(headers.contains_key("retry-after"), "{name}");
        }
        assert_eq!((shop.hits() - before, handle.state()), (3, State::Open), "{name}");

        shop.answers(200);
        handle.force_open(None);
        handle.force_closed();
        assert_eq!(status(address, "/").await, 200, "{name}");
    }
}

#[tokio::test]
async fn it_half_opens_and_closes_by_itself_under_a_real_server() {
    let shop = Shop::new(500);
    let (layer, handle) = breaker();
    let address = serve(Router::new().route("/", get(shop.handler())).layer(layer)).await;
    for _ in 0..3 {
        assert_eq!(status(address, "/").await, 500);
    }
    until(&handle, State::HalfOpen).await;
    assert_eq!(status(address, "/").await, 500);
    assert_eq!(handle.snapshot().attempt, 1);
    shop.answers(200);
    until(&handle, State::HalfOpen).await;
    assert_eq!(status(address, "/").await, 200);
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test]
async fn a_guarded_route_does_not_affect_the_others() {
    let (bad, good) = (Shop::new(500), Shop::new(200));
    let (layer, handle) = breaker();
    let router = Router::new()
        .route("/bad", get(bad.handler()).layer(layer))
        .route("/good", get(good.handler()));
    let address = serve(router).await;
    handle.force_open(None);
    assert_eq!((status(address, "/bad").await, status(address, "/good").await), (503, 200));
    assert_eq!((bad.hits(), good.hits()), (0, 1));
}

#[tokio::test]
async fn the_routes_of_one_layer_share_their_breaker() {
    let (one, two) = (Shop::new(500), Shop::new(200));
    let (layer, handle) = breaker();
    let router = Router::new()
        .route("/one", get(one.handler()))
        .route("/two", get(two.handler()).post(two.handler()))
        .layer(layer);
    let address = serve(router).await;
    for _ in 0..3 {
        status(address, "/one").await;
    }
    handle.hold_for(Duration::from_secs(3600));
    assert_eq!(status(address, "/two").await, 503);
}

#[tokio::test]
async fn a_route_layer_does_not_see_what_no_route_matches() {
    let shop = Shop::new(200);
    let (layer, handle) = breaker();
    let router = Router::new().route("/", get(shop.handler())).route_layer(layer);
    let address = serve(router).await;
    handle.force_open(None);
    assert_eq!((status(address, "/none").await, status(address, "/").await), (404, 503));
}

#[tokio::test]
async fn a_handler_that_panics_counts_as_a_failure() {
    let shop = Shop::new(1);
    let (layer, handle) = breaker();
    let address = serve(Router::new().route("/", get(shop.handler())).layer(layer)).await;
    for _ in 0..3 {
        assert!(fetch(address, "/").await.is_err(), "the connection breaks");
    }
    assert_eq!(handle.snapshot().totals.failure, 3);
    handle.hold_for(Duration::from_secs(3600));
    assert_eq!(status(address, "/").await, 503);
}

#[tokio::test]
async fn a_breaker_that_rejects_with_an_error_goes_under_an_error_handler() {
    let shop = Shop::new(200);
    let layer = CircuitBreakerLayer::new(Config::default());
    let handle = layer.handle();
    let failing = HandleErrorLayer::new(|error: BoxError| async move {
        assert!(CircuitOpen::find(&*error).is_some());
        StatusCode::IM_A_TEAPOT
    });
    let stack = ServiceBuilder::new().layer(failing).layer(layer).timeout(Duration::from_secs(9));
    let router: Router = Router::new().route("/", get(shop.handler())).layer(stack);
    assert_eq!(ask(&router).await, 200);
    handle.force_open(None);
    assert_eq!(ask(&router).await, 418);
}

#[tokio::test]
async fn a_function_answers_for_a_route() {
    let shop = Shop::new(200);
    let config = Config::http().reject_with(|request: Request<Body>, why| {
        let body = format!("{} is {}", request.uri().path(), why.state());
        http::Response::builder().status(202).body(Body::from(body)).unwrap()
    });
    let layer = CircuitBreakerLayer::new(config);
    layer.handle().force_open(None);
    let router: Router = Router::new().route("/", get(shop.handler())).layer(layer);
    assert_eq!(ask(&router).await, 202);
}

async fn ask(router: &Router) -> u16 {
    let Ok(answer) = router.clone().oneshot(Request::new(Body::empty())).await;
    answer.status().as_u16()
}
