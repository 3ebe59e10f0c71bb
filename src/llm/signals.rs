//! Verdicts on the errors of LLM providers.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, StatusCode};

use super::error_body::ErrorBody;
use super::matching::{Meaning, Signal, find};
use super::table::TABLE;
use super::{Provider, wait};
use crate::classify::http::retry_after;
use crate::{Class, Outcome};

const EXCEPTION: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// The verdict on a response whose status is no success.
///
/// The body may be empty, cut off, or no JSON: then the status decides. The wait is that of the headers, else that of the
/// body, else, for a 429, what the reset headers suggest.
pub(super) fn classify_error(
    provider: Provider,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Outcome {
    classify_error_at(provider, status, headers, body, SystemTime::now)
}

/// The verdict on an event, a line or all of the body of a response whose status was a success.
///
/// `None` if it is no error. An error that is not known is a failure.
pub(super) fn classify_event(provider: Provider, json: &[u8]) -> Option<Outcome> {
    classify_event_at(provider, json, SystemTime::now)
}

/// The verdict on the data of an event whose name says that it is an error. `None` if the data does not say which.
pub(super) fn classify_error_event(provider: Provider, json: &[u8]) -> Option<Outcome> {
    let error = ErrorBody::of_response(json);
    let signal = find(provider, error.status, &error)?;
    Some(outcome(Some(signal), error.status, body_wait(&error, SystemTime::now)))
}

/// The verdict on an exception in an AWS event stream, by its name and its payload. One that is not known is a failure.
pub(super) fn classify_exception(provider: Provider, name: &str, message: &[u8]) -> Outcome {
    let error = ErrorBody::of_exception(name, message);
    let signal = find(provider, error.status, &error);
    outcome(signal, error.status, body_wait(&error, SystemTime::now))
}

/// Whether an outcome blames the credential: whoever shares it has the same fault.
pub(super) fn is_credential(outcome: &Outcome) -> bool {
    outcome.class() == Class::Success
        && outcome.why().is_some_and(|reason| {
            TABLE.iter().any(|it| it.meaning == Meaning::Credential && it.reason == reason)
        })
}

fn classify_error_at(
    provider: Provider,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: impl Fn() -> SystemTime,
) -> Outcome {
    let exception = headers.get(EXCEPTION).and_then(|name| name.to_str().ok());
    let error = ErrorBody::of_response(body).with_exception(exception);
    let code = status.as_u16();
    let wait = retry_after(headers).or_else(|| body_wait(&error, &now)).or_else(|| match code {
        429 => wait::hint(headers, now()),
        _ => None,
    });
    match find(provider, Some(code), &error) {
        // No error status at all: the provider answered.
        None => Outcome::success().code(code),
        signal => outcome(signal, Some(code), wait),
    }
}

fn classify_event_at(
    provider: Provider,
    json: &[u8],
    now: impl FnOnce() -> SystemTime,
) -> Option<Outcome> {
    let error = ErrorBody::of_event(json)?;
    let signal = find(provider, error.status, &error);
    Some(outcome(signal, error.status, body_wait(&error, now)))
}

fn body_wait(error: &ErrorBody, now: impl FnOnce() -> SystemTime) -> Option<Duration> {
    let until = |reset| wait::until(reset, now());
    error.delay.or_else(|| until(error.reset?)).or_else(|| wait::in_prose(&error.message))
}

fn outcome(signal: Option<&Signal>, status: Option<u16>, wait: Option<Duration>) -> Outcome {
    let (meaning, reason) = match signal {
        Some(signal) => (signal.meaning, signal.reason),
        None => (Meaning::Failed, "unknown_error"),
    };
    // A wait is the provider's; what is not its business holds nobody back.
    let outcome = match meaning {
        Meaning::Throttled => Outcome::throttled().maybe_retry_after(wait),
        Meaning::Exhausted => Outcome::exhausted().maybe_retry_after(wait),
        Meaning::Failed => Outcome::failure().maybe_retry_after(wait),
        Meaning::CallersFault | Meaning::Credential => Outcome::success(),
        Meaning::Neutral => Outcome::ignored(),
    };
    let outcome = outcome.reason(reason);
    match status {
        Some(status) => outcome.code(status),
        None => outcome,
    }
}

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;
