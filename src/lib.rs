//! Circuit breaker and fallback layers for [tower](https://docs.rs/tower): HTTP, gRPC and LLM APIs.
//!
//! [`CircuitBreakerLayer`] stops calling a dependency that fails, and later sends one probe at a time.
//! [`FallbackLayer`] answers in place of a call that failed or was rejected.
#![cfg_attr(
    feature = "http",
    doc = r#"
```
# #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tower::BoxError> {
use std::time::Duration;
use tower::{ServiceBuilder, ServiceExt, retry::RetryLayer, timeout::TimeoutLayer};
use tower_breaker::{CircuitBreakerLayer, Config, FallbackLayer, Settings, Trip};
# use http::{Request, Response};
# use tower::{BoxError, service_fn};
# let backup = service_fn(|_: Request<String>| async { Ok::<_, BoxError>(Response::new("backup".to_owned())) });
# let client = service_fn(|_: Request<String>| async {
#     Ok::<_, BoxError>(Response::builder().status(503).body(String::new()).unwrap())
# });
# #[derive(Clone)] struct OneTry;
# impl<R, E> tower::retry::Policy<Request<String>, R, E> for OneTry {
#     type Future = std::future::Ready<()>;
#     fn retry(&mut self, _: &mut Request<String>, _: &mut Result<R, E>) -> Option<Self::Future> { None }
#     fn clone_request(&mut self, request: &Request<String>) -> Option<Request<String>> { Some(request.clone()) }
# }
# let policy = OneTry;

// Opens after 5 consecutive failures, at a failure rate of 50 %, or when 5 calls have been pending for 5 s.
let trip = Trip::none().consecutive(5).failure_rate(0.5, 20).overdue(5, Duration::from_secs(5));
let settings = Settings::http_client().to_builder().trip(trip).build()?;
let breaker = CircuitBreakerLayer::new(Config::http_client().settings(settings));
let handle = breaker.handle(); // state, events and manual control

let service = ServiceBuilder::new()
    .layer(FallbackLayer::service(backup)) // answers for a failure and for a rejection
    .layer(RetryLayer::new(policy)) // one retry; stops at a rejection
    .layer(breaker) // counts every attempt
    .layer(TimeoutLayer::new(Duration::from_secs(30))) // innermost, so that a timeout is a failure
    .service(client);
# let response = service.oneshot(Request::new(String::new())).await.unwrap();
# assert_eq!(response.into_body().into_inner().unwrap(), "backup");
# assert_eq!(handle.snapshot().totals.failure, 1);
# Ok(())
# }
```
"#
)]
//!
//! In axum: `Router::new().route(…).layer(CircuitBreakerLayer::new(Config::http()))`. All routes of the router share that
//! breaker. With a layer on each route (`get(handler).layer(…)`), a buggy route does not open the circuit of the others.
//!
//! # Where to look
//!
//! | | |
//! |---|---|
#![cfg_attr(
    all(doc, not(doctest)),
    doc = "| [`guide`] | quick start, one chapter per integration, runbook, troubleshooting |"
)]
//! | [`circuit_breaker`] | the manual of the breaker: states, defaults, layer order, readiness |
//! | [`fallback`] | the manual of the fallback: sources, conditions, the kept part of a request |
//! | [`classify`] | classifiers for `Result`, HTTP, gRPC and LLM APIs, overrides, custom classifiers |
//! | [`rejection`] | rejection policies: an error, a response, another service |
//! | [`SettingsBuilder`] | every number, its default and range, and settings files |
//! | [`BreakerHandle`] | state, snapshot, events, listeners, manual control, and use without tower |
//! | [`handle::Observer`] | code that a breaker notifies of transitions and of calls that went wrong |
//! | [`CircuitOpen`] | the error of a rejected call |
//!
//! # Presets
//!
//! | preset | for | a failure is | a rejection becomes |
//! |---|---|---|---|
//! | `Config::default()` | any tower service | `Err` | a [`BoxError`] that holds [`CircuitOpen`] |
//! | `Config::http()` | HTTP servers and routers (axum) | `Err`, 5xx except 501 and 505, a body that breaks; 429 is ignored | 503 with `Retry-After`; the error type stays |
//! | `Config::http_client()` | HTTP clients | the same; 429 is throttled | a `BoxError` that holds `CircuitOpen` |
//! | `Config::grpc()` | gRPC servers | as HTTP, and five `grpc-status` codes; `RESOURCE_EXHAUSTED` is ignored | `UNAVAILABLE` with pushback; the error type stays |
//! | `Config::grpc_client()` | gRPC clients | the same; `RESOURCE_EXHAUSTED` is throttled | `UNAVAILABLE` with pushback; the error type stays |
//! | `Config::llm(provider)` | LLM APIs | an error that the provider reports as its own fault, in status, error body or stream; limits are throttled, used-up quotas exhausted | a `BoxError` that holds `CircuitOpen` |
//!
//! A throttled or exhausted call opens the circuit for as long as the server asked.
//!
//! A good head does not end a call: gRPC calls are classified by their trailers, LLM calls by their streams, and a body that
//! breaks is a failure. [`classify`](classify#bodies) describes when a call is settled, and how to classify other bodies.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `coarse-clock` | yes | Linux: readings of the clock at a fifth of the cost, see [`circuit_breaker`](circuit_breaker#time) |
//! | `http` | yes | the presets for HTTP and gRPC, waits such as `Retry-After`, classification of bodies, rejections as responses |
//! | `tracing` | yes | one event per transition |
//! | `grpc` | | waits in the details of a gRPC status (`google.rpc.RetryInfo`), read and sent |
//! | `llm` | | `Config::llm(provider)`: error bodies, server-sent events, NDJSON and AWS event streams of LLM APIs |
//! | `serde` | | [`Settings`] from and to YAML, TOML, JSON |
//! | `retry` | | `RetryPolicy` for tower's retry: retries failures and throttled calls, after the wait that the server asked for. `StopAtRejection`: any policy stops at a rejection, or waits for the circuit |
//! | `test_util` | | constructors of [`CircuitOpen`], [`Snapshot`] and [`Transition`] for the tests of your own code |
//!
//! The features of the integrations (axum, tonic, reqwest, reqwest-middleware, tower-http) are in
//! [`integration`].
//!
//! Without features the crate depends on `tokio` (clock and timer), `tower-layer`, `tower-service`, `futures-core` and
//! `pin-project`.
//!
//! # Rust version
//!
//! 1.88 or newer.
// docs.rs builds all features. Without these two, the targets of some links do not exist.
#![cfg_attr(not(all(feature = "http", feature = "llm")), allow(rustdoc::broken_intra_doc_links))]

