//! The circuit breaker as a tower middleware.
//!
//! ```text
//!            a trip rule fires, or a server asks for a pause
//!   ┌────────┐ ────────────────────────────────────────────► ┌──────┐ ◄──────────────┐
//!   │ Closed │                                               │ Open │                │
//!   └────────┘                                               └──────┘                │
//!        ▲                                  the cooldown is over │                   │ a probe fails, or its
//!        │                                  and a call comes     ▼                   │ lease ends: longer cooldown
//!        │  enough probes succeed                          ┌──────────┐              │
//!        └──────────────────────────────────────────────── │ HalfOpen │ ─────────────┘
//!                       (after a ramp, if there is one)    └──────────┘
//!
//!   an operator: ForcedOpen (rejects every call), Disabled (admits every call and records nothing),
//!                or any of the above in shadow (runs the rules, and rejects no call)
//! ```
//!
//! - **Closed** admits calls.
//! - **Open** rejects calls.
//! - **HalfOpen** admits *probes*, at most [`Probe::in_flight`](crate::Probe::in_flight) at the same time. Further calls
//!   are rejected, never queued.
//!
//! Each change of state begins a new *epoch*, and clears the window and the streak of failures. A call that ends in a
//! later epoch than it began in decides nothing and is counted as `late`.
//!
//! Nothing runs between calls: there is no background task, and no timer unless a task waits on the
//! [handle](crate::BreakerHandle). An open circuit whose cooldown is over *reads* as half-open. The transition itself
//! happens with the next call.
//!
//! # Defaults
//!
//! | | default, `http`, `grpc` | `http_client`, `grpc_client` | `llm` | setter |
//! |---|---|---|---|---|
//! | consecutive failures | 5 | 5, spanning at least 500 ms | 5, spanning at least 500 ms | [`Trip::consecutive`](crate::Trip::consecutive), [`consecutive_over`](crate::Trip::consecutive_over) |
//! | failure rate | 50 % of at least 20 calls | the same | 50 % of at least 10 calls | [`Trip::failure_rate`](crate::Trip::failure_rate) |
//! | window | 30 s | 30 s | 60 s | [`window`](crate::SettingsBuilder::window) |
//! | overdue calls, failure count, slow calls | off | off | off | [`Trip::overdue`](crate::Trip::overdue), [`failures`](crate::Trip::failures), [`slow`](crate::Trip::slow) |
//! | custom trip rule | none | none | none | [`Config::trip_when`](crate::Config::trip_when) |
//! | cooldown | 5 s, doubled up to 60 s, ±20 % | the same | 30 s, doubled up to 5 min, ±20 % | [`cooldown`](crate::SettingsBuilder::cooldown), [`Config::cooldown_with`](crate::Config::cooldown_with) |
//! | the cooldown returns to its first value after | a closed period as long as the last cooldown | the same | the same | [`stable_for`](crate::SettingsBuilder::stable_for) |
//! | probes | 1 at a time, 1 success closes | the same | the same | [`probe`](crate::SettingsBuilder::probe) |
//! | lease of a probe | 35 s | 35 s | 120 s | [`Probe::lease`](crate::Probe::lease) |
//! | ramp | none | none | none | [`ramp`](crate::SettingsBuilder::ramp) |
//! | throttled | opens for the wait that the server asks for, at most 60 s | the same | the same, 30 s if it names none, at most 5 min | [`throttled`](crate::SettingsBuilder::throttled) |
//! | exhausted | opens for the wait that the server asks for, 10 min if it names none, at most 1 h | the same | the same | [`exhausted`](crate::SettingsBuilder::exhausted) |
//! | a dropped call is a failure | never | after 10 s | after 60 s | [`cancelled_after`](crate::SettingsBuilder::cancelled_after) |
//! | classifier | by preset, see [`classify`](crate::classify) | | | [`Config::classify`](crate::Config::classify), [`Config::classify_fn`](crate::Config::classify_fn) |
//! | overrides of the classifier | none | | | [`Config::ignore_errors`](crate::Config::ignore_errors) and others, see [`classify`](crate::classify) |
//! | rejection policy | by preset, see below | | | [`Config::on_rejected`](crate::Config::on_rejected), [`Config::reject_with`](crate::Config::reject_with) |
//! | name | the name of the preset | | | [`Config::name`](crate::Config::name) |
//!
//! [`SettingsBuilder`](crate::SettingsBuilder) lists every number with its range.
//!
//! # Rejections
//!
//! | policy | a rejected call returns | the error of the service | preset |
//! |---|---|---|---|
//! | [`RejectWithBoxError`](crate::rejection::RejectWithBoxError) | `Err`, a `BoxError` that holds [`CircuitOpen`](crate::CircuitOpen) | `BoxError` | `default`, `http_client`, `llm` |
//! | [`RejectWithBreakerError`](crate::rejection::RejectWithBreakerError) | `Err`, a [`BreakerError`](crate::BreakerError) | `BreakerError<E>` | |
//! | [`RejectWithInnerError`](crate::rejection::RejectWithInnerError) | `Err`, made by `E: From<CircuitOpen>` | `E` | |
//! | [`RejectWithHttp`](crate::rejection::RejectWithHttp) | 503 with `Retry-After` | `E` | `http` |
//! | [`RejectWithGrpc`](crate::rejection::RejectWithGrpc) | `UNAVAILABLE` with pushback | `E` | `grpc`, `grpc_client` |
//! | [`RejectWithFn`](crate::rejection::RejectWithFn) | what a function of the request and the rejection returns | `E` | |
//! | [`RejectWithService`](crate::rejection::RejectWithService) | the response of another service | `E` | |
//!
//! `E` is the error of the inner service.
//!
//! # Readiness
//!
//! - While calls would be rejected, `poll_ready` is ready at once and does not poll the inner service. The `call` that
//!   follows is rejected, even if the circuit has half-opened meanwhile, because the inner service was not polled.
//! - Otherwise the service is ready when the inner service is. A task that waits for that is woken when the circuit
//!   opens. A readiness error of the inner service counts as a failure and is passed on.
//! - `poll_ready` returns no other errors. An error from `poll_ready` would close a `Buffer` permanently.
//! - The permit, and with it the place of a probe, is taken in `call`. A service that is polled ready and then dropped
//!   takes up no place in the breaker.
//! - `call` panics unless `poll_ready` returned ready before.
//! - An endpoint that rejects at once looks to a balancer like the fastest one. With
//!   [`pending_while_open`](crate::Config::pending_while_open), `poll_ready` waits while calls would be rejected.
//!
//! # Layer order
//!
//! From the outside in: fallback, retry, breaker, limits, timeout, client.
//!
//! - **Timeout inside.** A timeout outside drops the call, and a dropped call is neutral because the caller may have gone
//!   away. A server that hangs would never open the circuit. `cancelled_after` covers timeouts that you do not control,
//!   such as those of your callers.
//! - **Retry outside**: every attempt counts, so the circuit opens soonest, and an open circuit ends the retries. For that,
//!   the retry policy must stop at a rejection: it finds one with [`CircuitOpen::find`](crate::CircuitOpen::find), and
//!   with feature `retry`, `RetryPolicy` and `StopAtRejection` do so.
//! - **Retry inside**: a retried call counts once, by its last attempt. This suits sporadic, independent errors, which
//!   a retry resolves. The circuit opens later, after five calls that failed with all their attempts. The timeout stays
//!   innermost.
//! - **Limits inside** (`ConcurrencyLimit`, `Buffer`), between the breaker and the timeout. An open circuit then rejects at
//!   once, and no call waits in a queue to be rejected. The cost: if the circuit opens between `poll_ready` and `call`, the
//!   limit keeps the slot that readiness reserved until the next call of that clone, or until the clone is dropped.
//! - **Fallback outermost**: it answers once, for the whole call. Inside a retry, its answer would end the retries.
//!
//! # One breaker per route
//!
//! One layer is one breaker. If it is around a whole axum `Router` or tonic `Server`, one buggy route opens the circuit for
//! all routes. For a breaker per route, give each route its own layer:
//!
//! ```
//! # #[cfg(feature = "http")] {
//! use axum::{Router, routing::get};
//! use tower_breaker::{CircuitBreakerLayer, Config};
//!
//! let breaker = |name: &'static str| CircuitBreakerLayer::new(Config::http().name(name));
//! let app: Router = Router::new()
//!     .route("/orders", get(|| async { "orders" }).layer(breaker("orders")))
//!     .route("/invoices", get(|| async { "invoices" }).layer(breaker("invoices")));
//! # let _ = app;
//! # }
//! ```
//!
//! In tonic, `.add_service(breaker.named_layer(OrdersServer::new(orders)))` with `tonic::service::LayerExt` gives each
//! service its own breaker.
//!
//! # Cancellation and panics
//!
//! | event | the call records |
//! |---|---|
//! | the response future is dropped | cancelled: in no rate and no streak, and a probe's place becomes free. A failure if the call has run for `cancelled_after` |
//! | the response body is dropped before its first content | the same |
//! | the response body is dropped after its first content | a success |
//! | the inner service, its future or its body panics | a failure |
//! | a classifier panics | ignored |
//! | a rejection policy panics | nothing: the rejection is already counted |
//!
//! Panics reach the caller unchanged.
//!
//! # Bodies and streams
//!
//! With a preset for HTTP, gRPC or LLM APIs, a call whose head is good ends with its body: see
//! [`classify`](crate::classify#bodies).
//!
//! A *probe* succeeds at its first content, and its lease ends there. Otherwise half-open would last as long as a stream.
//! The rest of the body is its *body tail*. If that breaks, the call is counted in
//! [`broken_after`](crate::handle::Totals::broken_after) beside its success, and as one failure of the epoch that
//! followed, if that still lasts: the first consecutive failure of a closed circuit, or a failed probe if more probes are
//! needed.
//!
//! A timeout layer of tower ends with the head. A body that stalls before its first content is still a pending call, for
//! the overdue rule and for `cancelled_after`. A body that stalls after its first content is not a failure unless a layer
//! inside breaks it.
//!
//! # Clones
//!
//! The breaker lives in the layer: all services of one layer, and all their clones, share it. axum calls `layer` once for
//! each route, and even once for each connection, so a breaker that was made in `layer` would never open.
//! [`CircuitBreakerLayer::join`](crate::CircuitBreakerLayer::join) shares one breaker between services of different kinds.
//!
//! A clone of a service is not ready, because readiness belongs to the service that was polled.
//!
//! # Time
//!
//! The breaker reads tokio's clock, so a test that pauses time controls all of it. With feature `coarse-clock` (default,
//! Linux only), the readings that every call needs take the kernel's time of its last tick instead, at a fifth of the
//! cost: a success that is counted in a time window, the start of a call if
//! [`cancelled_after`](crate::SettingsBuilder::cancelled_after) is set, and a rejection. That time lags by less than two
//! ticks of the kernel, at most 20 ms (longer only until the next tick of a machine that was stopped). Therefore:
//!
//! - A success may be counted in the previous bucket, if that ended less than 20 ms ago.
//! - `retry_after` of a rejection may be up to 20 ms longer than the wait that is left, but never longer than the whole
//!   wait.
//! - A call that is dropped up to 20 ms before its `cancelled_after` may already be a failure.
//!
//! Everything else is exact: when a circuit opens and for how long, when the next probe may pass (a rejection less than
//! 20 ms before that reads the exact time), how long a call took that may be slow, leases, overdue calls, waits. If tokio
//! is built with its feature `test-util`, as in most tests, the coarse clock is not used at all.
//!
//! The clock is read at most once for each settled call, twice with a rule for slow calls, and not at all if only
//! consecutive failures are counted.
//!
//! # Concurrency
//!
//! A closed circuit takes no lock. A success writes to no memory that another thread writes, except one word when a new
//! bucket of a time window begins: each thread has its own counters, and a rule reads their sum. (A window of the last N
//! calls takes a short lock for each call, a ramp for each admission.) The effects are limited:
//!
//! - **A result sees every result that was settled before it, and may miss results that are being settled at the same
//!   moment**, at most one on each other thread. If two failures on two threads are together enough to trip, the later of
//!   the two opens the circuit, or the next failure does. No failure is lost.
//! - Consecutive failures are exact: they are one word with one order. A success that ends at the same moment as a failure
//!   is before it or after it.
//! - Nothing crosses a change of state: every count carries the number of its epoch.
//! - Probes, leases, transitions, manual control and new settings are exact, and in one order for all threads.
//! - [`Totals`](crate::handle::Totals) that are read under load show no more calls settled than admitted. At rest they add
//!   up.
//!
//! These claims are tested in every interleaving of small scenarios (loom), in random interleavings of a large scenario
//! (shuttle), by a soak test, and, for the rules, against a naive reference. `.ci/run` runs all of them.
//!
//! # Telemetry
//!
//! With feature `tracing`, each transition is one event with target `tower_breaker`, at level `warn` when the circuit
//! opens and at `info` otherwise. Fields: `breaker`, `from`, `to`, `cause`, `epoch`, `shadow`, `attempt`, `calls`,
//! `failures`, `slow`, `consecutive_failures`, `overdue`, `open_for`, `last_error`. Rejected calls are not logged.
//! [`BreakerHandle::events`](crate::BreakerHandle::events) yields the same transitions as values.
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
//! Customised: other numbers, a classifier that recognises pauses and mistakes of the caller, and a response instead of
//! an error:
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
mod guarded_call;
pub(crate) mod layer;
mod overrides;
mod presets;
mod readiness;
pub(crate) mod service;

pub use future::ResponseFuture;
