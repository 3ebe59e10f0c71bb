//! Classification of gRPC responses.

mod deadline;
#[cfg(feature = "grpc")]
mod details;
pub(crate) mod status;
#[cfg(test)]
mod tests;

use std::time::Instant;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Body;

use self::deadline::deadline_exceeded;
#[cfg(feature = "grpc")]
pub(crate) use self::details::{STATUS_DETAILS, encode_retry_delay};
pub(crate) use self::status::GRPC_STATUS;
pub(super) use self::status::by_grpc_status;
use self::status::{CLIENT_RULES, SERVER_RULES, StatusRules};
use super::body::settle::{settle_at_head, settle_by_body, settled};
use super::body::{BodyClassifier, Shared};
use super::classified::ReadyOnly;
use super::http::{Role, by_status, class_of, code_setters, is_rejection, rejected_head};
use super::result::failed_call;
use super::{BreakerBody, Classified, Classify, NeverDeferred, SettleAt};
use crate::breaker::Permit;
use crate::{Class, Outcome};

/// Classifies gRPC calls by the head of the response or by the trailers of its body.
///
/// | result | server | client |
/// |---|---|---|
/// | `Err` | failure | failure |
/// | `Err` with the rejection of a downstream breaker, as in [`ErrorsAsFailures`](super::ErrorsAsFailures) | ignored, with its wait | ignored, with its wait |
/// | a response with [`OPEN_HEADER`](super::OPEN_HEADER) | ignored, with its wait | ignored, with its wait |
/// | an HTTP status that is not a success for [`Http`](super::Http), such as a proxy's 503 page | as for `Http` | as for `Http` |
/// | `UNKNOWN`, `DEADLINE_EXCEEDED`, `INTERNAL`, `UNAVAILABLE`, `DATA_LOSS` | failure, with its wait | failure, with its wait |
/// | `RESOURCE_EXHAUSTED` | ignored (one caller's limit) | throttled, with its wait |
/// | `CANCELLED` | ignored | ignored |
/// | a `grpc-status` that is not a number from 0 to 16 | failure | failure |
/// | every other `grpc-status` | success | success |
/// | no `grpc-status`, neither in the head of a 200 nor in its trailers | failure | failure |
/// | dropped before its first message, at or after the [deadline](#deadlines) of the request | failure | failure |
/// | a 200 without a `grpc-status` in its head, and with a `content-type` that is not gRPC's | as for [`Http`](super::Http) | failure |
///
/// The wait is read by [`retry_after`](super::retry_after), which includes `grpc-retry-pushback-ms`. If there is none and
/// the feature `grpc` is enabled, the wait is read from the `google.rpc.RetryInfo` in `grpc-status-details-bin`. The
/// setters move `grpc-status` codes to other classes. If several calls name the same code, the last call wins. A status
/// above 16 is always a failure of weight 1.
///
/// ```
/// use tower_breaker::classify::Grpc;
///
/// let grpc = Grpc::client().ignored_on([4]).weight_on([14, 15], 3); // by number: 14 is `UNAVAILABLE`
/// # let down = http::Response::builder().header("grpc-status", "14").body(()).unwrap();
/// # assert_eq!(grpc.outcome(Ok::<_, &()>(&down)).failure_weight(), 3);
/// ```
///
/// A response that consists of trailers only, such as the error of a unary call, has its `grpc-status` in the head, which
/// settles the call. Every other response has it in the trailers after the body. A body that breaks is a failure. See
/// [`BreakerBody`], and [`settle_at`](Self::settle_at) to settle calls earlier. The trailers of gRPC-Web are part of the
/// body's data and are not read. Such a response is classified as by [`Http`](super::Http).
///
/// # Deadlines
///
/// The header `grpc-timeout` of a request states how long its caller waits. If a call is dropped at or after that time,
/// the dependency has not responded in time, and the call is a failure (`deadline exceeded`), like one that ends with
/// `DEADLINE_EXCEEDED`. A response that is dropped then and before its first message is a failure as well, if its body
/// was polled. After the first message and before the deadline, a drop means the same as without a deadline. A
/// `grpc-timeout` that is not 1 to 8 digits followed by one of `H M S m u n` is ignored.
///
/// On a server, the deadline reveals calls that hang: tonic's own timeout is outside all layers and drops the call. The
/// time counts from the moment when the breaker sees the request. The clock of the caller started earlier, by the time
/// that the request took to arrive. If the caller resets the stream, the deadline of the breaker may not have passed
/// yet, and the call is cancelled.
///
/// On a client, the deadline applies if code outside the breaker drops the call. If `Request::set_timeout` or the
/// timeout of tonic's channel ends the call, the breaker sees an error, which is a failure.
///
/// # Clone
///
/// Free by default. With overridden codes, a clone increments one reference count.
#[derive(Clone, Debug)]
pub struct Grpc {
    settle_at: SettleAt,
    rules: Shared<StatusRules>,
}

