//! Answers when the primary failed, was rejected, or answered badly.
//!
//! ```text
//!               kept, if it may be needed
//!             ┌───────────────────────────┐
//! request ────┴─► primary ──► good ───────┼──────────────────────────────► primary's response
//!                    │                    ▼
//!                    └─► bad ─────────► source ──► answer ──────────────► the answer
//!                                         │
//!                                         └─► failed as well ───────────► primary's error or
//!                                                                         bad response
//! ```
//!
//! The error is always the primary's: a source that fails is as if it had not been there. A source that wants its
//! own failures seen reports them itself.
//!
//! # Sources
//!
//! | constructor | the answer | kept of the request |
//! |---|---|---|
//! | [`FallbackLayer::value`] | a clone of a value | nothing |
//! | [`FallbackLayer::value_fn`] | what a function returns | nothing |
//! | [`FallbackLayer::from_fn`] | what an async function of the kept part and the [`Trigger`] resolves to | nothing |
//! | [`FallbackLayer::service`] | the response of another service, whatever its status | a clone of it |
//!
//! A backup service is cloned, polled ready and called only once the primary has failed, inside the response
//! future: a backup that is not ready delays the calls that need it and no other. Several backups in order are several
//! layers, the last resort outermost.
//!
//! # Defaults
//!
//! | | default | setter |
//! |---|---|---|
//! | when | [`ByResponse`]: an error, or a response that is a failure, throttled or exhausted | [`when`](FallbackLayer::when), [`when_fn`](FallbackLayer::when_fn) |
//! | request | see above | [`keep`](FallbackLayer::keep), [`try_keep`](FallbackLayer::try_keep), [`keep_request`](FallbackLayer::keep_request) |
//! | response type | the primary's; the answer is lifted into it by [`AnswerFor`](crate::classify::AnswerFor) | [`either_body`](FallbackLayer::either_body) |
//!
//! A caller's own 400 never falls back: another target would only refuse it again. `ByResponse` wants a response that
//! can be [`ToOutcome`](crate::classify::ToOutcome), as `http::Response` can. Any other type asks for [`OnError`] or a condition of
//! your own, and does not compile without: over HTTP, a fallback that sees only errors would compile and never run.
//!
//! Where the types do not fit, the compiler says which one and what to write, but not in a method call: if `oneshot`
//! "exists but its trait bounds were not satisfied", write `ServiceExt::oneshot(service, request)` to be told why.
//!
//! # Readiness
//!
//! `poll_ready` is the primary's and nobody else's. A primary that answers it with an error is broken for good; that
//! error is passed on, as there is no request yet that could be answered. A primary that is merely busy makes its
//! callers wait; tower's `load_shed` between the two layers turns that into an error of `call`, which the fallback
//! sees. A breaker between them is ready while it is open, and rejects in `call`.
//!
//! # What it costs
//!
//! A call whose primary succeeds allocates nothing here: the request is kept if that was asked for, the condition and
//! the source are cloned. Values and services are behind an `Arc`; closures are cloned as they are, as in tower's own
//! combinators, so capture an `Arc` rather than a `String`.
//!
//! # Ordering
//!
//! Outermost of the resilience layers, so that it answers once and for the whole call: fallback, retry, breaker,
//! timeout, client. Inside a retry, an answer would end the retrying; outside of a concurrency limit, backups are not
//! limited: give a backup its own limit, or an outage of the primary becomes one of the backup.
//!
//! The decision is made when the primary hands its response on: by the head, or by the
//! [`Verdict`](crate::classify::Verdict) that a breaker inside has left there because it has read an error's body. What
//! goes wrong later in a body is not replaced: the caller has already seen the beginning. A bad response is held, unread, until the source has answered.
//!
//! # Examples
//!
//! A second service, with `http` requests that can be cloned:
//!
//! ```
//! # #[cfg(feature = "http")]
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use http::{Request, Response, StatusCode};
//! use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
//! use tower_breaker::FallbackLayer;
//!
//! # let primary = service_fn(|_: Request<String>| async {
//! #     let mut busy = Response::new(String::new());
//! #     *busy.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
//! #     Ok::<_, BoxError>(busy)
//! # });
//! # let backup = service_fn(|request: Request<String>| async move {
//! #     Ok::<_, BoxError>(Response::new(format!("backup of {}", request.uri())))
//! # });
//! let service = ServiceBuilder::new()
//!     .layer(FallbackLayer::service(backup))
//!     .timeout(std::time::Duration::from_secs(30))
//!     .service(primary);
//!
//! let response = service.oneshot(Request::new(String::new())).await.unwrap();
//! assert_eq!(response.body(), "backup of /");
//! # }
//! # #[cfg(not(feature = "http"))] fn main() {}
//! ```
//!
//! A function, a part of the request, a look at what went wrong, and callers that may say no:
//!
//! ```
//! # #[cfg(feature = "http")]
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use http::{Request, Response, StatusCode};
//! use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
//! use tower_breaker::{FallbackLayer, fallback::Trigger};
//!
//! # let primary = service_fn(|_: Request<()>| async {
//! #     let mut busy = Response::new(String::new());
//! #     *busy.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
//! #     Ok::<_, BoxError>(busy)
//! # });
//! let fallback = FallbackLayer::from_fn(|path: String, trigger: &Trigger<Response<_>, BoxError>| {
//!     // The future may not borrow the trigger: take what it needs before it begins.
//!     let why = match trigger {
//!         Trigger::Response(response) => response.status().to_string(),
//!         Trigger::Error(error) => error.to_string(),
//!     };
//!     async move { Some(Response::new(format!("{path}: {why}"))) }
//! })
//! .try_keep(|request: &Request<()>| {
//!     let wanted = !request.headers().contains_key("x-no-fallback");
//!     wanted.then(|| request.uri().path().to_owned())
//! });
//! let service = ServiceBuilder::new().layer(fallback).service(primary);
//!
//! let response = service.clone().oneshot(Request::get("/menu").body(()).unwrap()).await.unwrap();
//! assert_eq!(response.body(), "/menu: 503 Service Unavailable");
//!
//! let request = Request::get("/menu").header("x-no-fallback", "1").body(()).unwrap();
//! let response = service.oneshot(request).await.unwrap();
//! assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
//! # }
//! # #[cfg(not(feature = "http"))] fn main() {}
//! ```

#[cfg(feature = "http")]
mod body;
pub mod future;
mod keep;
mod layer;
mod lift;
mod service;
mod source;
mod trigger;
mod when;

#[cfg(feature = "http")]
pub use self::body::EitherBody;
pub use self::keep::{Keep, KeepFn, KeepNothing, KeepRequest, TryKeepFn};
pub use self::layer::FallbackLayer;
#[cfg(feature = "http")]
pub use self::lift::EitherBodies;
pub use self::lift::{AsPrimary, Lift};
pub use self::service::Fallback;
pub use self::source::{Attempt, Backup, FromFn, Source, Value, ValueFn};
pub use self::trigger::Trigger;
pub use self::when::{ByResponse, OnError, When, WhenFn};
