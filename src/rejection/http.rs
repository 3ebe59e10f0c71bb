//! Rejections as HTTP responses.

use http::header::RETRY_AFTER;
use http::{HeaderValue, Response, StatusCode};

use super::response::{name_value, reject_with_response};
use crate::CircuitOpen;
use crate::classify::OPEN_HEADER;

/// Answers a rejected call with HTTP 503. The policy of `Config::http()`.
///
/// `Retry-After` carries the wait in whole seconds, if it is known, and
/// [`x-circuit-open`](crate::classify::OPEN_HEADER) the name of the breaker. The body is the default one, which is empty
/// for a guarded service. The error type of the service stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RejectWithHttp;

impl RejectWithHttp {
    /// Returns the response to one rejection.
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

reject_with_response!(RejectWithHttp);