impl Grpc {
    /// Returns a classifier for servers. It ignores `RESOURCE_EXHAUSTED`.
    pub const fn server() -> Self {
        Self { settle_at: SettleAt::End, rules: Shared::Static(&SERVER_RULES) }
    }

    /// Returns a classifier for clients. `RESOURCE_EXHAUSTED` is throttled.
    pub const fn client() -> Self {
        Self { settle_at: SettleAt::End, rules: Shared::Static(&CLIENT_RULES) }
    }

    code_setters!("`grpc-status` codes", rules.make_mut().codes);

    /// Sets when a call is settled whose head has no `grpc-status`. Default: by its trailers, at the end of its body.
    pub const fn settle_at(mut self, at: SettleAt) -> Self {
        self.settle_at = at;
        self
    }

    /// Returns the outcome of one result by the head of its response, for classifiers that build on this one. A 200
    /// without a `grpc-status` in its head is a success.
    pub fn outcome<B, E: 'static>(&self, result: Result<&Response<B>, &E>) -> Outcome {
        match result {
            Ok(response) => self.head(response).err().unwrap_or(Outcome::success()),
            Err(error) => failed_call(error),
        }
    }

    /// Returns the outcome of a head, or the kind of the response if the body decides.
    fn head<B>(&self, response: &Response<B>) -> Result<Content, Outcome> {
        let (status, headers) = (response.status(), response.headers());
        if let Some(outcome) = rejected_head(status, headers) {
            return Err(outcome);
        }
        let rules = &*self.rules;
        let by_http = match class_of(status, rules.role) {
            Class::Success => (status != StatusCode::OK).then_some(Outcome::success()),
            class => return Err(by_status(class, status, headers)),
        };
        if let Some(outcome) = rules.classify(headers).or(by_http) {
            return Err(outcome);
        }
        match Content::of(headers) {
            Content::Other if rules.role == Role::Client => {
                Err(Outcome::failure().reason("no gRPC"))
            }
            content => Ok(content),
        }
    }

    /// Returns the classifier of a body. A server may also serve responses that are not gRPC and have no `grpc-status`.
    fn body_classifier(&self, content: Content, deadline: Option<Instant>) -> BodyClassifier {
        match (content, self.rules.role) {
            (Content::Grpc, _) | (Content::Unknown, Role::Client) => {
                BodyClassifier::Trailers(StatusRules::shared(&self.rules), deadline)
            }
            _ => BodyClassifier::Plain,
        }
    }
}

/// The kind of a response by its `content-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// `application/grpc`, with or without the format of its messages.
    Grpc,
    /// gRPC-Web, which has its trailers in the data.
    GrpcWeb,
    Other,
    Unknown,
}

impl Content {
    fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(CONTENT_TYPE) else { return Self::Unknown };
        match value.as_bytes().strip_prefix(b"application/grpc") {
            Some([] | [b'+' | b';', ..]) => Self::Grpc,
            Some([b'-', ..]) => Self::GrpcWeb,
            _ => Self::Other,
        }
    }
}

impl<A, B, E> Classify<Request<A>, Response<B>, E> for Grpc
where
    B: Body,
    E: 'static,
{
    /// The deadline of the call, if it has one.
    type RequestInfo = Option<Instant>;
    type Response = Response<BreakerBody<B>>;
    type Deferred = NeverDeferred<Result<Self::Response, E>>;

    #[inline]
    fn request(&self, request: &Request<A>) -> Option<Instant> {
        deadline::deadline(request.headers())
    }

    #[inline]
    fn result(
        &self,
        deadline: Option<Instant>,
        result: Result<Response<B>, E>,
        permit: Permit,
    ) -> ReadyOnly<Result<Self::Response, E>> {
        let head = match &result {
            Ok(response) => self.head(response),
            Err(error) => Err(failed_call(error)),
        };
        Classified::Ready(match (result, head) {
            (Ok(response), Ok(content)) => {
                let classifier = self.body_classifier(content, deadline);
                Ok(settle_by_body(response, false, self.settle_at, permit, classifier))
            }
            (result, head) => {
                settle_at_head(result, permit, head.err().unwrap_or(Outcome::success()))
            }
        })
    }

    #[inline]
    fn dropped(deadline: Option<Instant>) -> Option<Outcome> {
        deadline_exceeded(deadline)
    }

    fn settled(&self, response: Response<B>) -> Self::Response {
        settled(response)
    }

    fn is_rejection(&self, response: &Response<B>) -> bool {
        is_rejection(response.headers())
    }
}
