//! Rejections as HTTP and gRPC responses.

use std::time::Duration;

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::{Answer, OnRejected, RejectionFuture};
use crate::CircuitOpen;
use crate::classify::{GRPC_PUSHBACK, GRPC_STATUS, OPEN_HEADER};
#[cfg(feature = "grpc")]
use crate::classify::{STATUS_DETAILS, encode_retry_delay};

/// Answers a rejected call with HTTP 503. The policy of `Config::http()`.
///
/// `Retry-After` says how long, in whole seconds, where that is known, and
/// [`x-circuit-open`](crate::classify::OPEN_HEADER) names the breaker. The body is the default one, which for a
/// guarded service is empty. The error type of the service stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RejectWithHttp;

impl RejectWithHttp {
    /// The response to one rejection.
    pub fn response<B>(open: &CircuitOpen) -> Response<B>
    where
        B: Default,
    {
        let mut response = Response::new(B::default());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        let headers = response.headers_mut();
        if let Some(seconds) = open.retry_after_secs() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        headers.insert(OPEN_HEADER, name_value(open.name()));
        response
    }
}

/// Answers a rejected call with gRPC `UNAVAILABLE`. The policy of `Config::grpc()` and `Config::grpc_client()`.
///
/// It is a trailers-only answer: HTTP 200, `grpc-status` 14, `grpc-message` "circuit open".
/// `grpc-retry-pushback-ms` says how long, in milliseconds rounded up, where that is known, at most
/// `i32::MAX` (24 days), the most that the header can say. With feature `grpc`, `grpc-status-details-bin` says the same
/// to the nanosecond, as a `google.rpc.RetryInfo`: for callers that get the details and no metadata.
/// [`x-circuit-open`](crate::classify::OPEN_HEADER) names the breaker. The error type of the service stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RejectWithGrpc;

const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Printable ASCII without a `%`: needs no percent-encoding.
const MESSAGE: &str = "circuit open";

impl RejectWithGrpc {
    /// The response to one rejection.
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

/// The name as a header value; what is not printable ASCII becomes `_`.
fn name_value(name: &str) -> HeaderValue {
    // `http` also takes other bytes above 127; its own `to_str` and gRPC do not.
    let printable = |c: char| matches!(c, ' '..='~');
    let value = if name.chars().all(printable) {
        HeaderValue::from_str(name)
    } else {
        let name: String = name.chars().map(|c| if printable(c) { c } else { '_' }).collect();
        HeaderValue::try_from(name)
    };
    value.unwrap_or(HeaderValue::from_static("_"))
}

/// Both answer with a response of their own and leave the error alone.
macro_rules! responds {
    ($($policy:ty),*) => {$(
        impl<Req, B, E> OnRejected<Req, Response<B>, E> for $policy
        where
            B: Default,
        {
            type Error = E;
            type Future = RejectionFuture<Self, Result<Response<B>, E>>;

            #[inline]
            fn rejected(&self, _: Req, open: CircuitOpen) -> Self::Future {
                RejectionFuture::new(open)
            }

            #[inline]
            fn error(&self, error: E) -> E {
                error
            }
        }

        impl<B: Default, E> Answer<Result<Response<B>, E>> for $policy {
            #[inline]
            fn answer(open: CircuitOpen) -> Result<Response<B>, E> {
                Ok(Self::response(&open))
            }
        }
    )*};
}

responds!(RejectWithHttp, RejectWithGrpc);

#[cfg(test)]
mod tests;
