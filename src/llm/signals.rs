//! Classifies the errors of LLM providers.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode};

use super::error_body::ErrorBody;
use super::providers::{Provider, profiles};
use super::signal::{Matcher, Meaning, Signal, Signals};
use super::wait;
use crate::classify::http::retry_after;
use crate::{Class, Outcome};

/// Classifies a response with an error status.
///
/// If the body is empty, truncated or not JSON, the status decides. The wait is the first of: that of the headers, that
/// of the body, and, for a 429, the one that the reset headers suggest.
pub(super) fn classify_error(
    provider: Provider,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Outcome {
    classify_error_at(provider, status, headers, body, SystemTime::now)
}

/// Classifies an event, a line or the whole body of a response with a good status.
///
/// Returns `None` if it is not an error. An unknown error is a failure.
pub(super) fn classify_event(provider: Provider, json: &[u8]) -> Option<Outcome> {
    classify_event_at(provider, json, SystemTime::now)
}

/// Classifies the data of an event whose name reports an error. Returns `None` if the data has no signal.
pub(super) fn classify_error_event(provider: Provider, json: &[u8]) -> Option<Outcome> {
    let error = ErrorBody::of_response(json);
    let signal = find(provider, error.status, &error)?;
    Some(outcome(Some(signal), error.status, body_wait(&error, SystemTime::now)))
}

/// Classifies an exception in an AWS event stream by its name and its payload. An unknown exception is a failure.
pub(super) fn classify_exception(provider: Provider, name: &str, message: &[u8]) -> Outcome {
    let error = ErrorBody::of_exception(name, message);
    let signal = find(provider, error.status, &error);
    outcome(signal, error.status, body_wait(&error, SystemTime::now))
}

/// Returns whether an outcome blames the credential.
pub(super) fn is_credential(outcome: &Outcome) -> bool {
    // An outcome keeps only the reason of its signal.
    let blames_credential = |reason: &str| {
        let tables = profiles().flat_map(|profile| profile.signals);
        let mut signals = tables.flat_map(|table| table.groups()).flatten();
        signals.any(|it| it.meaning == Meaning::Credential && it.reason == reason)
    };
    outcome.class() == Class::Success && outcome.why().is_some_and(blames_credential)
}

/// Returns the signal of an error. Tries, in this order, the texts that decide first, its codes, its types, its status
/// and its bare text.
fn find(provider: Provider, status: Option<u16>, error: &ErrorBody) -> Option<&'static Signal> {
    let first = |matches: &dyn Fn(Matcher) -> bool| {
        in_order(provider).find(|it| it.statuses.contains(status) && matches(it.matcher))
    };
    let message = error.message.to_ascii_lowercase();
    let decisive = |matcher| match matcher {
        Matcher::MessageStart(text) => message.starts_with(text),
        Matcher::MessagePart(text) => message.contains(text),
        Matcher::QuotaPart(text) => {
            error.quotas.iter().any(|quota| quota.to_ascii_lowercase().contains(text))
        }
        _ => false,
    };
    let named = |matcher, names: &[String]| match matcher {
        Matcher::Name(name) => names.iter().any(|known| known.eq_ignore_ascii_case(name)),
        _ => false,
    };
    let bare =
        |matcher| matches!(matcher, Matcher::BareMessageStart(text) if message.starts_with(text));
    first(&decisive)
        .or_else(|| first(&|matcher| named(matcher, &error.codes)))
        .or_else(|| first(&|matcher| named(matcher, &error.types)))
        .or_else(|| first(&|matcher| matcher == Matcher::Status))
        .or_else(|| if status.is_none() { first(&bare) } else { None })
}

/// Returns the signals of a provider in the order in which they decide: group by group, and table by table in a group.
fn in_order(provider: Provider) -> impl Iterator<Item = &'static Signal> {
    let tables = provider.profile().signals.iter();
    (0..Signals::GROUPS).flat_map(move |group| {
        tables.clone().flat_map(move |table| table.groups().into_iter().nth(group)).flatten()
    })
}

fn classify_error_at(
    provider: Provider,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: impl Fn() -> SystemTime,
) -> Outcome {
    let error = ErrorBody::of_response(body).with_exception(exception_in(headers));
    let code = status.as_u16();
    let wait = retry_after(headers).or_else(|| body_wait(&error, &now)).or_else(|| match code {
        429 => wait::hint(profiles().flat_map(|profile| profile.budgets), headers, now()),
        _ => None,
    });
    match find(provider, Some(code), &error) {
        // The status is not an error status, so the provider is healthy.
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

fn exception_in(headers: &HeaderMap) -> Option<&str> {
    let mut names = profiles().filter_map(|profile| profile.error_header);
    names.find_map(|name| headers.get(name)?.to_str().ok())
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
    // Only a condition of the provider has a wait. A wrong request or a conflict must not delay other calls.
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
mod document;
#[cfg(test)]
mod tests;
