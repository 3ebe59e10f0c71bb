//! Classification: the meaning of a finished call.
//!
//! A breaker can guard any service whose results a [`Classify`] can classify. The classifier sees the request before
//! the call, and after it the whole `Result` together with the [`Permit`] of the call. It turns them into one
//! [`Outcome`]:
//!
//! | classifier | for | a failure is | preset |
//! |---|---|---|---|
//! | [`ErrorsAsFailures`] | any service | `Err` | `Config::default()` |
//! | [`ClassifyFn`] | any service | what a closure returns for the result | `.classify_fn(…)` |
//! | [`Http::server`] | HTTP servers and routers | `Err`, 5xx except 501 and 505, a body that breaks; 429 is ignored | `Config::http()` |
//! | [`Http::client`] | HTTP clients | the same; 429 is throttled | `Config::http_client()` |
//! | [`Grpc::server`] | gRPC servers | as for HTTP, and five `grpc-status` codes; `RESOURCE_EXHAUSTED` is ignored | `Config::grpc()` |
//! | [`Grpc::client`] | gRPC clients | the same; `RESOURCE_EXHAUSTED` is throttled | `Config::grpc_client()` |
//! | [`Llm`](crate::llm::Llm) | LLM APIs | the provider's signals, in heads, bodies and streams | `Config::llm(provider)` |
//! | `TowerHttp` (feature `tower-http`) | HTTP and gRPC | what a classifier of `tower_http::trace` returns, and a body that breaks | `.classify(TowerHttp::new(…))` |
//!
//! With feature `reqwest`, [`Http`] and [`Llm`](crate::llm::Llm) also classify services that return a
//! `reqwest::Response`.
//!
//! An HTTP service almost always returns `Ok`, even when it is down. A classifier that only sees `Err` never opens the
//! circuit there. All HTTP classifiers read the waits that a server asks for ([`retry_after`]). They recognise the
//! responses of downstream breakers by [`OPEN_HEADER`].
//!
//! # Overrides
//!
//! [`overrides`] are lines of a [`Config`](crate::Config) that classify some results before any of these classifiers
//! does:
//!
//! | override | applies to | result |
//! |---|---|---|
//! | [`.ignore_errors`](crate::Config::ignore_errors) | the error | matching errors are ignored |
//! | [`.only_errors`](crate::Config::only_errors) | the error | only matching errors can be failures |
//! | [`.classify_errors`](crate::Config::classify_errors) | the error | any [`Outcome`], or none |
//! | [`.ignore_caused_by`](crate::Config::ignore_caused_by), [`.only_caused_by`](crate::Config::only_caused_by), [`.classify_caused_by`](crate::Config::classify_caused_by) | an error of one type in the chain of sources | the same |
//! | [`.classify_responses`](crate::Config::classify_responses) | the response | any [`Outcome`], or none |
//!
//! The setters of [`Http`] and [`Grpc`] assign status codes to other classes and give them weights.
//!
//! # Bodies
//!
//! [`Http`], [`Grpc`] and [`Llm`](crate::llm::Llm) settle a call at the first row that applies:
//!
//! | condition | the call is settled |
//! |---|---|
//! | an `Err`, a head that is not good, [`SettleAt::Head`] | at once |
//! | an error response of [`Llm`](crate::llm::Llm) | when its body has been read, before it is handed on |
//! | no body: the response to a `HEAD`, 204, 304, a body that has already ended | with the head |
//! | the body reports the end of the call: an event of an LLM stream, trailers | there |
//! | a probe, and [`SettleAt::FirstContent`] | at the first content |
//! | the body ends or breaks | there |
//! | the body is dropped | there: a success after the first content, otherwise cancelled (or a failure, [at the deadline](Grpc#deadlines) of a gRPC request) |
//!
//! Until then the [`BreakerBody`] holds the permit. Frames pass through unchanged. For the slow and overdue rules and
//! for `cancelled_after`, the call ends at the first content: the time after that belongs to the reader. The rest of a
//! probe's body is its body tail, see [`Permit::response_started`].
//!
//! If a classifier reads the body before it hands the response on, the outcome is in the extensions of the response as
//! a [`Verdict`]. Only the breaker sees an outcome that comes later.
//!
//! ## Custom body classifiers
//!
//! A [`ClassifyBody`] sees every byte as it passes. A [`Classify`] hands it the permit with
//! [`BreakerBody::classified`]:
//!
//! ```
//! # #[cfg(feature = "http")] #[tokio::main(flavor = "current_thread")] async fn main() {
//! use http::{Request, Response};
//! use http_body::Body;
//! use tower_breaker::classify::{Http, ClassifyBody, Classified, NeverDeferred, BodyProgress};
//! use tower_breaker::{BreakerBody, Class, Outcome, Permit, classify::Classify};
//!
//! /// A report is complete if its last line ends with a newline.
//! struct Report { last: u8 }
//!
//! impl ClassifyBody for Report {
//!     fn data(&mut self, data: &[u8]) -> BodyProgress {
//!         self.last = data.last().copied().unwrap_or(self.last);
//!         BodyProgress::Content
//!     }
//!
//!     fn end(&mut self) -> Outcome {
//!         if self.last == b'\n' { Outcome::success() } else { Outcome::failure().reason("report cut off") }
//!     }
//! }
//!
//! #[derive(Clone)]
//! struct Reports(Http);
//!
//! impl<A, B: Body, E: 'static> Classify<Request<A>, Response<B>, E> for Reports {
//!     type RequestInfo = ();
//!     type Response = Response<BreakerBody<B>>;
//!     type Deferred = NeverDeferred<Result<Self::Response, E>>;
//!
//!     fn request(&self, _: &Request<A>) {}
//!
//!     fn result(
//!         &self, (): (), result: Result<Response<B>, E>, permit: Permit,
//!     ) -> Classified<Result<Self::Response, E>, Self::Deferred> {
//!         let head = self.0.outcome(result.as_ref());
//!         Classified::Ready(match result {
//!             Ok(good) if head.class() == Class::Success => {
//!                 Ok(good.map(|body| BreakerBody::classified(body, permit, Box::new(Report { last: b'\n' }))))
//!             }
//!             result => {
//!                 permit.settle(head);
//!                 result.map(|response| response.map(BreakerBody::new))
//!             }
//!         })
//!     }
//!
//!     fn settled(&self, response: Response<B>) -> Self::Response {
//!         response.map(BreakerBody::new)
//!     }
//! }
//!
//! # use http_body_util::BodyExt;
//! # use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
//! # use tower_breaker::{CircuitBreakerLayer, Config};
//! let breaker = CircuitBreakerLayer::new(Config::http_client().classify(Reports(Http::client())));
//! # let handle = breaker.handle();
//! # let service = ServiceBuilder::new().layer(breaker).service(service_fn(|request: Request<String>| async {
//! #     Ok::<_, BoxError>(Response::new(request.into_body()))
//! # }));
//! # for (report, failures) in [("1;2\n", 0), ("1;2\n3", 1), ("", 1)] {
//! #     let response = service.clone().oneshot(Request::new(report.to_owned())).await.unwrap();
//! #     assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), report);
//! #     assert_eq!(handle.snapshot().totals.failure, failures);
//! # }
//! # assert_eq!(handle.snapshot().totals.success, 2);
//! # }
//! # #[cfg(not(feature = "http"))] fn main() {}
//! ```
//!
//! To classify a response before it is handed on, set `Deferred` to a [`Reading`] and return it in
//! [`Classified::Deferred`]. It reads [`Until`] the first content or the end, within 64 KiB and a time limit, and leaves
//! the [`Verdict`].
//!
//! # Fallbacks and retries
//!
//! Fallbacks and retries use [`Outcomes`]. The classifiers of the table above implement it, and so
//! does [`ByResponse`], which reads a response that is [`ToOutcome`]. [`RetryAdvice`] is an explicit retry instruction
//! in a response. [`AnswerFor`] defines which answers can stand in for a response.
//!
//! # Closures in spawned tasks
//!
//! A closure over a [`BoxError`](crate::BoxError) can stop a spawned `async` block or an axum handler from compiling, with
//! "implementation of … is not general enough". rustc erases the `'static` of a `BoxError` in the types that such a block
//! holds across an `.await`, and cannot prove that the closure fits ([rust-lang/rust#110338]). Other error types are not
//! affected. Each of these compiles:
//!
//! - a function that builds the service and returns
//!   `impl Service<Request, Response = …, Error = BoxError, Future: Send> + Clone`
//! - a box around the service in the block: `BoxCloneSyncService::new(service)`
//! - a task of the future itself: `tokio::spawn(service.oneshot(request))`
//!
//! [rust-lang/rust#110338]: https://github.com/rust-lang/rust/issues/110338

