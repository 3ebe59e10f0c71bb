//! Verdicts on gRPC response heads.

#[cfg(test)]
mod tests;

use http::{HeaderMap, HeaderName, Request, Response, StatusCode};

use super::http::{
    Codes, Side, answered_by_a_breaker, at_head, by_status, class_of, code_setters, retry_after,
};
use super::result::failed_call;
use super::{BreakerBody, Classify};
use crate::breaker::Permit;
use crate::{Class, Outcome};

pub(crate) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// Judges gRPC calls by the head of the response.
///
/// | result | server | client |
/// |---|---|---|
/// | `Err` | failure | failure |
/// | `Err` with the rejection of a breaker further down, as in [`Results`](super::Results) | ignored, with its wait | ignored, with its wait |
/// | a response with [`OPEN_HEADER`](super::OPEN_HEADER) | ignored, with its wait | ignored, with its wait |
/// | an HTTP status that [`Http`](super::Http) calls bad, such as a proxy's 503 page | as there | as there |
/// | `UNKNOWN`, `DEADLINE_EXCEEDED`, `INTERNAL`, `UNAVAILABLE`, `DATA_LOSS` | failure, with its wait | failure, with its wait |
/// | `RESOURCE_EXHAUSTED` | ignored (one caller's limit) | throttled, with its wait |
/// | `CANCELLED` | ignored | ignored |
/// | a `grpc-status` that is no number, or none of 0 to 16 | failure | failure |
/// | every other `grpc-status` | success | success |
///
/// The wait is what [`retry_after`] reads, `grpc-retry-pushback-ms` included. The setters move `grpc-status` codes
/// between the classes; of several calls that name the same code the last one wins, and a number above 16 is
/// a failure whatever they say.
///
/// **Only heads are read**: a trailers-only answer (an error of a unary call) has its `grpc-status` there. A head
/// without one is a success; the status in the trailers of a body is not looked at.
///
/// # Clone
///
/// Free for the default sets; one reference count for moved codes.
#[derive(Clone, Debug)]
pub struct Grpc {
    side: Side,
    moved: Codes,
}

impl Grpc {
    /// The rules for servers: `RESOURCE_EXHAUSTED` is ignored.
    pub const fn server() -> Self {
        Self { side: Side::Server, moved: Codes::none() }
    }

    /// The rules for clients: `RESOURCE_EXHAUSTED` is throttled.
    pub const fn client() -> Self {
        Self { side: Side::Client, moved: Codes::none() }
    }

    code_setters!("`grpc-status` codes");

    /// The verdict on one result, for classifiers that build on this one.
    pub fn outcome<B, E: 'static>(&self, result: Result<&Response<B>, &E>) -> Outcome {
        let response = match result {
            Ok(response) => response,
            Err(error) => return failed_call(error),
        };
        if let Some(outcome) = answered_by_a_breaker(response) {
            return outcome;
        }
        let (status, headers) = (response.status(), response.headers());
        if status != StatusCode::OK {
            let class = class_of(status, self.side);
            if class != Class::Success {
                return by_status(class, status, headers);
            }
        }
        by_grpc_status(headers, self.side, &self.moved).unwrap_or(Outcome::success())
    }
}

/// The verdict on the `grpc-status` in a map of headers or trailers; `None` without one.
pub(super) fn by_grpc_status(headers: &HeaderMap, side: Side, moved: &Codes) -> Option<Outcome> {
    let value = headers.get(GRPC_STATUS)?;
    let Some(code) = number(value.as_bytes()) else {
        return Some(Outcome::failure().reason("grpc-status is no number"));
    };
    let Some(name) = NAMES.get(usize::from(code)) else {
        return Some(Outcome::failure().reason("grpc-status is unknown").code(code));
    };
    let outcome = match moved.class(code).unwrap_or(default_class(code, side)) {
        Class::Failure => Outcome::failure(),
        Class::Throttled => Outcome::throttled(),
        Class::Exhausted => Outcome::exhausted(),
        Class::Ignored => return Some(Outcome::ignored().code(code).reason(name)),
        Class::Success | Class::Cancelled => return Some(Outcome::success()),
    };
    Some(outcome.maybe_retry_after(retry_after(headers)).code(code).reason(name))
}

const fn default_class(code: u16, side: Side) -> Class {
    match code {
        1 => Class::Ignored,
        8 => side.limited(),
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

impl<A, B, E: 'static> Classify<Request<A>, Response<B>, E> for Grpc {
    type Token = ();
    type Response = Response<BreakerBody<B>>;

    #[inline]
    fn request(&self, _: &Request<A>) {}

    #[inline]
    fn result(
        &self,
        (): (),
        result: Result<Response<B>, E>,
        permit: Permit,
    ) -> Result<Self::Response, E> {
        at_head(self.outcome(result.as_ref()), result, permit)
    }
}
