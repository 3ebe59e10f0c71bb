//! Verdicts on gRPC responses.

mod deadline;
#[cfg(feature = "grpc")]
mod details;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, Request, Response, StatusCode};
use http_body::Body;

pub(super) use self::deadline::given_up;
#[cfg(feature = "grpc")]
pub(crate) use self::details::{STATUS_DETAILS, tell_delay};
use super::body::BodyClassifier;
use super::body::settle::settle_by_body;
use super::classified::ReadyOnly;
use super::http::{
    Codes, Role, answered_by_a_breaker, by_status, class_of, code_setters, retry_after,
};
use super::result::failed_call;
use super::{BreakerBody, Classified, Classify, NeverDeferred, OPEN_HEADER, SettleAt};
use crate::breaker::Permit;
use crate::{Class, Outcome};

pub(crate) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// Judges gRPC calls, by the head of the response or the trailers of its body.
///
/// | result | server | client |
/// |---|---|---|
/// | `Err` | failure | failure |
/// | `Err` with the rejection of a breaker further down, as in [`ErrorsAsFailures`](super::ErrorsAsFailures) | ignored, with its wait | ignored, with its wait |
/// | a response with [`OPEN_HEADER`](super::OPEN_HEADER) | ignored, with its wait | ignored, with its wait |
/// | an HTTP status that [`Http`](super::Http) calls bad, such as a proxy's 503 page | as there | as there |
/// | `UNKNOWN`, `DEADLINE_EXCEEDED`, `INTERNAL`, `UNAVAILABLE`, `DATA_LOSS` | failure, with its wait | failure, with its wait |
/// | `RESOURCE_EXHAUSTED` | ignored (one caller's limit) | throttled, with its wait |
/// | `CANCELLED` | ignored | ignored |
/// | a `grpc-status` that is no number, or none of 0 to 16 | failure | failure |
/// | every other `grpc-status` | success | success |
/// | no `grpc-status`, neither in the head of a 200 nor in its trailers | failure | failure |
/// | dropped at or after the [deadline](#deadlines) of the request, without a message | failure | failure |
/// | a 200 with a `content-type` that is not gRPC's, and no `grpc-status` in its head | as [`Http`](super::Http) | failure |
///
/// The wait is what [`retry_after`] reads, `grpc-retry-pushback-ms` included, or else, with feature `grpc`, the
/// `google.rpc.RetryInfo` in `grpc-status-details-bin`. The setters move `grpc-status` codes
/// between the classes; of several calls that name the same code the last one wins, and a number above 16 is
/// a failure of weight 1 whatever they say.
///
/// ```
/// use tower_breaker::classify::Grpc;
///
/// let grpc = Grpc::client().ignored_on([4]).weight_on([14, 15], 3); // by number: 14 is `UNAVAILABLE`
/// # let down = http::Response::builder().header("grpc-status", "14").body(()).unwrap();
/// # assert_eq!(grpc.outcome(Ok::<_, &()>(&down)).failure_weight(), 3);
/// ```
///
/// An answer with trailers only (an error of a unary call) has its `grpc-status` in the head, and every other one after
/// its body: the call ends there. A body that breaks is a failure. See [`BreakerBody`], and
/// [`settle_at`](Self::settle_at) to have it otherwise. The trailers of gRPC-Web, which are in the data of the body, are
/// not read: such a response is judged as by [`Http`](super::Http).
///
/// # Deadlines
///
/// `grpc-timeout` in a request says for how long its caller waits. A call that is dropped when that time is over was not
/// answered in time: it is a failure (`deadline exceeded`), as `DEADLINE_EXCEEDED` is. So is a response that is dropped
/// then before its first message, if anybody had waited for that. Behind the first message, and before the deadline, a
/// drop is what it is without a deadline. A `grpc-timeout` that is not 1 to 8 digits and one of `H M S m u n` is none.
///
/// On a server this is how a breaker sees calls that hang: tonic's own timeout is outside of every layer, and drops the
/// call. The time is counted from when the breaker sees the request. A caller that counts its own time and resets the
/// stream may be there a moment sooner, by as much as the request took to get here: that is a cancelled call.
///
/// On a client it is for whoever drops a call around the breaker at its deadline. Where `Request::set_timeout` or the
/// timeout of tonic's channel ends the call, the breaker sees an error, which is a failure anyway.
///
/// # Clone
///
/// Free for the default sets; one reference count for codes that were moved or weighed.
#[derive(Clone, Debug)]
pub struct Grpc {
    side: Role,
    at: SettleAt,
    moved: Codes,
}

impl Grpc {
    /// The rules for servers: `RESOURCE_EXHAUSTED` is ignored.
    pub const fn server() -> Self {
        Self { side: Role::Server, at: SettleAt::End, moved: Codes::none() }
    }

    /// The rules for clients: `RESOURCE_EXHAUSTED` is throttled.
    pub const fn client() -> Self {
        Self { side: Role::Client, at: SettleAt::End, moved: Codes::none() }
    }

    code_setters!("`grpc-status` codes", moved);

    /// When a call is settled whose head has no `grpc-status`. Default: by its trailers, at the end of its body.
    pub const fn settle_at(mut self, at: SettleAt) -> Self {
        self.at = at;
        self
    }