mod advice;
mod answer_for;
#[cfg(feature = "http")]
pub(crate) mod body;
mod classified;
pub(crate) mod foreign;
#[cfg(feature = "http")]
pub(crate) mod grpc;
#[cfg(feature = "http")]
pub(crate) mod http;
#[cfg(feature = "http")]
mod http_outcomes;
#[cfg(feature = "http")]
pub(crate) mod infer;
mod outcomes;
pub mod overrides;
pub(crate) mod result;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod to_outcome;
#[cfg(feature = "http")]
mod verdict;

use std::future::Future;

use crate::Outcome;
use crate::breaker::Permit;

pub use self::advice::RetryAdvice;
pub use self::answer_for::AnswerFor;
#[cfg(feature = "http")]
pub(crate) use self::body::BreakerBody;
#[cfg(feature = "http")]
pub use self::body::{BodyProgress, ClassifyBody, Reading, SettleAt, Until};
pub use self::classified::{Classified, NeverDeferred};
#[cfg(feature = "http")]
pub(crate) use self::grpc::GRPC_STATUS;
#[cfg(feature = "http")]
pub use self::grpc::Grpc;
#[cfg(feature = "grpc")]
pub(crate) use self::grpc::{STATUS_DETAILS, encode_retry_delay};
#[cfg(feature = "http")]
pub(crate) use self::http::GRPC_PUSHBACK;
#[cfg(feature = "http")]
pub use self::http::{Http, OPEN_HEADER, retry_after};
pub use self::outcomes::Outcomes;
pub use self::result::{ClassifyFn, ErrorsAsFailures};
pub use self::to_outcome::{ByResponse, ToOutcome};
#[cfg(feature = "http")]
pub use self::verdict::Verdict;

