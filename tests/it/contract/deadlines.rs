//! gRPC calls that are dropped at the deadline of their caller.

use std::convert::Infallible;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use proptest::prelude::*;
use tokio::time::{Instant, advance, sleep, timeout_at};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_breaker::classify::{Classified, NeverDeferred};
use tower_breaker::{
    BreakerHandle, CircuitBreakerLayer, Config, Outcome, Permit, Settings, State, Trip,
    classify::Classify, rejection::RejectWithGrpc,
};

type Body = UnsyncBoxBody<Bytes, Infallible>;
type Guards = Config<tower_breaker::classify::Grpc, RejectWithGrpc>;

fn presets() -> [Guards; 2] {
    // No `cancelled_after`, so only the deadline makes a drop a failure.
    let settings = Settings::builder().trip(Trip::none().consecutive(3)).build().unwrap();
    [Config::grpc().settings(settings.clone()), Config::grpc_client().settings(settings)]
}

fn request(timeout: Option<&str>) -> Request<()> {
    let request = Request::builder();
    let request = match timeout {
        Some(timeout) => request.header("grpc-timeout", timeout),
        None => request,
    };
    request.body(()).unwrap()
}

/// Makes one call that hangs, and drops it after a time.
async fn hangs(config: Guards, timeout: Option<&str>, dropped_after: Duration) -> BreakerHandle {
    let layer = CircuitBreakerLayer::new(config);
    let handle = layer.handle();
    let service =
        layer.layer(service_fn(async |_| pending::<Result<Response<Body>, Infallible>>().await));
    let until = Instant::now() + dropped_after;
    timeout_at(until, service.oneshot(request(timeout))).await.unwrap_err();
    handle
}