    /// The verdict on one result by the head of its response, for classifiers that build on this one. A 200 without a
    /// `grpc-status` in its head is a success.
    pub fn outcome<B, E: 'static>(&self, result: Result<&Response<B>, &E>) -> Outcome {
        match result {
            Ok(response) => self.head(response).unwrap_or(Outcome::success()),
            Err(error) => failed_call(error),
        }
    }

    /// The verdict of a head; `None` if it is in the trailers.
    fn head<B>(&self, response: &Response<B>) -> Option<Outcome> {
        if let Some(outcome) = answered_by_a_breaker(response) {
            return Some(outcome);
        }
        let (status, headers) = (response.status(), response.headers());
        let by_http = match class_of(status, self.side) {
            Class::Success => (status != StatusCode::OK).then_some(Outcome::success()),
            class => return Some(by_status(class, status, headers)),
        };
        by_grpc_status(headers, self.side, &self.moved).or(by_http).or_else(|| {
            let page = self.side == Role::Client && content(headers) == Content::Other;
            page.then(|| Outcome::failure().reason("no gRPC"))
        })
    }

    /// The verdict of trailers.
    pub(super) fn trailers(&self, trailers: &HeaderMap) -> Outcome {
        by_grpc_status(trailers, self.side, &self.moved).unwrap_or(self.no_status())
    }

    /// The verdict on an answer that ended without a status: it was cut off, or is not gRPC.
    pub(super) const fn no_status(&self) -> Outcome {
        Outcome::failure().reason("no grpc-status")
    }

    /// Who reads the body: what else a server has to offer is not in gRPC.
    fn judge(&self, headers: &HeaderMap, deadline: Option<Instant>) -> BodyClassifier {
        match (content(headers), self.side) {
            (Content::Grpc, _) | (Content::Unknown, Role::Client) => {
                BodyClassifier::Grpc(self.clone(), deadline)
            }
            _ => BodyClassifier::Plain,
        }
    }
}

/// What the `content-type` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// `application/grpc`, also with the name of its messages' format.
    Grpc,
    /// Trailers are in the data.
    GrpcWeb,
    Other,
    Unknown,
}

fn content(headers: &HeaderMap) -> Content {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Content::Unknown };
    match value.as_bytes().strip_prefix(b"application/grpc") {
        Some([] | [b'+' | b';', ..]) => Content::Grpc,
        Some([b'-', ..]) => Content::GrpcWeb,
        _ => Content::Other,
    }
}

/// The verdict on the `grpc-status` in a map of headers or trailers; `None` without one.
pub(super) fn by_grpc_status(headers: &HeaderMap, side: Role, moved: &Codes) -> Option<Outcome> {
    let value = headers.get(GRPC_STATUS)?;
    let Some(code) = number(value.as_bytes()) else {
        return Some(Outcome::failure().reason("grpc-status is no number"));
    };
    let Some(name) = NAMES.get(usize::from(code)) else {
        return Some(Outcome::failure().reason("grpc-status is unknown").code(code));
    };
    let outcome = match moved.class(code).unwrap_or(default_class(code, side)) {
        Class::Failure => Outcome::failure().weight(moved.weight(code).unwrap_or(1)),
        Class::Throttled => Outcome::throttled(),
        Class::Exhausted => Outcome::exhausted(),
        Class::Ignored => return Some(Outcome::ignored().code(code).reason(name)),
        Class::Success | Class::Cancelled => return Some(Outcome::success()),
    };
    Some(outcome.maybe_retry_after(wait(headers)).code(code).reason(name))
}

/// The number of a `grpc-status` and its name, in a map of headers or trailers.
#[cfg(feature = "tower-http")]
pub(crate) fn code_and_name(headers: &HeaderMap) -> Option<(u16, &'static str)> {
    let code = number(headers.get(GRPC_STATUS)?.as_bytes())?;
    Some((code, NAMES.get(usize::from(code)).copied().unwrap_or("grpc-status is unknown")))
}

/// What the headers say; the transport is more exact than the details of the status.
pub(crate) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let wait = retry_after(headers);
    #[cfg(feature = "grpc")]
    let wait = wait.or_else(|| details::retry_delay(headers));
    wait
}

const fn default_class(code: u16, side: Role) -> Class {
    match code {
        1 => Class::Ignored,
        8 => side.rate_limited(),
        2 | 4 | 13 | 14 | 15 => Class::Failure,
        _ => Class::Success,
    }
}

/// `1*DIGIT`, as the protocol has it. What is too long is some number above 16.
fn number(value: &[u8]) -> Option<u16> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0_u16, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number.saturating_mul(10).saturating_add(u16::from(byte - b'0')))
    })
}

/// The codes of gRPC by number.
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

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
            Err(error) => Some(failed_call(error)),
        };
        Classified::Ready(match (result, head) {
            (Ok(response), None) => {
                let judge = self.judge(response.headers(), deadline);
                Ok(settle_by_body(response, false, self.at, permit, judge))
            }
            (result, head) => {
                permit.settle(head.unwrap_or(Outcome::success()));
                result.map(|response| response.map(BreakerBody::new))
            }
        })
    }

    #[inline]
    fn dropped(deadline: Option<Instant>) -> Option<Outcome> {
        given_up(deadline)
    }

    fn settled(&self, response: Response<B>) -> Self::Response {
        response.map(BreakerBody::new)
    }

    fn is_rejection(&self, response: &Response<B>) -> bool {
        response.headers().contains_key(OPEN_HEADER)
    }
}
