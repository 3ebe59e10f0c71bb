//! What a finished call meant.
//!
//! A breaker guards whatever a [`Classify`] can judge. It is shown the request before the call and the whole
//! `Result` after it, together with the [`Permit`] of the call, and turns them into one [`Outcome`]:
//!
//! | classifier | for | a failure is | preset |
//! |---|---|---|---|
//! | [`ErrorsAsFailures`] | any service | `Err` | `Config::default()` |
//! | [`ClassifyFn`] | any service | what a closure says of the result | `.classify_fn(…)` |
//! | [`Http::server`] | HTTP servers and routers | `Err`, 5xx except 501 and 505, a body that breaks; 429 is ignored | `Config::http()` |
//! | [`Http::client`] | HTTP clients | the same; 429 is throttled | `Config::http_client()` |
//! | [`Grpc::server`] | gRPC servers | as HTTP, and five `grpc-status` codes; `RESOURCE_EXHAUSTED` is ignored | `Config::grpc()` |
//! | [`Grpc::client`] | gRPC clients | the same; `RESOURCE_EXHAUSTED` is throttled | `Config::grpc_client()` |
//! | [`Llm`](crate::llm::Llm) | LLM APIs | the provider's signals, in heads, bodies and streams | `Config::llm(provider)` |
//! | `TowerHttp` (feature `tower-http`) | HTTP and gRPC | what a classifier of `tower_http::trace` says, and a body that breaks | `.classify(TowerHttp::new(…))` |
//!
//! With feature `reqwest`, [`Http`] and [`Llm`](crate::llm::Llm) also judge every service that returns a `reqwest::Response`.
//!
//! An HTTP service nearly always answers `Ok`, also when it is down: a rule that only sees `Err` guards nothing
//! there. All the HTTP classifiers read the waits that a server asks for ([`retry_after`]) and recognise the
//! answers of breakers further down by [`OPEN_HEADER`].
//!
//! [`rules`] are lines of a [`Config`](crate::Config) that go before any of these:
//!
//! | rule | on | says |
//! |---|---|---|
//! | [`.ignore_errors`](crate::Config::ignore_errors) | the error | these are ignored |
//! | [`.only_errors`](crate::Config::only_errors) | the error | only these may be failures |
//! | [`.classify_errors`](crate::Config::classify_errors) | the error | any [`Outcome`], or nothing |
//! | [`.ignore_caused_by`](crate::Config::ignore_caused_by), [`.only_caused_by`](crate::Config::only_caused_by), [`.classify_caused_by`](crate::Config::classify_caused_by) | an error of one type in the chain of sources | the same |
//! | [`.classify_responses`](crate::Config::classify_responses) | the response | any [`Outcome`], or nothing |
//!
//! Codes of a response are moved, and weighed, by the setters of [`Http`] and [`Grpc`].
//!
//! # Bodies
//!
//! [`Http`], [`Grpc`] and [`Llm`](crate::llm::Llm) settle a call where the first row fits:
//!
//! | | the call is settled |
//! |---|---|
//! | an `Err`, a head that is not good, [`SettleAt::Head`] | at once |
//! | an error response of [`Llm`](crate::llm::Llm) | when its body has been read, before it is handed on |
//! | no body: the answer to a `HEAD`, 204, 304, a body that has ended already | with the head |
//! | the body says how the call ended: an event of an LLM stream, trailers | there |
//! | a probe, and [`SettleAt::FirstContent`] | at the first content |
//! | the body ends or breaks | there |
//! | the body is dropped | there: a success behind the first content, else cancelled (or a failure, [at the deadline](Grpc#deadlines) of a gRPC request) |
//!
//! The permit is in the [`BreakerBody`] until then. The frames pass as they came. The time of a call, for the rules of
//! slow and overdue calls and for `cancelled_after`, ends with the first content: what follows is the time of whoever
//! reads. The rest of a probe's body is watched: see [`Permit::response_started`].
//!
//! What is read before the response is handed on is in the response's extensions as a [`Verdict`]; what comes later is
//! seen by the breaker alone.
//!
//! ## Readers of your own
//!
//! A [`ClassifyBody`] reads every byte in passing, and a [`Classify`] hands it the permit with [`BreakerBody::classified`]:
//!
//! ```
//! # #[cfg(feature = "http")] #[tokio::main(flavor = "current_thread")] async fn main() {
//! use http::{Request, Response};
//! use http_body::Body;
//! use tower_breaker::classify::{Http, ClassifyBody, Classified, NeverDeferred, BodyProgress};
//! use tower_breaker::{BreakerBody, Class, Outcome, Permit, classify::Classify};
//!
//! /// A report is whole if its last line has an end.
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
//! To know before the response is handed on, `Later` is a [`Reading`], and [`Classified::Deferred`] returns it: it reads
//! [`Until`] the first content or the end, within 64 KiB and a time, and leaves the [`Verdict`].
//!
//! # Fallbacks and retries
//!
//! [`ToOutcome`] and [`AnswerFor`] serve the fallback, retry and rejection policies: is this answer good enough, is it
//! worth another try ([`RetryAdvice`]), and how does another answer stand in for it.

