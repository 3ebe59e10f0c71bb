use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::time::Instant;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use super::*;
use crate::{
    Backoff, BoxError, BreakerError, BreakerHandle, Cause, CircuitBreakerLayer, CircuitOpen,
    Config, Settings, State as Circuit, Trip, rejection::RejectWithBreakerError,
};

const COOLDOWN: Duration = Duration::from_secs(5);

/// Retries every error up to `left` times, and counts the calls of `retry`.
#[derive(Clone)]
struct Attempts {
    left: u32,
    calls: Arc<AtomicU32>,
}

impl Attempts {
    fn new(left: u32) -> Self {
        Self { left, calls: Arc::default() }
    }

    fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }
}

impl<Res, E> Policy<(), Res, E> for Attempts {
    type Future = Ready<()>;

    fn retry(&mut self, (): &mut (), result: &mut Result<Res, E>) -> Option<Ready<()>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let wants = result.is_err() && self.left > 0;
        wants.then(|| {
            self.left -= 1;
            ready(())
        })
    }

    fn clone_request(&mut self, (): &()) -> Option<()> {
        Some(())
    }
}

fn open(wait: Option<Duration>) -> CircuitOpen {
    CircuitOpen::new(std::sync::Arc::new("db".into()), Circuit::Open, Cause::FailureRate, wait)
}

fn settings() -> Settings {
    let trip = Trip::none().consecutive(3);
    Settings::builder().trip(trip).cooldown(Backoff::fixed(COOLDOWN)).build().unwrap()
}

/// A retry around a breaker that opens after 3 failures, around a service that fails `failures` times and then succeeds.
fn stack(
    policy: StopAtRejection<Attempts>,
    failures: u32,
) -> (impl Service<(), Response = u32, Error = BoxError>, BreakerHandle, Arc<AtomicU32>) {
    let breaker = CircuitBreakerLayer::new(Config::default().settings(settings()));
    let handle = breaker.handle();
    let hits = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&hits);
    let service =
        ServiceBuilder::new().retry(policy).layer(breaker).service(service_fn(move |()| {
            let hit = seen.fetch_add(1, Ordering::Relaxed);
            ready(if hit < failures { Err::<_, BoxError>("down".into()) } else { Ok(hit) })
        }));
    (service, handle, hits)
}

