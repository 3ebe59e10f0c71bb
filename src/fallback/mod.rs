//! Fallbacks: answers in place of a primary that fails, rejects the call or returns a bad response.
//!
//! ```text
//!               a part is kept
//!             ┌───────────────────────────┐
//! request ────┴─► primary ──► good ───────┼──────────────────────────────► primary's response
//!                    │                    ▼
//!                    └─► bad ─────────► source ──► answer ──────────────► answer
//!                                         │
//!                                         └─► fails as well ────────────► primary's error or
//!                                                                         bad response
//! ```
//!
//! The error is always that of the primary. The error of a source is dropped, so a source must report its own failures.
//!
//! # Sources
//!
//! | constructor | the answer | kept of the request |
//! |---|---|---|
//! | [`FallbackLayer::value`](crate::FallbackLayer::value) | a clone of a value | nothing |
//! | [`FallbackLayer::value_fn`](crate::FallbackLayer::value_fn) | what a function returns | nothing |
//! | [`FallbackLayer::from_fn`](crate::FallbackLayer::from_fn) | what an async function of the kept part and the [`Trigger`] resolves to | nothing |
//! | [`FallbackLayer::service`](crate::FallbackLayer::service) | the response of another service, whatever its status | a clone |
//!
//! A backup service is cloned, polled ready and called inside the response future, after the primary has failed. A
//! backup that is not ready only delays the calls that need it. For several backups in order, add several layers, with
//! the last backup outermost.
//!
//! # Defaults
//!
//! | | default | setter |
//! |---|---|---|
//! | condition | [`ByResponse`](crate::classify::ByResponse): an error, or a response that is a failure, throttled, exhausted or a rejection | [`when`](crate::FallbackLayer::when), [`when_fn`](crate::FallbackLayer::when_fn) |
//! | kept of the request | see above | [`keep`](crate::FallbackLayer::keep), [`try_keep`](crate::FallbackLayer::try_keep), [`keep_request`](crate::FallbackLayer::keep_request) |
//! | response type | the primary's, to which [`AnswerFor`](crate::classify::AnswerFor) converts the answer | [`either_body`](crate::FallbackLayer::either_body) |
//!
//! A mistake of the caller, such as a 400, causes no fallback: another service would refuse the request as well.
//! `ByResponse` requires a response that is [`ToOutcome`](crate::classify::ToOutcome), as `http::Response` is. Any other
//! response type needs [`OnError`], another classifier that implements [`Outcomes`](crate::classify::Outcomes), or a
//! closure, and does not compile without one. A default on errors alone would compile with HTTP and never fall back.
//!
//! If a type does not fit, the error of the compiler names it and suggests a fix. A method call hides that error: if
//! `oneshot` "exists but its trait bounds were not satisfied", write `ServiceExt::oneshot(service, request)` to see it.
//!
//! # Readiness
//!
//! `poll_ready` polls the primary alone. An error there means that the primary is permanently broken. It is passed on,
//! because there is no request to answer yet. A busy primary makes its callers wait. Put tower's `load_shed` inside the
//! fallback to turn that wait into an error of `call`, which the fallback sees. A
//! breaker inside the fallback is ready while it is open, and rejects in `call`.
//!
//! # Cost
//!
//! A call whose primary succeeds allocates nothing here. The request is kept if that was configured, and the condition
//! and the source are cloned. Values and services are behind an `Arc`. Closures are cloned as they are, as in tower's
//! own combinators, so capture an `Arc` rather than a `String`.
//!
//! # Ordering
//!
//! The fallback is the outermost of the resilience layers, so that it answers once for the whole call: fallback, retry,
//! breaker, timeout, client. Inside a retry, an answer would end the retries. Outside a concurrency limit, backups are
//! not limited. Give a backup its own limit. Otherwise an outage of the primary can become an outage of the backup.
//!
//! The fallback decides when the primary returns its response: by the head, or by the
//! [`Verdict`](crate::classify::Verdict) of a breaker inside that has read the body of an error. Later failures of a body
//! do not cause a fallback, because the caller has already seen its beginning. A bad response is held, unread, until the
//! source has answered.
//!
//! # Examples
//!
//! A second service, with `http` requests that are `Clone`:
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
//! A function that sees a part of the request and the result of the primary, for callers that accept a fallback:
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
//!     // The future cannot borrow the trigger, so take from it what the future needs.
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

mod backup;
#[cfg(feature = "http")]
mod body;
mod future;
mod keep;
pub(crate) mod layer;
mod lift;
mod service;
mod source;
mod trigger;
mod when;

#[doc(hidden)]
pub use self::backup::Backup;
#[cfg(feature = "http")]
pub use self::body::EitherBody;
pub use self::future::ResponseFuture;
pub use self::keep::{Keep, KeepRequest};
#[doc(hidden)]
pub use self::keep::{KeepFn, KeepNothing, TryKeepFn};
#[doc(hidden)]
#[cfg(feature = "http")]
pub use self::lift::EitherBodies;
#[doc(hidden)]
pub use self::lift::{AsPrimary, Lift};
pub use self::service::Fallback;
pub use self::source::Source;
#[doc(hidden)]
pub use self::source::{Attempt, FromFn, Value, ValueFn};
pub use self::trigger::Trigger;
pub use self::when::OnError;
#[doc(hidden)]
pub use self::when::WhenFn;
