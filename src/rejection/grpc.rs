//! Rejections as gRPC responses.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Response};

use super::response::{name_value, reject_with_response};
use crate::CircuitOpen;
use crate::classify::{GRPC_PUSHBACK, GRPC_STATUS, OPEN_HEADER};
#[cfg(feature = "grpc")]
use crate::classify::{STATUS_DETAILS, encode_retry_delay};

/// Answers a rejected call with gRPC `UNAVAILABLE`. The policy of `Config::grpc()` and `Config::grpc_client()`.
///
/// It is a trailers-only response: HTTP 200, `grpc-status` 14, `grpc-message` "circuit open".
/// `grpc-retry-pushback-ms` carries the wait, if it is known, in milliseconds rounded up, at most `i32::MAX` (24 days),
/// the largest value of that header. With feature `grpc`, `grpc-status-details-bin` carries the same wait to
/// the nanosecond as a `google.rpc.RetryInfo`, for callers that see the details but not the metadata.
/// [`x-circuit-open`](crate::classify::OPEN_HEADER) carries the name of the breaker. The error type of the service stays
/// as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RejectWithGrpc;

const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Printable ASCII without `%`: it needs no percent-encoding.
const MESSAGE: &str = "circuit open";

impl RejectWithGrpc {
    /// Returns the response to one rejection.
    pub fn response<B>(open: &CircuitOpen) -> Response<B>
    where
        B: Default,
    {
        let mut response = Response::new(B::default());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(GRPC_STATUS, HeaderValue::from_static("14"));
        headers.insert(GRPC_MESSAGE, HeaderValue::from_static(MESSAGE));
        if let Some(wait) = open.retry_after() {
            headers.insert(GRPC_PUSHBACK, HeaderValue::from(pushback_ms(wait)));
            #[cfg(feature = "grpc")]
            if let Some(details) = encode_retry_delay(14, MESSAGE, wait) {
                headers.insert(STATUS_DETAILS, details);
            }
        }
        headers.insert(OPEN_HEADER, name_value(open.name()));
        response
    }
}

fn pushback_ms(wait: Duration) -> i32 {
    i32::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
}

reject_with_response!(RejectWithGrpc);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pushback_stays_a_number_of_32_bits() {
        assert_eq!(pushback_ms(Duration::ZERO), 0);
        assert_eq!(pushback_ms(Duration::from_nanos(1)), 1);
        assert_eq!(pushback_ms(Duration::from_secs(2)), 2_000);
        assert_eq!(pushback_ms(Duration::MAX), i32::MAX);
    }
}
