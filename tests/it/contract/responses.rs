//! HTTP responses that must do no harm.

use std::convert::Infallible;
use std::time::Duration;

use http::{Request, Response};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_breaker::Provider;
use tower_breaker::{CircuitBreakerLayer, Config, State};

const LONGEST: &str = "18446744073709551615";

/// A service that responds with a status and one header.
fn responds(
    status: u16,
    header: (&'static str, &'static str),
) -> impl Service<Request<()>, Response = Response<String>, Error = Infallible, Future: Send + 'static>
+ Clone {
    service_fn(move |_| async move {
        let head = Response::builder().status(status).header(header.0, header.1);
        Ok(head.body(String::new()).unwrap())
    })
}

async fn send<S: Service<Request<()>>>(service: &mut S, times: usize) {
    for _ in 0..times {
        let Ok(ready) = service.ready().await else { panic!("not ready") };
        let _ = ready.call(Request::new(())).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_429_of_one_client_is_ignored_on_a_server() {
    let layer = CircuitBreakerLayer::new(Config::http());
    let handle = layer.handle();
    let before = handle.snapshot();
    let mut service = layer.layer(responds(429, ("retry-after", LONGEST)));
    send(&mut service, 1_000).await;
    let mut after = handle.snapshot();
    assert_eq!(after.totals.ignored, 1_000);
    after.totals.ignored = 0;
    after.totals.admitted = before.totals.admitted;
    assert_eq!(after, before);
}

#[tokio::test(start_paused = true)]
async fn the_429_of_one_client_leaves_a_half_open_server_half_open() {
    let layer = CircuitBreakerLayer::new(Config::http());
    let handle = layer.handle();
    handle.hold_for(Duration::from_secs(1));
    tokio::time::advance(Duration::from_secs(1)).await;
    send(&mut layer.layer(responds(429, ("retry-after", "60"))), 3).await;
    assert_eq!((handle.state(), handle.snapshot().probes), (State::HalfOpen, 0));
    send(&mut layer.layer(responds(200, ("x", "y"))), 1).await;
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_longest_retry_after_is_harmless() {
    macro_rules! obeyed {
        ($($config:expr, $status:expr, $header:expr, $calls:expr, $cap:expr;)*) => {$(
            let layer = CircuitBreakerLayer::new($config);
            let handle = layer.handle();
            let mut service = layer.layer(responds($status, ($header, LONGEST)));
            // The client presets require the failures of a streak to span half a second.
            for _ in 0..$calls {
                send(&mut service, 1).await;
                tokio::time::advance(Duration::from_millis(200)).await;
            }
            let what = (stringify!($config), $status, $header);
            let seen = handle.snapshot();
            assert_eq!(seen.state, State::Open, "{what:?}");
            let requested = seen.asked_until.expect("the requested end is after the cap").into();
            assert!(tokio::time::Instant::now() + Duration::from_secs(1_000_000) < requested, "{what:?}");
            tokio::time::advance($cap.mul_f64(1.1)).await;
            assert_eq!(handle.state(), State::HalfOpen, "a probe may pass at the cap: {what:?}");
            // A probe that gets the same response fails, and the next call is rejected.
            send(&mut service, 2).await;
            assert_eq!(handle.state(), State::Open, "{what:?}");
            tokio::time::advance($cap.mul_f64(1.1)).await;
            send(&mut layer.layer(responds(200, ("grpc-status", "0"))), 1).await;
            assert_eq!(handle.state(), State::Closed, "{what:?}");
        )*};
    }
    let minute = Duration::from_secs(60);
    obeyed! {
        Config::http(), 503, "retry-after", 5, minute;
        Config::http(), 500, "retry-after-ms", 5, minute;
        Config::http_client(), 503, "retry-after", 5, minute;
        Config::http_client(), 429, "retry-after", 1, minute;
        Config::http_client(), 429, "x-ms-retry-after-ms", 1, minute;
        Config::grpc(), 503, "retry-after", 5, minute;
        Config::grpc_client(), 429, "grpc-retry-pushback-ms", 1, minute;
        Config::llm(Provider::OpenAi), 429, "retry-after", 1, 5 * minute;
        Config::llm(Provider::OpenAi), 402, "retry-after", 1, 60 * minute;
    }
}

#[tokio::test(start_paused = true)]
async fn an_endless_hold_still_sends_a_header_and_an_operator_can_end_it() {
    let layer = CircuitBreakerLayer::new(Config::http());
    let handle = layer.handle();
    handle.hold_for(Duration::MAX);
    let mut service = layer.layer(responds(200, ("x", "y")));
    let Ok(response) = service.ready().await.unwrap().call(Request::new(())).await;
    let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(wait > 365 * 24 * 60 * 60, "{wait}");
    handle.force_closed();
    let Ok(response) = service.ready().await.unwrap().call(Request::new(())).await;
    assert_eq!(response.status(), 200);
}
