//! The policy with HTTP and gRPC responses, alone and around a breaker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::{Request, Response};
use tokio::time::Instant;
use tower::retry::{Policy, RetryLayer};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use super::RetryPolicy;
use crate::classify::{Grpc, Http};
use crate::llm::Llm;
use crate::{
    Backoff, BoxError, BreakerBody, BreakerHandle, CircuitBreakerLayer, CircuitOpen, Config,
    Outcome, Provider, State,
};

const S: fn(u64) -> Duration = Duration::from_secs;

type Answer = Result<Response<String>, BoxError>;

fn exact(retries: u32) -> RetryPolicy {
    RetryPolicy::new(retries).backoff(Backoff::exponential(S(1), S(8)).jitter(0.0))
}

fn answer(status: u16, headers: &[(&str, &str)]) -> Response<String> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(String::new()).unwrap()
}

fn retried<P>(mut policy: P, status: u16, headers: &[(&str, &str)]) -> bool
where
    P: Policy<(), Response<String>, BoxError>,
{
    policy.retry(&mut (), &mut Ok(answer(status, headers))).is_some()
}

#[tokio::test]
async fn a_status_is_retried_as_the_breaker_classifies_it() {
    for (status, expected) in [
        (200, false),
        (400, false),
        (404, false),
        (409, false),
        (429, true),
        (500, true),
        (501, false),
        (503, true),
        (529, true),
    ] {
        assert_eq!(retried(exact(1), status, &[]), expected, "{status}");
    }
    assert!(retried(exact(1), 200, &[("grpc-status", "14")]));
    assert!(retried(exact(1), 200, &[("grpc-status", "8")]));
    assert!(!retried(exact(1), 200, &[("grpc-status", "3")]));
}

#[tokio::test]
async fn headers_are_obeyed_before_the_status() {
    assert!(retried(exact(1), 409, &[("x-should-retry", "true")]));
    assert!(!retried(exact(1), 503, &[("x-should-retry", "false")]));
    assert!(!retried(exact(1), 200, &[("grpc-status", "14"), ("grpc-retry-pushback-ms", "-1")]));
    assert!(retried(exact(1), 200, &[("grpc-status", "14"), ("grpc-retry-pushback-ms", "5")]));
    let answered = [("x-circuit-open", "db"), ("x-should-retry", "true"), ("retry-after", "1")];
    assert!(!retried(exact(1), 503, &answered));
    assert!(retried(exact(1).wait_for_circuit(S(1)), 503, &answered));
}

#[tokio::test]
async fn the_classifiers_of_the_breaker_also_read_the_headers() {
    let http = || exact(1).classify(Http::client().failure_on([409]));
    let llm = || exact(1).classify(Llm::new(Provider::OpenAi));
    let grpc = || exact(1).classify(Grpc::client().failure_on([5]));
    assert!(retried(http(), 409, &[]) && !retried(http(), 402, &[]));
    assert!(retried(llm(), 529, &[]) && !retried(llm(), 402, &[]));
    assert!(retried(grpc(), 200, &[("grpc-status", "5")]) && !retried(grpc(), 200, &[]));
    for (name, value, expected) in
        [("x-should-retry", "true", true), ("x-should-retry", "false", false)]
    {
        let found = [
            retried(http(), 503, &[(name, value)]),
            retried(llm(), 503, &[(name, value)]),
            retried(grpc(), 503, &[(name, value)]),
        ];
        assert_eq!(found, [expected; 3]);
    }
    let open = [("x-circuit-open", "db")];
    let found =
        [retried(http(), 503, &open), retried(llm(), 503, &open), retried(grpc(), 503, &open)];
    assert_eq!(found, [false; 3]);
}

#[tokio::test]
async fn a_closure_decides_alone() {
    let http = Http::client();
    let policy =
        exact(1).classify_fn(move |result: Result<&Response<String>, &BoxError>| match result {
            Ok(response) if response.status() == 418 => Outcome::failure(),
            result => http.outcome(result),
        });
    assert!(retried(policy.clone(), 418, &[]));
    assert!(retried(policy.clone(), 503, &[("x-should-retry", "false")]));
    assert!(!retried(policy.clone(), 409, &[("x-should-retry", "true")]));
    assert!(!retried(policy, 503, &[("x-circuit-open", "db")]));
}

