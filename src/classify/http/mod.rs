//! Classification of HTTP responses.

mod advice;
mod codes;
#[cfg(feature = "llm")]
mod encoding;
mod head;
mod retry_after;
#[cfg(test)]
mod tests;

use http::{Request, Response};
use http_body::Body;

use super::body::BodyClassifier;
use super::body::settle::{settle_at_head, settle_by_body, settled};
use super::classified::ReadyOnly;
use super::result::failed_call;
use super::{BreakerBody, Classified, Classify, NeverDeferred, SettleAt};
use crate::breaker::Permit;
use crate::{Class, Outcome};

pub(crate) use self::advice::retry_advice;
pub(crate) use self::codes::{Codes, code_setters};
#[cfg(feature = "llm")]
pub(crate) use self::encoding::is_encoded;
pub use self::head::OPEN_HEADER;
pub(super) use self::head::{Role, class_of};
pub(crate) use self::head::{by_status, is_head, is_rejection, rejected_head};
pub(crate) use self::retry_after::GRPC_PUSHBACK;
pub use self::retry_after::retry_after;

/// Classifies HTTP calls by the head of the response and by the end of its body.
///
/// | result | server | client |
/// |---|---|---|
/// | `Err` | failure | failure |
/// | `Err` with the rejection of a downstream breaker, as in [`ErrorsAsFailures`](super::ErrorsAsFailures) | ignored, with its wait | ignored, with its wait |
/// | a response with [`OPEN_HEADER`] | ignored, with its wait | ignored, with its wait |
/// | 5xx except 501 and 505 | failure, with its wait | failure, with its wait |
/// | 429 | ignored (one caller's limit) | throttled, with its wait |
/// | every other status, including 501 and 505 | success (the server answered) | success |
///
/// A response with a status from 200 to 299 is a success only if its body ends. A body that breaks is a failure, and a
/// body that is dropped unread is a cancelled call. See [`BreakerBody`]. If bodies are not read, use
/// [`settle_at`](Self::settle_at)`(SettleAt::Head)`. A response with any other status is settled at its head.
///
/// The wait is read by [`retry_after`]. The setters move status codes to other classes. If several calls name the same
/// code, the last call wins. A number that is not an HTTP status matches nothing.
///
/// ```
/// use http::Response;
/// use tower_breaker::{Class, classify::Http};
///
/// let http = Http::client().failure_on([408, 425]).success_on([500]);
///
/// let timeout = Response::builder().status(408).body(()).unwrap();
/// assert_eq!(http.outcome(Ok::<_, &()>(&timeout)).class(), Class::Failure);
/// ```
///
/// Failures with some status codes can weigh more than others:
///
/// ```
/// # use http::Response;
/// use tower_breaker::classify::Http;
///
/// let http = Http::client().weight_on([502, 504], 3);
/// # let late = Response::builder().status(504).body(()).unwrap();
/// # assert_eq!(http.outcome(Ok::<_, &()>(&late)).failure_weight(), 3);
/// ```
///
/// # Clone
///
/// Free by default. With overridden codes, a clone increments one reference count.
#[derive(Clone, Debug)]
pub struct Http {
    role: Role,
    settle_at: SettleAt,
    codes: Codes,
}

impl Http {
    /// Returns a classifier for servers and routers. It ignores 429.
    pub const fn server() -> Self {
        Self::new(Role::Server)
    }

    /// Returns a classifier for clients. 429 is throttled.
    pub const fn client() -> Self {
        Self::new(Role::Client)
    }

    const fn new(role: Role) -> Self {
        Self { role, settle_at: SettleAt::End, codes: Codes::none() }
    }

    code_setters!("status codes", codes);

    /// Sets when a call with a good head is settled. Default: at the end of the response body.
    pub const fn settle_at(mut self, at: SettleAt) -> Self {
        self.settle_at = at;
        self
    }

    /// Returns the outcome of one result by the head of its response, for classifiers that build on this one.
    pub fn outcome<B, E: 'static>(&self, result: Result<&Response<B>, &E>) -> Outcome {
        let response = match result {
            Ok(response) => response,
            Err(error) => return failed_call(error),
        };
        let status = response.status();
        if let Some(outcome) = rejected_head(status, response.headers()) {
            return outcome;
        }
        let class = match self.codes.class(status.as_u16()) {
            Some(class) => class,
            None => class_of(status, self.role),
        };
        if class == Class::Success {
            return Outcome::success();
        }
        let outcome = by_status(class, status, response.headers());
        match self.codes.weight(status.as_u16()) {
            Some(weight) if class == Class::Failure => outcome.weight(weight),
            _ => outcome,
        }
    }
}

impl<A, B, E> Classify<Request<A>, Response<B>, E> for Http
where
    B: Body,
    E: 'static,
{
    /// Whether the request was a `HEAD`. Its response has no body, whatever the headers say.
    type RequestInfo = bool;
    type Response = Response<BreakerBody<B>>;
    type Deferred = NeverDeferred<Result<Self::Response, E>>;

    #[inline]
    fn request(&self, request: &Request<A>) -> bool {
        is_head(request)
    }

    #[inline]
    fn result(
        &self,
        is_head: bool,
        result: Result<Response<B>, E>,
        permit: Permit,
    ) -> ReadyOnly<Result<Self::Response, E>> {
        let outcome = self.outcome(result.as_ref());
        Classified::Ready(match result {
            // Callers seldom read the body of a redirect or of a 4xx, so such a call is settled at its head.
            Ok(response) if outcome.class() == Class::Success && response.status().is_success() => {
                let classifier = BodyClassifier::Plain;
                Ok(settle_by_body(response, is_head, self.settle_at, permit, classifier))
            }
            result => settle_at_head(result, permit, outcome),
        })
    }

    fn settled(&self, response: Response<B>) -> Self::Response {
        settled(response)
    }

    fn is_rejection(&self, response: &Response<B>) -> bool {
        is_rejection(response.headers())
    }
}
