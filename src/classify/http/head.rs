//! The head of an HTTP response. Every classifier of HTTP responses uses these functions.

use http::{HeaderMap, HeaderName, Method, Request, StatusCode};

use super::retry_after;
use crate::{Class, Outcome};

/// The header of every response with which a breaker answers a rejected call. Its value is the name of the breaker.
///
/// The classifiers ignore a response with this header, and read its wait. Otherwise one open circuit would open every
/// circuit upstream of it.
pub const OPEN_HEADER: HeaderName = HeaderName::from_static("x-circuit-open");

/// The role of the guarded service, which decides what a rate limit means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::classify) enum Role {
    /// The service answers callers. A rate limit concerns a single caller.
    Server,
    /// The service calls a dependency. A rate limit concerns this program.
    Client,
}

impl Role {
    /// Returns the class of a rate limit.
    pub(in crate::classify) const fn rate_limited(self) -> Class {
        match self {
            Self::Server => Class::Ignored,
            Self::Client => Class::Throttled,
        }
    }
}

/// Returns whether the request is a `HEAD`, whose response has no body.
#[inline]
pub(crate) fn is_head<B>(request: &Request<B>) -> bool {
    request.method() == Method::HEAD
}

/// Returns whether the response comes from a breaker, not from the dependency.
#[inline]
pub(crate) fn is_rejection(headers: &HeaderMap) -> bool {
    headers.contains_key(OPEN_HEADER)
}

/// Returns the outcome of the head of a response, if a downstream breaker answered in place of the dependency.
#[inline]
pub(crate) fn rejected_head(status: StatusCode, headers: &HeaderMap) -> Option<Outcome> {
    is_rejection(headers).then(|| {
        Outcome::rejected()
            .maybe_retry_after(retry_after(headers))
            .code(status.as_u16())
            .reason("downstream circuit open")
    })
}

/// Returns the class of a status code without overrides.
pub(in crate::classify) fn class_of(status: StatusCode, role: Role) -> Class {
    match status.as_u16() {
        429 => role.rate_limited(),
        // The server is healthy: it names a feature or a version that it does not support.
        501 | 505 => Class::Success,
        500..=599 => Class::Failure,
        _ => Class::Success,
    }
}

/// Returns an outcome of `class` with the code, the reason and the wait of the head.
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
