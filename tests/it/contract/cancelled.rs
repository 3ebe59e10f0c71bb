//! Calls that are dropped before their outcome is known.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tokio_test::assert_pending;
use tower::timeout::TimeoutLayer;
use tower::{Layer, Service, ServiceExt};
use tower_breaker::classify::{Classified, NeverDeferred};
use tower_breaker::{BreakerHandle, Permit, Settings, State, classify::Classify};

use crate::support::doubles::*;

fn impatient() -> Settings {
    settings().to_builder().cancelled_after(Duration::from_secs(1)).build().unwrap()
}

fn half_open(handle: &BreakerHandle, cancelled: u64) {
    let seen = handle.snapshot();
    assert_eq!((seen.state, seen.probes), (State::HalfOpen, 0));
    assert_eq!((seen.totals.cancelled, seen.totals.late), (cancelled, 0));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_probe_returns_its_lease() {
    let (mut service, script, handle) = guarded(config());
    trip(&mut service, &script, &handle).await;
    cool_down(&handle).await;
    script.reply(Reply::Hangs);
    for cancelled in 1..=3 {
        let mut future = tokio_test::task::spawn(service.ready().await.unwrap().call(()));
        assert_pending!(future.poll());
        assert_eq!(handle.snapshot().probes, 1);
        drop(future);
        half_open(&handle, cancelled);
    }
    script.reply(Reply::Ok);
    assert_eq!(call(&mut service).await.unwrap(), "ok");
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_future_was_never_polled_returns_its_lease() {
    let (mut service, script, handle) = guarded(config());
    trip(&mut service, &script, &handle).await;
    cool_down(&handle).await;
    let future = service.ready().await.unwrap().call(());
    assert_eq!((handle.snapshot().probes, script.calls()), (1, 3));
    drop(future);
    half_open(&handle, 1);
}

#[tokio::test(start_paused = true)]
async fn a_probe_outlives_its_service_and_returns_its_lease_when_dropped() {
    let (mut service, script, handle) = guarded(config());
    trip(&mut service, &script, &handle).await;
    cool_down(&handle).await;
    let mut last = service.clone();
    script.reply(Reply::Hangs);
    let future = service.ready().await.unwrap().call(());
    drop(service);
    assert_eq!(handle.snapshot().probes, 1);
    drop(future);
    half_open(&handle, 1);

    let future = last.ready().await.unwrap().call(());
    drop(last);
    script.finish(Ok("ok"));
    assert_eq!(future.await.unwrap(), "ok");
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_of_an_aborted_task_returns_its_lease() {
    let (mut service, script, handle) = guarded(config());
    trip(&mut service, &script, &handle).await;
    cool_down(&handle).await;
    script.reply(Reply::Hangs);
    let task = tokio::spawn(service.oneshot(()));
    tokio::task::yield_now().await;
    assert_eq!(handle.snapshot().probes, 1);
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    half_open(&handle, 1);
}

#[tokio::test(start_paused = true)]
async fn a_hung_server_behind_an_outer_timeout_trips_with_cancelled_after() {
    let (service, script, handle) = guarded(config().settings(impatient()));
    let mut service = TimeoutLayer::new(Duration::from_secs(1)).layer(service);
    script.reply(Reply::Hangs);
    for _ in 0..2 {
        assert_eq!(handle.state(), State::Closed);
        assert!(call(&mut service).await.unwrap_err().is::<tower::timeout::error::Elapsed>());
    }
    let seen = handle.snapshot();
    assert_eq!((seen.state, seen.totals.failure, seen.totals.cancelled), (State::Open, 2, 0));
    assert_eq!(seen.last_error.unwrap().reason, Some("cancelled after its time"));
}

#[tokio::test(start_paused = true)]
async fn a_call_cancelled_before_its_time_or_without_that_rule_is_neutral() {
    for (settings, timeout) in [(impatient(), 999), (settings(), 3_600_000)] {
        let (service, script, handle) = guarded(config().settings(settings));
        let mut service = TimeoutLayer::new(Duration::from_millis(timeout)).layer(service);
        script.reply(Reply::Hangs);
        for _ in 0..50 {
            call(&mut service).await.unwrap_err();
        }
        let seen = handle.snapshot();
        assert_eq!((seen.state, seen.totals.cancelled), (State::Closed, 50));
        assert_eq!((seen.window.calls, seen.window.consecutive_failures), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_cancelled_after_its_time_reopens_the_circuit() {
    let (mut service, script, handle) = guarded(config().settings(impatient()));
    trip(&mut service, &script, &handle).await;
    cool_down(&handle).await;
    script.reply(Reply::Hangs);
    let mut service = TimeoutLayer::new(Duration::from_secs(1)).layer(service);
    call(&mut service).await.unwrap_err();
    assert_eq!(handle.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn the_unwinding_of_the_caller_is_a_cancellation() {
    for polled in [false, true] {
        let (mut service, script, handle) = guarded(config());
        trip(&mut service, &script, &handle).await;
        cool_down(&handle).await;
        script.reply(Reply::Hangs);
        let ready = service.ready().await.unwrap();
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let mut future = tokio_test::task::spawn(ready.call(()));
            if polled {
                assert_pending!(future.poll());
            }
            panic!("in the caller");
        }));
        assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"in the caller"));
        half_open(&handle, 1);
    }
}

/// A classifier that moves the permit into the response, as a response body holds it.
#[derive(Clone)]
struct MovesPermit;

impl<Req, Res, E> Classify<Req, Res, E> for MovesPermit {
    type RequestInfo = ();
    type Response = (Res, Permit);
    type Deferred = NeverDeferred<Result<Self::Response, E>>;

    fn request(&self, _: &Req) {}

    fn result(
        &self,
        (): (),
        result: Result<Res, E>,
        permit: Permit,
    ) -> Classified<Result<Self::Response, E>, Self::Deferred> {
        Classified::Ready(result.map(|response| (response, permit)))
    }

    fn settled(&self, _: Res) -> Self::Response {
        unreachable!("there are no overrides")
    }
}

#[tokio::test(start_paused = true)]
async fn the_unwinding_of_the_reader_is_a_cancellation() {
    let (mut service, _, handle) = guarded(config().classify(MovesPermit).settings(impatient()));
    for held in [0, 1] {
        let response = call(&mut service).await.unwrap();
        tokio::time::advance(Duration::from_secs(held)).await;
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let _held = response;
            panic!("in the reader");
        }));
        assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"in the reader"));
    }
    let totals = handle.snapshot().totals;
    assert_eq!((totals.cancelled, totals.failure, totals.ignored), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_permit_settles_after_its_service_is_gone_and_on_another_thread() {
    let (mut service, _, handle) = guarded(config().classify(MovesPermit));
    let (response, permit) = call(&mut service).await.unwrap();
    assert_eq!((response, handle.snapshot().totals.settled()), ("ok", 0));
    drop(service);
    std::thread::spawn(|| permit.success()).join().unwrap();
    assert_eq!(handle.snapshot().totals.success, 1);
}
