//! The `grpc-status` of a response.

use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::deadline::deadline_exceeded;
#[cfg(feature = "grpc")]
use super::details;
use crate::classify::body::{ClassifyTrailers, Shared};
use crate::classify::http::{Codes, Role, retry_after};
use crate::{Class, Outcome};

pub(crate) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// The rules by which a `grpc-status` is classified.
#[derive(Clone, Debug)]
pub(super) struct StatusRules {
    pub(super) role: Role,
    pub(super) codes: Codes,
}

pub(super) static SERVER_RULES: StatusRules =
    StatusRules { role: Role::Server, codes: Codes::none() };
pub(super) static CLIENT_RULES: StatusRules =
    StatusRules { role: Role::Client, codes: Codes::none() };

impl StatusRules {
    /// Returns the rules as the classifier of a body.
    pub(super) fn shared(rules: &Shared<Self>) -> Shared<dyn ClassifyTrailers> {
        match rules {
            Shared::Static(rules) => Shared::Static(*rules),
            Shared::Counted(rules) => Shared::Counted(rules.clone()),
        }
    }

    /// Returns the outcome of headers or trailers. `None` if they have no `grpc-status`.
    pub(super) fn classify(&self, headers: &HeaderMap) -> Option<Outcome> {
        by_grpc_status(headers, self.role, &self.codes)
    }
}

impl ClassifyTrailers for StatusRules {
    fn trailers(&self, trailers: &HeaderMap) -> Outcome {
        self.classify(trailers).unwrap_or_else(|| self.end())
    }

    /// The body was cut off, or it is not gRPC.
    fn end(&self) -> Outcome {
        Outcome::failure().reason("no grpc-status")
    }

    fn abandoned(&self, deadline: Option<Instant>) -> Option<Outcome> {
        deadline_exceeded(deadline)
    }
}

/// Returns the outcome of headers or trailers by their `grpc-status`. `None` if they have none.
pub(in crate::classify) fn by_grpc_status(
    headers: &HeaderMap,
    role: Role,
    codes: &Codes,
) -> Option<Outcome> {
    let Some((code, name)) = code_and_name(headers.get(GRPC_STATUS)?) else {
        return Some(Outcome::failure().reason("grpc-status is no number"));
    };
    if usize::from(code) >= NAMES.len() {
        return Some(Outcome::failure().reason(name).code(code));
    }
    let outcome = match codes.class(code).unwrap_or(default_class(code, role)) {
        Class::Failure => Outcome::failure().weight(codes.weight(code).unwrap_or(1)),
        Class::Throttled => Outcome::throttled(),
        Class::Exhausted => Outcome::exhausted(),
        Class::Ignored => return Some(Outcome::ignored().code(code).reason(name)),
        Class::Success | Class::Cancelled => return Some(Outcome::success()),
    };
    Some(outcome.maybe_retry_after(retry_wait(headers)).code(code).reason(name))
}

/// Returns the class of a code from 0 to 16 without overrides.
const fn default_class(code: u16, role: Role) -> Class {
    match code {
        1 => Class::Ignored,
        8 => role.rate_limited(),
        2 | 4 | 13 | 14 | 15 => Class::Failure,
        _ => Class::Success,
    }
}

/// Returns the wait in headers or trailers. The fields of the transport take precedence over the details of the status,
/// because they are more exact.
pub(crate) fn retry_wait(headers: &HeaderMap) -> Option<Duration> {
    let wait = retry_after(headers);
    #[cfg(feature = "grpc")]
    let wait = wait.or_else(|| details::retry_delay(headers));
    wait
}

/// Returns the code and the name of a `grpc-status`. `None` if it is not a number.
pub(crate) fn code_and_name(status: &HeaderValue) -> Option<(u16, &'static str)> {
    let code = number(status.as_bytes())?;
    Some((code, NAMES.get(usize::from(code)).copied().unwrap_or("grpc-status is unknown")))
}

/// Parses `1*DIGIT`, as the protocol defines a status. A number that is too large becomes [`u16::MAX`], which is unknown.
fn number(value: &[u8]) -> Option<u16> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0_u16, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number.saturating_mul(10).saturating_add(u16::from(byte - b'0')))
    })
}

/// The names of the gRPC status codes, by number.
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