/// Classifies finished calls, with the permit and the response body.
///
/// [`Outcomes`] is the simpler trait for classifiers that only look at the result. An implementation of `Classify` that
/// settles every permit in [`result`](Self::result) is four lines long. One that needs more than the head moves the
/// permit into the response body, which settles it, or reads the body first and returns [`Classified::Deferred`]. The
/// [module docs](self#custom-body-classifiers) show an example.
///
/// A panic in any method propagates to the caller. The call counts as ignored.
#[diagnostic::on_unimplemented(
    message = "the classifier `{Self}` cannot classify the results of this service",
    label = "does not fit a service of `{Req}` that returns `Result<{Res}, {E}>`",
    note = "HTTP (`http::Request` and `http::Response`): `Config::http()` around a server or router, `Config::http_client()` around a client",
    note = "gRPC: `Config::grpc()` around a server, `Config::grpc_client()` around a client",
    note = "any other service: `Config::default()`, where `Err` is a failure, or `.classify_fn(|result: Result<&Response, &Error>| …)`"
)]
pub trait Classify<Req, Res, E> {
    /// The request info: the data that the classifier keeps of the request. Usually `()`.
    type RequestInfo;

    /// The response that the caller gets: `Res`, or a response whose body holds the permit.
    type Response;

    /// The future that reads more of the response if the head is not enough.
    /// [`NeverDeferred<Result<Self::Response, E>>`](NeverDeferred) if the head is always enough.
    type Deferred: Future<Output = Result<Self::Response, E>>;

    /// Whether [`result`](Self::result) may panic while it has the permit. If it does, the call counts as ignored.
    ///
    /// The guard costs one nanosecond per call. The default is safe. Set it to `false` if `result` runs no foreign code,
    /// or if a panic may count as a cancelled call.
    const MAY_PANIC: bool = true;

    /// Returns the request info. Must be cheap: it runs before every admitted call.
    fn request(&self, request: &Req) -> Self::RequestInfo;

    /// Settles the permit, or moves it into the response or into the future that reads more of it. Returns the error of
    /// a call unchanged.
    fn result(
        &self,
        info: Self::RequestInfo,
        result: Result<Res, E>,
        permit: Permit,
    ) -> Classified<Result<Self::Response, E>, Self::Deferred>;

    /// Returns the outcome of a call that was dropped before it had a result. Must be cheap: it runs in a destructor.
    ///
    /// Default: `None`. The call is then cancelled, which is neutral, or it is a failure after
    /// [`cancelled_after`](crate::SettingsBuilder::cancelled_after). [`Grpc`] returns a failure if the deadline of the
    /// request had passed.
    #[inline]
    fn dropped(info: Self::RequestInfo) -> Option<Outcome> {
        let _ = info;
        None
    }

    /// Converts the response of a call that one of the [`overrides`] settled, without this classifier.
    fn settled(&self, response: Res) -> Self::Response;

    /// Returns `true` if a downstream breaker sent this response, and the dependency was not called. Overrides do not
    /// see such a response.
    ///
    /// Default: `false`.
    fn is_rejection(&self, response: &Res) -> bool {
        let _ = response;
        false
    }

    /// Settles the permit with the outcome of `classify_first` if there is one, and calls [`result`](Self::result)
    /// otherwise.
    ///
    /// It runs `classify_first` once, and never for a response that [is a rejection](Self::is_rejection). The
    /// [`overrides`] use it to run before the classifier of a `Config`, in their order. Do not implement it.
    #[doc(hidden)]
    fn result_with_override(
        &self,
        info: Self::RequestInfo,
        result: Result<Res, E>,
        permit: Permit,
        classify_first: impl Fn(Result<&Res, &E>) -> Option<Outcome>,
    ) -> Classified<Result<Self::Response, E>, Self::Deferred> {
        let outcome = match &result {
            Ok(response) if self.is_rejection(response) => None,
            result => classify_first(result.as_ref()),
        };
        match outcome {
            Some(outcome) => {
                permit.settle(outcome);
                Classified::Ready(result.map(|response| self.settled(response)))
            }
            None => self.result(info, result, permit),
        }
    }
}