/// A retry around a breaker around a server whose response is a function of the number of the call.
fn stack<F>(
    policy: RetryPolicy,
    config: Config<Http>,
    server: F,
) -> (
    impl Service<Request<()>, Response = Response<BreakerBody<String>>, Error = BoxError> + Clone,
    BreakerHandle,
    Arc<AtomicU32>,
)
where
    F: Fn(u32) -> Answer + Clone,
{
    let breaker = CircuitBreakerLayer::new(config);
    let handle = breaker.handle();
    let hits = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&hits);
    let service =
        ServiceBuilder::new().layer(RetryLayer::new(policy)).layer(breaker).service(service_fn(
            move |_: Request<()>| std::future::ready(server(seen.fetch_add(1, Ordering::Relaxed))),
        ));
    (service, handle, hits)
}

#[tokio::test(start_paused = true)]
async fn an_outage_costs_no_call_after_the_circuit_has_opened() {
    let policy = RetryPolicy::new(100).backoff(Backoff::fixed(S(1)));
    let (service, handle, hits) = stack(policy, Config::http_client(), |_| Ok(answer(503, &[])));
    let start = Instant::now();
    let error = service.clone().oneshot(Request::new(())).await.unwrap_err();
    assert!(CircuitOpen::find(&*error).is_some());
    assert_eq!((handle.state(), hits.load(Ordering::Relaxed)), (State::Open, 5));
    assert_eq!(start.elapsed(), S(5));

    for _ in 0..50 {
        service.clone().oneshot(Request::new(())).await.unwrap_err();
    }
    assert_eq!((start.elapsed(), hits.load(Ordering::Relaxed)), (S(5), 5));
    assert_eq!(handle.snapshot().totals.rejected, 51);
}

#[tokio::test(start_paused = true)]
async fn a_backoff_that_outlasts_the_cooldown_comes_back_as_a_probe() {
    let config = Config::http_client();
    let (service, handle, hits) = stack(exact(100), config, |_| Ok(answer(503, &[])));
    let start = Instant::now();
    let error = service.oneshot(Request::new(())).await.unwrap_err();
    // Five failures by second 15, then a probe at second 23. The second cooldown is about 10 s, and the next retry waits 8 s.
    assert!(CircuitOpen::find(&*error).is_some());
    assert!(hits.load(Ordering::Relaxed) >= 6, "{}", hits.load(Ordering::Relaxed));
    assert_eq!(handle.snapshot().totals.rejected, 1);
    assert!(start.elapsed() <= S(47), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_is_over_after_the_backoff() {
    let (service, handle, hits) = stack(exact(3), Config::http_client(), |nth| match nth {
        0 => Err("reset".into()),
        1 => Ok(answer(502, &[])),
        _ => Ok(answer(200, &[])),
    });
    let start = Instant::now();
    let response = service.oneshot(Request::new(())).await.unwrap();
    assert_eq!((response.status().as_u16(), start.elapsed()), (200, S(3)));
    assert_eq!((handle.state(), hits.load(Ordering::Relaxed)), (State::Closed, 3));
}

#[tokio::test(start_paused = true)]
async fn the_retry_comes_after_the_hold_of_the_breaker_for_the_same_wait() {
    for _ in 0..200 {
        let (service, handle, hits) = stack(exact(1), Config::http_client(), |nth| match nth {
            0 => Ok(answer(429, &[("retry-after", "5")])),
            _ => Ok(answer(200, &[])),
        });
        let start = Instant::now();
        let response = service.oneshot(Request::new(())).await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(
            (Duration::from_millis(5_500)..=Duration::from_millis(6_001))
                .contains(&start.elapsed())
        );
        assert_eq!((handle.state(), hits.load(Ordering::Relaxed)), (State::Closed, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn it_works_around_the_breaker_of_an_llm() {
    let breaker = CircuitBreakerLayer::new(Config::llm(Provider::Anthropic));
    let handle = breaker.handle();
    let hits = AtomicU32::new(0);
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(exact(2)))
        .layer(breaker)
        .timeout(S(30))
        .service(service_fn(|request: Request<&'static str>| {
            assert_eq!(*request.body(), "{}");
            let status = [529, 200, 400][hits.fetch_add(1, Ordering::Relaxed) as usize];
            std::future::ready(Ok::<_, BoxError>(answer(status, &[])))
        }));
    let start = Instant::now();
    let response = service.clone().oneshot(Request::new("{}")).await.unwrap();
    assert_eq!((response.status().as_u16(), start.elapsed()), (200, S(1)));
    let response = service.oneshot(Request::new("{}")).await.unwrap();
    assert_eq!((response.status().as_u16(), start.elapsed()), (400, S(1)));
    assert_eq!(hits.load(Ordering::Relaxed), 3);
    assert_eq!(handle.snapshot().totals.failure, 1);
}
