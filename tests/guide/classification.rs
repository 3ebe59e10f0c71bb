//! The snippets of the chapter on classification.

use tower::{ServiceBuilder, ServiceExt, service_fn};

#[test]
fn codes_move_between_classes() {
    // guide: codes
    use tower_breaker::{Config, classify::Http};

    let http = Http::server().failure_on([408]).success_on([500]).weight_on([502, 504], 3);
    let config = Config::http().classify(http);
    // guide: end
    let _ = config;
}

#[derive(Debug)]
struct RateLimited {
    wait: std::time::Duration,
}

impl std::fmt::Display for RateLimited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("rate limited")
    }
}

impl std::error::Error for RateLimited {}

#[tokio::test]
async fn overrides_come_before_the_classifier() {
    // guide: overrides
    use http::Response;
    use std::io::{self, ErrorKind};
    use tower::{BoxError, timeout::error::Elapsed};
    use tower_breaker::{Config, Outcome};

    let config = Config::http_client()
        // These errors say nothing about the dependency.
        .ignore_errors(|error: &BoxError| error.is::<serde_json::Error>())
        // A field of an error of one type, anywhere in the chain of sources.
        .classify_caused_by(|cause: &RateLimited| {
            Some(Outcome::throttled().retry_after(cause.wait))
        })
        // A timeout weighs three failures.
        .classify_errors(|error: &BoxError| {
            error.is::<Elapsed>().then(|| Outcome::failure().weight(3))
        })
        // Of the remaining errors only these are failures. The others are successes.
        .only_caused_by(|cause: &io::Error| cause.kind() != ErrorKind::NotFound)
        // A response with a good status can still be a failure.
        .classify_responses(|response: &Response<String>| {
            response.headers().contains_key("x-degraded").then(Outcome::failure)
        });
    // guide: end
    let breaker = tower_breaker::CircuitBreakerLayer::new(config);
    let handle = breaker.handle();
    let client = service_fn(async |_: http::Request<()>| {
        let limited = RateLimited { wait: std::time::Duration::from_secs(9) };
        Err::<Response<String>, BoxError>(limited.into())
    });
    let service = ServiceBuilder::new().layer(breaker).service(client);
    service.oneshot(http::Request::new(())).await.unwrap_err();
    assert_eq!(handle.state(), tower_breaker::State::Open);
}

#[test]
fn a_closure_replaces_the_classifier() {
    // guide: closure
    use tower_breaker::{Config, Outcome};

    let config =
        Config::default().classify_fn(|result: Result<&u32, &std::io::Error>| match result {
            Ok(0) | Err(_) => Outcome::failure(),
            Ok(_) => Outcome::success(),
        });
    // guide: end
    let _ = config;
}

#[test]
fn the_overload_of_a_proxy_is_throttled() {
    // guide: envoy
    use http::Response;
    use hyper::body::Incoming;
    use tower_breaker::{Config, Outcome};

    let config = Config::http_client().classify_responses(|response: &Response<Incoming>| {
        response.headers().contains_key("x-envoy-overloaded").then(Outcome::throttled)
    });
    // guide: end
    let _ = config;
}

#[tokio::test]
async fn a_boxed_service_compiles_in_a_spawned_block() {
    let client = service_fn(|digits: String| async move { Ok(digits.parse::<u32>()?) });
    // guide: spawned
    use std::num::ParseIntError;
    use tower::{BoxError, ServiceBuilder, ServiceExt, util::BoxCloneSyncService};
    use tower_breaker::{CircuitBreakerLayer, Config};

    let task = tokio::spawn(async move {
        let config =
            Config::default().ignore_errors(|error: &BoxError| error.is::<ParseIntError>());
        let service = ServiceBuilder::new().layer(CircuitBreakerLayer::new(config)).service(client);
        BoxCloneSyncService::new(service).oneshot("7".to_owned()).await
    });
    // guide: end
    assert_eq!(task.await.unwrap().unwrap(), 7);
}