mod backoff;
mod breaker;
pub mod circuit_breaker;
pub mod classify;
mod clock;
mod error;
mod event;
pub mod fallback;
#[cfg(all(doc, not(doctest)))]
#[doc = include_str!("guide/links.md")]
#[doc = include_str!("../docs/guide/README.md")]
pub mod guide;
pub mod integration;
#[cfg(feature = "llm")]
pub mod llm;
#[cfg(all(test, loom))]
mod loom_tests;
mod machine;
mod outcome;
mod probe;
mod registry;
pub mod rejection;
#[cfg(feature = "retry")]
pub mod retry;
mod settings;
#[cfg(all(test, shuttle))]
mod shuttle_tests;
mod state;
mod sync;
mod trip;
mod window;

pub use backoff::Backoff;
pub use breaker::{BreakerHandle, Permit};
pub use circuit_breaker::config::Config;
pub use circuit_breaker::layer::CircuitBreakerLayer;
pub use circuit_breaker::service::CircuitBreaker;
#[cfg(feature = "http")]
pub use classify::body::BreakerBody;
pub use error::{AsRejection, BoxError, BreakerError, CircuitOpen};
pub use fallback::layer::FallbackLayer;
#[cfg(feature = "llm")]
pub use llm::providers::Provider;
pub use machine::{Snapshot, Transition};
pub use outcome::{Class, Outcome};
pub use probe::{Probe, Ramp};
pub use settings::{ConfigError, Exhausted, Settings, SettingsBuilder, Throttled};
pub use state::{Cause, Mode, State};
pub use trip::Trip;
pub use window::Window;

/// The types that a [`BreakerHandle`] returns: futures, streams, and the parts of a [`Snapshot`].
pub mod handle {
    pub use crate::breaker::{Changed, Events, GuardedStream, Watch, WrapFuture};
    pub use crate::event::{Lagged, Observer};
    pub use crate::machine::{Totals, WindowSnapshot};
    pub use crate::outcome::LastError;
}