#[track_caller]
fn counted(handle: &BreakerHandle, failure: u64, cancelled: u64) {
    let seen = handle.snapshot();
    let totals = seen.totals;
    assert_eq!((totals.failure, totals.cancelled, totals.settled()), (failure, cancelled, 1));
    let reason = seen.last_error.and_then(|error| error.reason);
    assert_eq!(reason, (failure > 0).then_some("deadline exceeded"));
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_before_its_deadline_is_cancelled_and_from_then_on_a_failure() {
    for (ms, failures) in [(0, 0), (1, 0), (999, 0), (1_000, 1), (1_001, 1), (60_000, 1)] {
        for config in presets() {
            let handle = hangs(config, Some("1S"), Duration::from_millis(ms)).await;
            counted(&handle, failures, 1 - failures);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_valid_deadline_a_drop_is_cancelled() {
    for timeout in [None, Some("1"), Some("1s"), Some("-1S"), Some("100000000n"), Some("soon")] {
        for config in presets() {
            counted(&hangs(config, timeout, Duration::from_secs(3_600)).await, 0, 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_hang_beyond_their_deadlines_open_the_circuit() {
    for config in presets() {
        let layer = CircuitBreakerLayer::new(config);
        let handle = layer.handle();
        let mut service = layer
            .layer(service_fn(async |_| pending::<Result<Response<Body>, Infallible>>().await));
        for _ in 0..3 {
            assert_eq!(handle.state(), State::Closed);
            let call = service.ready().await.unwrap().call(request(Some("50m")));
            tokio::time::timeout(Duration::from_millis(50), call).await.unwrap_err();
        }
        assert_eq!(handle.state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_never_polled_has_a_deadline() {
    let [config, _] = presets();
    let layer = CircuitBreakerLayer::new(config);
    let handle = layer.handle();
    let mut service =
        layer.layer(service_fn(async |_| pending::<Result<Response<Body>, Infallible>>().await));
    let call = service.ready().await.unwrap().call(request(Some("1S")));
    advance(Duration::from_secs(1)).await;
    drop(call);
    counted(&handle, 1, 0);
}

/// Returns a response whose body sends the given number of messages and then hangs.
async fn responded(
    config: Guards,
    messages: usize,
) -> (BreakerHandle, Response<tower_breaker::BreakerBody<Body>>) {
    let layer = CircuitBreakerLayer::new(config);
    let handle = layer.handle();
    let service = layer.layer(service_fn(move |_| async move {
        let message = |_| Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[0; 5])));
        let frames = stream::iter((0..messages).map(message)).chain(stream::pending());
        let response = Response::builder().header("content-type", "application/grpc");
        Ok::<_, Infallible>(response.body(StreamBody::new(frames).boxed_unsync()).unwrap())
    }));
    let response = service.oneshot(request(Some("1S"))).await.unwrap();
    (handle, response)
}

#[tokio::test(start_paused = true)]
async fn a_body_dropped_before_its_first_message_is_classified_by_the_deadline() {
    for (ms, failures) in [(999, 0), (1_000, 1), (5_000, 1)] {
        for config in presets() {
            let (handle, response) = responded(config, 0).await;
            let mut body = response.into_body();
            let until = Instant::now() + Duration::from_millis(ms);
            timeout_at(until, body.frame()).await.unwrap_err();
            drop(body);
            counted(&handle, failures, 1 - failures);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_dropped_after_a_message_is_a_success_regardless_of_the_deadline() {
    for config in presets() {
        let (handle, response) = responded(config, 1).await;
        let mut body = response.into_body();
        body.frame().await.unwrap().unwrap();
        sleep(Duration::from_secs(5)).await;
        drop(body);
        assert_eq!((handle.snapshot().totals.success, handle.snapshot().totals.failure), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_was_never_polled_is_cancelled_even_at_the_deadline() {
    for config in presets() {
        let (handle, response) = responded(config, 0).await;
        sleep(Duration::from_secs(5)).await;
        drop(response);
        counted(&handle, 0, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_taken_out_of_its_guard_is_not_dropped() {
    let [config, _] = presets();
    let (handle, response) = responded(config, 0).await;
    let mut body = response.into_body();
    tokio::time::timeout(Duration::from_secs(5), body.frame()).await.unwrap_err();
    assert!(body.into_inner().is_ok());
    assert_eq!(handle.snapshot().totals.success, 1);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_at_its_deadline_reopens_the_circuit() {
    let [config, _] = presets();
    let layer = CircuitBreakerLayer::new(config);
    let handle = layer.handle();
    handle.hold_for(Duration::from_secs(5));
    sleep(Duration::from_secs(5)).await;
    assert_eq!(handle.state(), State::HalfOpen);
    let service =
        layer.layer(service_fn(async |_| pending::<Result<Response<Body>, Infallible>>().await));
    let call = service.oneshot(request(Some("1S")));
    tokio::time::timeout(Duration::from_secs(1), call).await.unwrap_err();
    assert_eq!(handle.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn overrides_leave_the_deadline_in_force() {
    let [config, _] = presets();
    let layer = CircuitBreakerLayer::new(config.ignore_errors(|_: &Infallible| true));
    let handle = layer.handle();
    let service =
        layer.layer(service_fn(async |_| pending::<Result<Response<Body>, Infallible>>().await));
    let call = service.oneshot(request(Some("1S")));
    tokio::time::timeout(Duration::from_secs(1), call).await.unwrap_err();
    counted(&handle, 1, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_drop_is_a_failure_exactly_from_the_deadline_on(deadline in 0..2_000_u64, dropped in 0..2_000_u64) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let failure = u64::from(dropped >= deadline);
        for config in presets() {
            let timeout = format!("{deadline}m");
            let handle = runtime.block_on(hangs(config, Some(&timeout), Duration::from_millis(dropped)));
            let totals = handle.snapshot().totals;
            prop_assert_eq!((totals.failure, totals.cancelled), (failure, 1 - failure));
        }
    }
}

/// A classifier that panics when it classifies a drop.
#[derive(Clone)]
struct Panics;

impl Classify<(), (), Infallible> for Panics {
    type RequestInfo = ();
    type Response = ();
    type Deferred = NeverDeferred<Result<(), Infallible>>;

    fn request(&self, (): &()) {}

    fn result(
        &self,
        (): (),
        result: Result<(), Infallible>,
        permit: Permit,
    ) -> Classified<Result<(), Infallible>, Self::Deferred> {
        permit.success();
        Classified::Ready(result)
    }

    fn dropped((): ()) -> Option<Outcome> {
        panic!("in the classifier")
    }

    fn settled(&self, (): ()) {}
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_classifier_on_a_drop_is_ignored() {
    let layer = CircuitBreakerLayer::new(Config::default().classify(Panics));
    let handle = layer.handle();
    let mut service = layer.layer(service_fn(async |()| pending::<Result<(), Infallible>>().await));
    let call = service.ready().await.unwrap().call(());
    let unwound = catch_unwind(AssertUnwindSafe(|| drop(call)));
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"in the classifier"));
    let totals = handle.snapshot().totals;
    assert_eq!((totals.ignored, totals.settled()), (1, 1));

    // A second panic while the caller unwinds would abort the process.
    let ready = service.ready().await.unwrap();
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _call = ready.call(());
        panic!("in the caller");
    }));
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"in the caller"));
    assert_eq!(handle.snapshot().totals.ignored, 2);
}
