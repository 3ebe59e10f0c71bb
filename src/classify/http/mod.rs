//! Verdicts on HTTP responses.

mod advice;
mod codes;
mod retry_after;
#[cfg(test)]
mod tests;

use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode};
use http_body::Body;

use super::body::{BodyClassifier, until_settled};
use super::classified::ReadyOnly;
use super::result::failed_call;
use super::{BreakerBody, Classified, Classify, NeverDeferred, SettleAt};
use crate::breaker::Permit;
use crate::{Class, Outcome};

pub(crate) use self::advice::retry_advice;
pub(crate) use self::codes::{Codes, code_setters};
pub(crate) use self::retry_after::GRPC_PUSHBACK;
pub use self::retry_after::retry_after;

/// The header of every answer that a breaker made itself. Its value is the breaker's name.
///
/// The classifiers read a response that carries it as ignored, with its wait: a breaker two tiers down must not
/// open every breaker above it.
pub const OPEN_HEADER: HeaderName = HeaderName::from_static("x-circuit-open");

/// On which side of the wire the guarded service stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The service answers callers: a limit is one caller's business.
    Server,
    /// The service calls a dependency: a limit is meant for us.
    Client,
}

impl Side {
    pub(super) const fn limited(self) -> Class {
        match self {
            Self::Server => Class::Ignored,
            Self::Client => Class::Throttled,
        }
    }
}

/// Judges HTTP calls: by the head of the response, and by whether its body ends.
///
/// | result | server | client |
/// |---|---|---|
/// | `Err` | failure | failure |
/// | `Err` with the rejection of a breaker further down, as in [`ErrorsAsFailures`](super::ErrorsAsFailures) | ignored, with its wait | ignored, with its wait |
/// | a response with [`OPEN_HEADER`] | ignored, with its wait | ignored, with its wait |
/// | 5xx except 501 and 505 | failure, with its wait | failure, with its wait |
/// | 429 | ignored (one caller's limit) | throttled, with its wait |
/// | the rest, 501 and 505 included | success (the server answered) | success |
///
/// A response with a status of 200 to 299 is a success if its body ends, too: a body that breaks is a failure, and one
/// that is dropped unread is a cancelled call. See [`BreakerBody`]; where bodies are not read, use
/// [`settle_at`](Self::settle_at)`(SettleAt::Head)`. Every other response is settled at its head.
///
/// The wait is what [`retry_after`] reads. The setters move codes between the classes; of several calls that name
/// the same code the last one wins, and a number that is no HTTP status matches nothing.
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
/// Some failures say more than others:
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
/// Free for the default sets; one reference count for codes that were moved or weighed.
#[derive(Clone, Debug)]
pub struct Http {
    side: Side,
    at: SettleAt,
    moved: Codes,
}

impl Http {
    /// The rules for servers and routers: 429 is ignored.
    pub const fn server() -> Self {
        Self { side: Side::Server, at: SettleAt::End, moved: Codes::none() }
    }

    /// The rules for clients: 429 is throttled.
    pub const fn client() -> Self {
        Self { side: Side::Client, at: SettleAt::End, moved: Codes::none() }
    }

    code_setters!("status codes");

    /// When a call is settled whose head was good. Default: at the end of its body.
    pub const fn settle_at(mut self, at: SettleAt) -> Self {
        self.at = at;
        self
    }

    /// The verdict on one result by the head of its response, for classifiers that build on this one.
    pub fn outcome<B, E: 'static>(&self, result: Result<&Response<B>, &E>) -> Outcome {
        let response = match result {
            Ok(response) => response,
            Err(error) => return failed_call(error),
        };
        if let Some(outcome) = answered_by_a_breaker(response) {
            return outcome;
        }
        let status = response.status();
        let class = match self.moved.class(status.as_u16()) {
            Some(class) => class,
            None => class_of(status, self.side),
        };
        if class == Class::Success {
            return Outcome::success();
        }
        let outcome = by_status(class, status, response.headers());
        match self.moved.weight(status.as_u16()) {
            Some(weight) if class == Class::Failure => outcome.weight(weight),
            _ => outcome,
        }
    }
}

/// The class of a status code before any was moved.
pub(super) fn class_of(status: StatusCode, side: Side) -> Class {
    match status.as_u16() {
        429 => side.limited(),
        // The server says what it cannot do, and is well.
        501 | 505 => Class::Success,
        500..=599 => Class::Failure,
        _ => Class::Success,
    }
}

/// Fills in what the head says beside its class.
pub(crate) fn by_status(class: Class, status: StatusCode, headers: &HeaderMap) -> Outcome {
    let outcome = match class {
        Class::Failure => Outcome::failure(),
        Class::Throttled => Outcome::throttled(),
        Class::Exhausted => Outcome::exhausted(),
        Class::Ignored => return Outcome::ignored().code(status.as_u16()),
        Class::Success | Class::Cancelled => return Outcome::success(),
    };
    outcome
        .maybe_retry_after(retry_after(headers))
        .code(status.as_u16())
        .reason(status.canonical_reason().unwrap_or("status"))
}

/// The neutral verdict on an answer that a breaker made.
pub(crate) fn answered_by_a_breaker<B>(response: &Response<B>) -> Option<Outcome> {
    let headers = response.headers();
    headers.contains_key(OPEN_HEADER).then(|| {
        Outcome::ignored()
            .maybe_retry_after(retry_after(headers))
            .code(response.status().as_u16())
            .reason(OPEN_BELOW)
    })
}

/// The reason of verdicts on [`OPEN_HEADER`].
pub(super) const OPEN_BELOW: &str = "circuit open further down";

impl<A, B, E> Classify<Request<A>, Response<B>, E> for Http
where
    B: Body,
    E: 'static,
{
    /// Whether the request was a `HEAD`: its answer has no body, whatever its headers say.
    type RequestInfo = bool;
    type Response = Response<BreakerBody<B>>;
    type Deferred = NeverDeferred<Result<Self::Response, E>>;

    #[inline]
    fn request(&self, request: &Request<A>) -> bool {
        request.method() == Method::HEAD
    }

    #[inline]
    fn result(
        &self,
        head: bool,
        result: Result<Response<B>, E>,
        permit: Permit,
    ) -> ReadyOnly<Result<Self::Response, E>> {
        let outcome = self.outcome(result.as_ref());
        Classified::Ready(match result {
            // Few read what comes with a redirect or with their own mistake: it was answered.
            Ok(response) if outcome.class() == Class::Success && response.status().is_success() => {
                Ok(until_settled(response, head, self.at, permit, BodyClassifier::Plain))
            }
            result => {
                permit.settle(outcome);
                result.map(|response| response.map(BreakerBody::new))
            }
        })
    }

    fn settled(&self, response: Response<B>) -> Self::Response {
        response.map(BreakerBody::new)
    }

    fn is_rejection(&self, response: &Response<B>) -> bool {
        response.headers().contains_key(OPEN_HEADER)
    }
}
