//! The circuit breaker as a tower middleware.
//!
//! ```text
//!               a rule fires, or a server asks for a pause
//!   ┌────────┐ ────────────────────────────────────────────► ┌──────┐ ◄──────────────┐
//!   │ Closed │                                               │ Open │                │
//!   └────────┘                                               └──────┘                │
//!        ▲                                  the cooldown is over │                   │ a probe fails, or its
//!        │                                  and a call comes     ▼                   │ lease ends: longer cooldown
//!        │  enough probes succeed                          ┌──────────┐              │
//!        └──────────────────────────────────────────────── │ HalfOpen │ ─────────────┘
//!                       (after a ramp, if there is one)    └──────────┘
//!
//!   a person: ForcedOpen (rejects every call), Disabled (lets every call pass, records nothing),
//!             or any of the above in shadow (decides, rejects nobody)
//! ```
//!
//! **Closed** passes calls, **Open** rejects them, **HalfOpen** lets *probes* through, at most as many at a time as
//! [`Probe::in_flight`](crate::Probe::in_flight) says; the next call is rejected, never queued. Every change of state
//! begins a new *epoch*, and clears the window and the streak of failures. A call that ends in another epoch than it
//! began decides nothing and is counted as `late`.
//!
//! Nothing happens between calls. An open circuit whose cooldown is over *reads* as half-open; it becomes so with the
//! next call. There is no task and no timer unless somebody waits on the [handle](crate::BreakerHandle).
//!
//! # Defaults
//!
//! | | default, `http`, `grpc` | `http_client`, `grpc_client` | `llm` | setter |
//! |---|---|---|---|---|
//! | failures in a row | 5 | 5, spanning 500 ms | 5, spanning 500 ms | [`Trip::consecutive`](crate::Trip::consecutive), [`consecutive_over`](crate::Trip::consecutive_over) |
//! | failure rate | 50 % of at least 20 calls | the same | 50 % of at least 10 calls | [`Trip::failure_rate`](crate::Trip::failure_rate) |
//! | window | 30 s | 30 s | 60 s | [`window`](crate::SettingsBuilder::window) |
//! | overdue, failure count, slow calls | off | off | off | [`Trip::overdue`](crate::Trip::overdue), [`failures`](crate::Trip::failures), [`slow`](crate::Trip::slow) |
//! | a rule of your own | none | none | none | [`Config::trip_when`](crate::Config::trip_when) |
//! | cooldown | 5 s, doubled to 60 s, ±20 % | the same | 30 s, doubled to 5 min, ±20 % | [`cooldown`](crate::SettingsBuilder::cooldown), [`Config::cooldown_with`](crate::Config::cooldown_with) |
//! | first cooldown again after | as long Closed as the last one was | the same | the same | [`stable_for`](crate::SettingsBuilder::stable_for) |
//! | probes | 1 at a time, 1 success closes | the same | the same | [`probe`](crate::SettingsBuilder::probe) |
//! | lease of a probe | 35 s | 35 s | 120 s | [`Probe::lease`](crate::Probe::lease) |
//! | ramp | none | none | none | [`ramp`](crate::SettingsBuilder::ramp) |
//! | throttled | opens for as long as told, at most 60 s | the same | the same, 30 s if not told, at most 5 min | [`throttled`](crate::SettingsBuilder::throttled) |
//! | exhausted | opens for as long as told, 10 min if not, at most 1 h | the same | the same | [`exhausted`](crate::SettingsBuilder::exhausted) |
//! | a dropped call is a failure | never | after 10 s | after 60 s | [`cancelled_after`](crate::SettingsBuilder::cancelled_after) |
//! | what a result means | by preset, see [`classify`](crate::classify) | | | [`Config::classify`](crate::Config::classify), [`Config::classify_fn`](crate::Config::classify_fn) |
//! | rules before that | none | | | [`Config::ignore_errors`](crate::Config::ignore_errors) and others, see [`rules`](crate::classify::rules) |
//! | what a rejection becomes | by preset, see below | | | [`Config::on_rejected`](crate::Config::on_rejected), [`Config::reject_with`](crate::Config::reject_with) |
//! | name | that of the preset | | | [`Config::name`](crate::Config::name) |
//!
//! All the numbers, with their ranges: [`SettingsBuilder`](crate::SettingsBuilder).
//!
//! # Rejections
//!
//! | policy | a rejected call is | the error of the service | preset |
//! |---|---|---|---|
//! | [`RejectWithBoxError`](crate::rejection::RejectWithBoxError) | `Err`, a `BoxError` that holds [`CircuitOpen`](crate::CircuitOpen) | `BoxError` | `default`, `http_client`, `llm` |
//! | [`RejectWithBreakerError`](crate::rejection::RejectWithBreakerError) | `Err`, a [`BreakerError`](crate::BreakerError) | `BreakerError<E>` | |
//! | [`RejectWithInnerError`](crate::rejection::RejectWithInnerError) | `Err`, made by `E: From<CircuitOpen>` | `E` | |
//! | [`RejectWithHttp`](crate::rejection::RejectWithHttp) | 503 with `Retry-After` | `E` | `http` |
//! | [`RejectWithGrpc`](crate::rejection::RejectWithGrpc) | `UNAVAILABLE` with pushback | `E` | `grpc`, `grpc_client` |
//! | [`RejectWithFn`](crate::rejection::RejectWithFn) | what a function of the request and the rejection returns | `E` | |
//! | [`RejectWithService`](crate::rejection::RejectWithService) | the answer of another service | `E` | |
//!
//! # Readiness
//!
//! - While calls would be rejected, `poll_ready` is ready at once and does not poll the inner service. A `call` after
//!   such a ready is rejected, also if the circuit has half-opened meanwhile: the inner service was not polled.
//! - Otherwise readiness is that of the inner service. Callers that wait for it are woken when the circuit opens. Its
//!   readiness error is a failure, and is passed on.
//! - `poll_ready` never returns an error of its own: that would end a `Buffer` for good.
//! - The permit, and with it a probe's place, is taken in `call`. A service that is polled ready and dropped holds
//!   nothing here.
//! - `call` without a ready `poll_ready` panics.
//! - A balancer would see an endpoint that rejects at once as the fastest one. With
//!   [`pending_while_open`](Config::pending_while_open), `poll_ready` waits instead.
//!
//! # Layer order
//!
//! From the outside in: fallback, retry, breaker, timeout, client.
//!
//! - The timeout is inside. One that is outside drops the call, and a dropped call is neutral: it may have been the
//!   caller who went away. `cancelled_after` is the net for timeouts that are not yours.
//! - Retry outside: every attempt counts, and an open circuit ends the retrying if the policy stops at a rejection
//!   ([`CircuitOpen::find`](crate::CircuitOpen::find); with feature `retry`, `RetryPolicy` or `StopAtRejection`). Retry
//!   inside: a retried call counts once, by its last attempt, which suits errors that are noisy and independent.
//! - Limits (`ConcurrencyLimit`, `Buffer`) are outside. If the circuit opens between `poll_ready` and `call`, the call
//!   is rejected, and the inner service keeps what readiness reserved until the next call of that clone, or its drop.
//!
//! # Cancellation and panics
//!
//! A response future that is dropped records *cancelled*: it is in no rate and no streak, and a probe's place comes
//! back. After `cancelled_after` it is a failure. The same holds for a response body that is dropped before its first
//! content; one that is dropped later is a success. A panic of the inner service or of its body is a failure, one of a
//! classifier or of a rejection policy is not; both go on to the caller untouched.
//!
//! # Bodies and streams
//!
//! With a preset for HTTP, gRPC or LLM APIs, a call whose head is good ends with its body: see
//! [`classify`](crate::classify#bodies). A *probe* succeeds at its first content, so that half-open does not last as long
//! as a stream, and its lease ends there. Its body is watched further. If that breaks, the call is counted in
//! [`broken_after`](crate::machine::Totals::broken_after) beside its success, and is one failure of the period that followed, if
//! that still lasts: the first in a row of a closed circuit, or, where more probes are needed, a failed probe.
//!
//! A timeout of tower ends with the head. A body that stalls before its first content is still a pending call, for the
//! overdue rule and for `cancelled_after`; one that stalls behind it is no failure unless something inside breaks it.
//!
//! # Clones
//!
//! The breaker lives in the layer: all services of one layer, and all their clones, share it. axum calls `layer` once
//! per route and even once per connection, so that a breaker made there would never open. For one breaker around
//! services of different kinds there is [`CircuitBreakerLayer::join`](crate::CircuitBreakerLayer::join). A clone of a service is not ready: readiness
//! belongs to the one that was polled.
//!
//! # Time
//!
//! Tokio's clock, so that a test that pauses time has it all in its hands. With the feature `coarse-clock` (default;
//! Linux), what happens on every call reads the kernel's time of its last tick instead, which costs a fifth: a success
//! that is counted in a time window, the start of a call where [`cancelled_after`](crate::SettingsBuilder::cancelled_after)
//! is set, and a rejection. That time is behind by less than two ticks of the kernel, at most 20 ms (longer only until the
//! next tick of a machine that was stopped), so that
//!
//! - a success may be counted in the bucket before its own, if that ended less than 20 ms ago;
//! - `retry_after` of a rejection may be up to 20 ms longer than the wait, and never longer than the whole of it;
//! - a call that is dropped up to 20 ms before its `cancelled_after` may be a failure already.
//!
//! Everything else is exact: when a circuit opens and for how long, when the next probe may go (a rejection less than
//! 20 ms before that looks at the exact time), how long a call took that may be slow, leases, overdue calls, waits.
//! Wherever tokio is built with its `test-util`, as in most tests, the coarse clock is not used at all.
//!
//! The clock is read at most once per settled call, twice with a rule of slow calls, and not at all where only failures
//! in a row are counted.
//!
//! # Concurrency
//!
//! A closed circuit takes no lock, and a success writes to no memory that another thread writes, but for one word when a
//! new bucket of a time window begins: each thread counts for itself, and what is asked is the sum. (A window of the last
//! N calls takes a short lock per call; a ramp takes one per admission.) What that may blur:
//!
//! - **A result sees every result that was settled before it, and may miss those that are being settled at the same
//!   moment**, at most one on each other thread. If two failures on two threads are together enough, the later one of
//!   the two opens the circuit, or the next failure does. None is lost.
//! - Failures in a row are exact: one word, one order. A success that ends at the same moment as a failure is before or
//!   after it.
//! - Nothing crosses a change of state: every count carries the number of the state period it belongs to.
//! - Probes, leases, transitions, manual control and new settings are exact, and in one order for all.
//! - [`Totals`](crate::machine::Totals) read under load show no more calls settled than admitted; at rest they add up.
//!
//! The claims are tested in every interleaving of small scenarios (loom), in random ones of a large scenario (shuttle)
//! and by a soak; the rules beside a naive reference. `.ci/run` does it all.
//!
//! # Telemetry
//!
//! With feature `tracing`, one event for each transition, target `tower_breaker`, level `warn` when the circuit opens
//! and `info` otherwise. Fields: `breaker`, `from`, `to`, `cause`, `epoch`, `shadow`, `attempt`, `calls`, `failures`,
//! `slow`, `consecutive_failures`, `overdue`, `open_for`, `last_error`. Nothing is logged for a rejected call. The same
//! as values: [`BreakerHandle::events`](crate::BreakerHandle::events).
//!
//! # Examples
//!
//! The defaults:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
//! use tower_breaker::{CircuitBreakerLayer, CircuitOpen, Config, State};
//!
//! let breaker = CircuitBreakerLayer::new(Config::default());
//! let handle = breaker.handle();
//! let service = ServiceBuilder::new()
//!     .layer(breaker)
//!     .service(service_fn(|_: ()| async { Err::<(), BoxError>("connection refused".into()) }));
//!
//! for _ in 0..5 {
//!     let error = service.clone().oneshot(()).await.unwrap_err();
//!     assert_eq!(error.to_string(), "connection refused");
//! }
//! assert_eq!(handle.state(), State::Open);
//! let error = service.oneshot(()).await.unwrap_err();
//! assert!(CircuitOpen::find(&*error).is_some());
//! # }
//! ```
//!
//! Customised: other numbers, results that know a pause and a caller's mistake, and an answer instead of an error.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tower_breaker::ConfigError> {
//! use std::{convert::Infallible, time::Duration};
//! use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
//! use tower_breaker::{
//!     Cause, CircuitBreakerLayer, CircuitOpen, Config, Backoff, Outcome, Probe, Settings, Trip, Window,
//! };
//!
//! #[derive(Debug, PartialEq)]
//! enum Reply { Rows(u32), BadQuery, Busy(Duration), Later }
//!
//! let settings = Settings::builder()
//!     .trip(Trip::none().failure_rate(0.3, 50).overdue(5, Duration::from_secs(5)))
//!     .window(Window::count(200))
//!     .cooldown(Backoff::exponential(Duration::from_secs(10), Duration::from_secs(120)))
//!     .probe(Probe::successes(3))
//!     .build()?;
//! let config = Config::default()
//!     .name("search")
//!     .settings(settings)
//!     .classify_fn(|result: Result<&Reply, &Infallible>| match result {
//!         Ok(Reply::Rows(_)) => Outcome::success(),
//!         Ok(Reply::BadQuery) => Outcome::ignored(),
//!         Ok(Reply::Busy(wait)) => Outcome::throttled().retry_after(*wait),
//!         Ok(Reply::Later) | Err(_) => Outcome::failure(),
//!     })
//!     .reject_with(|_query: u32, _: CircuitOpen| Reply::Later);
//!
//! let breaker = CircuitBreakerLayer::new(config);
//! let handle = breaker.handle();
//! let mut search = ServiceBuilder::new().layer(breaker).service(service_fn(|query: u32| async move {
//!     Ok::<_, Infallible>(if query == 0 { Reply::Busy(Duration::from_secs(20)) } else { Reply::Rows(query) })
//! }));
//!
//! assert_eq!(search.ready().await.unwrap().call(7).await, Ok(Reply::Rows(7)));
//! search.ready().await.unwrap().call(0).await.unwrap();
//! assert_eq!(handle.snapshot().cause, Cause::Throttled);
//! assert_eq!(search.ready().await.unwrap().call(7).await, Ok(Reply::Later)); // still `Infallible`
//! # Ok(())
//! # }
//! ```

pub(crate) mod call;
pub(crate) mod config;
mod future;
pub(crate) mod layer;
mod presets;
mod readiness;
mod rules;
pub(crate) mod service;

pub use future::ResponseFuture;