mod advice;
#[cfg(feature = "http")]
pub(crate) mod body;
mod classified;
pub(crate) mod foreign;
#[cfg(feature = "http")]
pub(crate) mod grpc;
#[cfg(feature = "http")]
pub(crate) mod http;
#[cfg(feature = "http")]
pub(crate) mod infer;
pub(crate) mod result;
pub mod rules;
#[cfg(test)]
pub(crate) mod tests;
mod to_outcome;
#[cfg(feature = "http")]
mod verdict;

use std::future::Future;

use crate::Outcome;
use crate::breaker::Permit;

pub use self::advice::RetryAdvice;
#[cfg(feature = "http")]
pub use self::body::{BodyProgress, BreakerBody, ClassifyBody, Reading, SettleAt, Until};
pub use self::classified::{Classified, NeverDeferred};
#[cfg(feature = "http")]
pub(crate) use self::grpc::GRPC_STATUS;
#[cfg(feature = "http")]
pub use self::grpc::Grpc;
#[cfg(feature = "grpc")]
pub(crate) use self::grpc::{STATUS_DETAILS, encode_retry_delay};
#[cfg(feature = "http")]
pub(crate) use self::http::GRPC_PUSHBACK;
#[cfg(feature = "reqwest")]
pub(crate) use self::http::retry_advice;
#[cfg(feature = "http")]
pub use self::http::{Http, OPEN_HEADER, retry_after};
pub use self::result::{ClassifyFn, ErrorsAsFailures};
#[cfg(feature = "reqwest")]
pub(crate) use self::to_outcome::classify_head;
pub use self::to_outcome::{AnswerFor, ToOutcome};
#[cfg(feature = "http")]
pub use self::verdict::Verdict;

/// Decides what a finished call meant.
///
/// An implementation that settles every permit in [`result`](Self::result) is four lines long; one that cannot
/// know yet moves the permit into the response body, which settles it, or reads the body first and returns
/// [`Classified::Deferred`]. An example is in the [module docs](self#readers-of-your-own).
///
/// A panic in any method goes on to the caller; the call counts as ignored.
#[diagnostic::on_unimplemented(
    message = "the classifier `{Self}` cannot judge the results of this service",
    label = "does not fit a service of `{Req}` that returns `Result<{Res}, {E}>`",
    note = "HTTP (`http::Request` and `http::Response`): `Config::http()` around a server or router, `Config::http_client()` around a client",
    note = "gRPC: `Config::grpc()` around a server, `Config::grpc_client()` around a client",
    note = "any other service: `Config::default()`, where `Err` is a failure, or `.classify_fn(|result: Result<&Response, &Error>| …)`"
)]
pub trait Classify<Req, Res, E> {
    /// What the request said that the verdict needs. `()` mostly.
    type RequestInfo;

    /// The response that the caller gets: `Res`, or one whose body carries the permit on.
    type Response;

    /// What waits for more of the response where its head is not enough. [`NeverDeferred<Result<Self::Response, E>>`](NeverDeferred)
    /// where it always is.
    type Deferred: Future<Output = Result<Self::Response, E>>;

    /// Whether [`result`](Self::result) may panic while it has the permit. If it does, the call counts as ignored.
    ///
    /// To be ready for that costs a nanosecond a call. The default is the safe one; say `false` where no foreign code
    /// runs, or where its panics are of no interest: they count as a cancelled call then.
    const MAY_PANIC: bool = true;

    /// Looks at the request before the call. Must be cheap: it runs for every admitted call.
    fn request(&self, request: &Req) -> Self::RequestInfo;

    /// Settles the permit, or moves it into the response, or into what waits for more of it. The error of a call
    /// comes back untouched.
    fn result(
        &self,
        token: Self::RequestInfo,
        result: Result<Res, E>,
        permit: Permit,
    ) -> Classified<Result<Self::Response, E>, Self::Deferred>;

    /// What it means that a call was dropped before it had a result, by what the request said. It runs in a destructor,
    /// and must be cheap.
    ///
    /// Default: `None`, a cancelled call, which is neutral, or a failure after
    /// [`cancelled_after`](crate::SettingsBuilder::cancelled_after). [`Grpc`] tells here that the deadline of the
    /// request had passed.
    #[inline]
    fn dropped(token: Self::RequestInfo) -> Option<Outcome> {
        let _ = token;
        None
    }

    /// The response of a call that was settled without this classifier, by one of the [`rules`] that go before it.
    /// There is nothing left to judge.
    fn settled(&self, response: Res) -> Self::Response;

    /// Whether a breaker further down gave this response, and the dependency was not called. No rule is asked about it.
    ///
    /// Default: no.
    fn is_rejection(&self, response: &Res) -> bool {
        let _ = response;
        false
    }

    /// Like [`result`](Self::result), unless `rule` says what the result means. It is asked once, and about no response
    /// that [is a rejection](Self::is_rejection).
    ///
    /// This is how the [`rules`] of a `Config` go before its classifier, in their order. There is nothing to implement.
    fn result_unless(
        &self,
        token: Self::RequestInfo,
        result: Result<Res, E>,
        permit: Permit,
        rule: impl Fn(Result<&Res, &E>) -> Option<Outcome>,
    ) -> Classified<Result<Self::Response, E>, Self::Deferred> {
        let said = match &result {
            Ok(response) if self.is_rejection(response) => None,
            result => rule(result.as_ref()),
        };
        match said {
            Some(outcome) => {
                permit.settle(outcome);
                Classified::Ready(result.map(|response| self.settled(response)))
            }
            None => self.result(token, result, permit),
        }
    }
}
