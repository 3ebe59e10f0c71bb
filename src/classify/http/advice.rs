//! What the headers of a response say about a retry.

use http::{HeaderMap, HeaderName};

use super::{GRPC_PUSHBACK, OPEN_HEADER, retry_after};
use crate::classify::RetryAdvice;

const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// The first of these that is there and can be read: `x-circuit-open`, `x-should-retry` (read by the SDKs of OpenAI and
/// Anthropic before the status), a `grpc-retry-pushback-ms` that is no number of milliseconds (gRFC A6: negative or
/// unreadable is the server asking not to retry).
pub(crate) fn retry_advice(headers: &HeaderMap) -> Option<RetryAdvice> {
    if headers.contains_key(OPEN_HEADER) {
        return Some(RetryAdvice::Rejected(retry_after(headers)));
    }
    let should = |word: &str| {
        headers
            .get(SHOULD_RETRY)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(word.as_bytes()))
    };
    if should("true") {
        return Some(RetryAdvice::Retry(retry_after(headers)));
    }
    let pushback = headers.get(GRPC_PUSHBACK).map(|value| value.as_bytes().trim_ascii());
    let refused = pushback.is_some_and(|ms| ms.is_empty() || !ms.iter().all(u8::is_ascii_digit));
    (refused || should("false")).then_some(RetryAdvice::Stop)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;

    use super::*;

    fn advice(headers: &[(&'static str, &'static str)]) -> Option<RetryAdvice> {
        let pairs = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        retry_advice(&pairs.collect())
    }

    #[test]
    fn no_word_is_no_advice() {
        assert_eq!(advice(&[]), None);
        assert_eq!(advice(&[("retry-after", "3")]), None);
        for other in ["", "yes", "1", "true, false"] {
            assert_eq!(advice(&[("x-should-retry", other)]), None, "{other}");
        }
    }

    #[test]
    fn a_server_says_whether_to_retry_and_when() {
        assert_eq!(advice(&[("x-should-retry", "false")]), Some(RetryAdvice::Stop));
        assert_eq!(advice(&[("x-should-retry", "true")]), Some(RetryAdvice::Retry(None)));
        assert_eq!(advice(&[("x-should-retry", "True")]), Some(RetryAdvice::Retry(None)));
        assert_eq!(
            advice(&[("x-should-retry", "true"), ("retry-after", "3")]),
            Some(RetryAdvice::Retry(Some(Duration::from_secs(3))))
        );
    }

    #[test]
    fn a_pushback_that_is_no_time_asks_not_to_retry() {
        for refusal in ["-1", "-5000", "", "soon", "1.5"] {
            let found = advice(&[("grpc-retry-pushback-ms", refusal)]);
            assert_eq!(found, Some(RetryAdvice::Stop), "{refusal}");
        }
        for time in ["0", "700", " 700 ", "99999999999999999999"] {
            assert_eq!(advice(&[("grpc-retry-pushback-ms", time)]), None, "{time}");
        }
    }

    #[test]
    fn the_answer_of_a_breaker_is_a_rejection_whatever_else_it_says() {
        let rejected =
            advice(&[("x-circuit-open", "db"), ("x-should-retry", "true"), ("retry-after", "4")]);
        assert_eq!(rejected, Some(RetryAdvice::Rejected(Some(Duration::from_secs(4)))));
        assert_eq!(advice(&[("x-circuit-open", "db")]), Some(RetryAdvice::Rejected(None)));
    }
}
