//! Explicit retry instructions in the headers of a response.

use http::{HeaderMap, HeaderName};

use super::{GRPC_PUSHBACK, is_rejection, retry_after};
use crate::classify::RetryAdvice;

const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Returns the retry advice of a response. The first of these headers that applies decides:
///
/// 1. `x-circuit-open`.
/// 2. `x-should-retry: true`. The SDKs of OpenAI and Anthropic read this header before the status.
/// 3. A `grpc-retry-pushback-ms` that is not a whole number of milliseconds, or `x-should-retry: false`. By gRFC A6, a
///    pushback that is negative or unreadable asks the client not to retry.
pub(crate) fn retry_advice(headers: &HeaderMap) -> Option<RetryAdvice> {
    if is_rejection(headers) {
        return Some(RetryAdvice::Rejected(retry_after(headers)));
    }
    let should_retry = headers.get(SHOULD_RETRY).map(|value| value.as_bytes());
    let should_retry_is = |word: &[u8]| should_retry.is_some_and(|v| v.eq_ignore_ascii_case(word));
    if should_retry_is(b"true") {
        return Some(RetryAdvice::Retry(retry_after(headers)));
    }
    let pushback = headers.get(GRPC_PUSHBACK).map(|value| value.as_bytes().trim_ascii());
    let refused = pushback.is_some_and(|ms| ms.is_empty() || !ms.iter().all(u8::is_ascii_digit));
    (refused || should_retry_is(b"false")).then_some(RetryAdvice::Stop)
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
    fn a_response_without_an_instruction_gives_no_advice() {
        assert_eq!(advice(&[]), None);
        assert_eq!(advice(&[("retry-after", "3")]), None);
        for other in ["", "yes", "1", "true, false"] {
            assert_eq!(advice(&[("x-should-retry", other)]), None, "{other}");
        }
    }

    #[test]
    fn x_should_retry_decides_and_may_have_a_wait() {
        assert_eq!(advice(&[("x-should-retry", "false")]), Some(RetryAdvice::Stop));
        assert_eq!(advice(&[("x-should-retry", "true")]), Some(RetryAdvice::Retry(None)));
        assert_eq!(advice(&[("x-should-retry", "True")]), Some(RetryAdvice::Retry(None)));
        assert_eq!(
            advice(&[("x-should-retry", "true"), ("retry-after", "3")]),
            Some(RetryAdvice::Retry(Some(Duration::from_secs(3))))
        );
    }

    #[test]
    fn a_pushback_that_is_not_a_time_asks_not_to_retry() {
        for refusal in ["-1", "-5000", "", "soon", "1.5"] {
            let found = advice(&[("grpc-retry-pushback-ms", refusal)]);
            assert_eq!(found, Some(RetryAdvice::Stop), "{refusal}");
        }
        for time in ["0", "700", " 700 ", "99999999999999999999"] {
            assert_eq!(advice(&[("grpc-retry-pushback-ms", time)]), None, "{time}");
        }
    }

    #[test]
    fn the_answer_of_a_breaker_is_a_rejection_whatever_other_headers_it_has() {
        let rejected =
            advice(&[("x-circuit-open", "db"), ("x-should-retry", "true"), ("retry-after", "4")]);
        assert_eq!(rejected, Some(RetryAdvice::Rejected(Some(Duration::from_secs(4)))));
        assert_eq!(advice(&[("x-circuit-open", "db")]), Some(RetryAdvice::Rejected(None)));
    }
}