#[tokio::test(start_paused = true)]
async fn retries_end_at_the_rejection_and_the_policy_does_not_see_it() {
    let attempts = Attempts::new(100);
    let (service, _, hits) = stack(StopAtRejection::new(attempts.clone()), u32::MAX);
    let start = Instant::now();
    let error = service.oneshot(()).await.unwrap_err();
    assert!(CircuitOpen::find(&*error).is_some());
    assert_eq!((hits.load(Ordering::Relaxed), attempts.calls()), (3, 3));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn other_errors_and_successes_are_left_to_the_policy() {
    let attempts = Attempts::new(2);
    let (mut service, _, hits) = stack(StopAtRejection::new(attempts.clone()), 2);
    assert_eq!(service.ready().await.unwrap().call(()).await.unwrap(), 2);
    assert_eq!((hits.load(Ordering::Relaxed), attempts.calls()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_a_circuit_with_a_known_wait_and_retries_without_the_policy() {
    let attempts = Attempts::new(3);
    let policy = StopAtRejection::new(attempts.clone()).wait_for_circuit(COOLDOWN);
    let (service, handle, hits) = stack(policy, 3);
    let start = Instant::now();
    assert_eq!(service.oneshot(()).await.unwrap(), 3);
    assert_eq!(start.elapsed(), COOLDOWN);
    assert_eq!(handle.state(), Circuit::Closed);
    // Three failures and the success. The policy did not see the rejection between them.
    assert_eq!((hits.load(Ordering::Relaxed), attempts.calls()), (4, 4));
}

#[tokio::test(start_paused = true)]
async fn it_does_not_wait_longer_than_the_maximum() {
    let policy = StopAtRejection::new(Attempts::new(9)).wait_for_circuit(Duration::from_secs(4));
    let (service, _, hits) = stack(policy, u32::MAX);
    let start = Instant::now();
    let error = service.oneshot(()).await.unwrap_err();
    assert!(CircuitOpen::find(&*error).is_some());
    assert_eq!((start.elapsed(), hits.load(Ordering::Relaxed)), (Duration::ZERO, 3));
}

#[tokio::test(start_paused = true)]
async fn it_does_not_wait_if_the_wait_is_unknown() {
    let policy = StopAtRejection::new(Attempts::new(9)).wait_for_circuit(Duration::MAX);
    let (service, handle, hits) = stack(policy, 0);
    handle.force_open(None);
    service.oneshot(()).await.unwrap_err();
    assert_eq!(hits.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn by_default_a_request_waits_only_once() {
    let policy = StopAtRejection::new(Attempts::new(9)).wait_for_circuit(COOLDOWN);
    let (service, handle, hits) = stack(policy, u32::MAX);
    let start = Instant::now();
    let error = service.oneshot(()).await.unwrap_err();
    // Three failures, a wait, a failed probe, a rejection.
    assert!(CircuitOpen::find(&*error).is_some());
    assert_eq!((start.elapsed(), hits.load(Ordering::Relaxed)), (COOLDOWN, 4));
    assert_eq!(handle.snapshot().totals.rejected, 2);
}

#[tokio::test(start_paused = true)]
async fn the_number_of_waits_belongs_to_one_request() {
    let policy =
        StopAtRejection::new(Attempts::new(0)).wait_for_circuit(COOLDOWN).max_circuit_waits(1);
    let (mut service, handle, _) = stack(policy, 0);
    for _ in 0..3 {
        handle.hold_for(COOLDOWN);
        service.ready().await.unwrap().call(()).await.unwrap();
    }
    assert_eq!(handle.snapshot().totals.rejected, 3);
}

#[tokio::test(start_paused = true)]
async fn zero_waits_means_no_wait() {
    let policy =
        StopAtRejection::new(Attempts::new(9)).wait_for_circuit(COOLDOWN).max_circuit_waits(0);
    let (service, _, hits) = stack(policy, u32::MAX);
    service.oneshot(()).await.unwrap_err();
    assert_eq!(hits.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn a_typed_rejection_of_any_inner_error_is_found() {
    #[derive(Debug)]
    struct Plain;
    let breaker = CircuitBreakerLayer::new(Config::default().on_rejected(RejectWithBreakerError));
    breaker.handle().force_open(None);
    let attempts = Attempts::new(9);
    let service = ServiceBuilder::new()
        .retry(StopAtRejection::new(attempts.clone()))
        .layer(breaker)
        .service(service_fn(|()| ready(Err::<(), _>(Plain))));
    assert!(matches!(service.oneshot(()).await, Err(BreakerError::Open(_))));
    assert_eq!(attempts.calls(), 0);
}

#[test]
fn a_request_that_the_policy_does_not_clone_is_not_cloned() {
    #[derive(Clone)]
    struct Never;
    impl Policy<(), (), BoxError> for Never {
        type Future = Ready<()>;
        fn retry(&mut self, (): &mut (), _: &mut Result<(), BoxError>) -> Option<Ready<()>> {
            unreachable!()
        }
        fn clone_request(&mut self, (): &()) -> Option<()> {
            None
        }
    }
    assert_eq!(StopAtRejection::new(Never).clone_request(&()), None);
}

#[test]
fn a_rejection_is_found_in_every_error_that_may_hold_one() {
    let wait = Some(COOLDOWN);
    let boxed: BoxError = Box::new(open(wait));
    let nested: BoxError = Box::new(BreakerError::<io::Error>::Open(open(wait)));
    let below = BreakerError::Inner(Box::new(open(wait)) as BoxError);
    let found = [
        open(wait).as_rejection().is_some(),
        boxed.as_rejection().is_some(),
        nested.as_rejection().is_some(),
        BreakerError::<()>::Open(open(wait)).as_rejection().is_some(),
        below.as_rejection().is_some(),
        io::Error::other(open(wait)).as_rejection().is_some(),
        io::Error::other(io::Error::other(open(wait))).as_rejection().is_some(),
    ];
    assert_eq!(found, [true; 7]);

    let other: BoxError = "down".into();
    assert!(other.as_rejection().is_none());
    assert!(BreakerError::Inner(()).as_rejection().is_none());
    assert!(BreakerError::Inner(open(wait)).as_rejection().is_some());
    assert!(io::Error::from(io::ErrorKind::TimedOut).as_rejection().is_none());
}

#[test]
fn the_future_is_named_and_as_send_as_that_of_the_policy() {
    fn shared<T: Send + Sync>() {}
    shared::<StopAtRejection<Attempts>>();
    shared::<RetryFuture<Ready<()>>>();
    fn is_policy<P: Policy<(), (), Infallible>>(_: &P) {}
    is_policy(&StopAtRejection::new(Attempts::new(0)));
    let _ = tower::retry::RetryLayer::new(StopAtRejection::new(Attempts::new(0))).layer(());
}
