//! Rejections as HTTP and gRPC responses.

use std::time::Duration;

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::OnRejected;
use super::rejected::{Answer, Rejection};
use crate::CircuitOpen;
use crate::classify::{GRPC_PUSHBACK, GRPC_STATUS, OPEN_HEADER};
#[cfg(feature = "grpc")]
use crate::classify::{STATUS_DETAILS, tell_delay};

/// Answers a rejected call with HTTP 503. The policy of `Config::http()`.
///
/// `Retry-After` says how long, in whole seconds, where that is known, and
/// [`x-circuit-open`](crate::classify::OPEN_HEADER) names the breaker. The body is the default one, which for a
/// guarded service is empty. The error type of the service stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RespondHttp;

impl RespondHttp {
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
pub struct RespondGrpc;

const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Printable ASCII without a `%`: needs no percent-encoding.
const MESSAGE: &str = "circuit open";

impl RespondGrpc {
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
            if let Some(details) = tell_delay(14, MESSAGE, wait) {
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
            type Future = Rejection<Self, Result<Response<B>, E>>;

            #[inline]
            fn rejected(&self, _: Req, open: CircuitOpen) -> Self::Future {
                Rejection::new(open)
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

responds!(RespondHttp, RespondGrpc);

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use http_body::{Body, Frame};

    use futures_util::FutureExt;

    use super::*;
    use crate::classify::{BreakerBody, Grpc, Http, Judged, retry_after};
    use crate::{Cause, Class, State};

    /// A body that cannot be made: only its guarded form can be empty.
    #[derive(Debug)]
    enum Incoming {}

    impl Body for Incoming {
        type Data = &'static [u8];
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Self::Data>, Infallible>>> {
            match *self {}
        }
    }

    type Answer = Response<BreakerBody<Incoming>>;

    fn open(name: &str, wait: Option<Duration>) -> CircuitOpen {
        CircuitOpen::new(std::sync::Arc::new(name.into()), State::Open, Cause::FailureRate, wait)
    }

    fn headers(response: &Answer) -> Vec<(&str, &str)> {
        let headers = response.headers().iter();
        headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect()
    }

    #[test]
    fn http_says_503_how_long_and_who() {
        let answer: Answer = RespondHttp::response(&open("db", Some(Duration::from_millis(1200))));
        assert_eq!(answer.status(), 503);
        assert_eq!(headers(&answer), [("retry-after", "2"), ("x-circuit-open", "db")]);
        assert!(answer.into_body().into_inner().is_err());
    }

    #[test]
    fn http_says_nothing_about_a_wait_that_nobody_knows() {
        let answer: Answer = RespondHttp::response(&open("db", None));
        assert_eq!(headers(&answer), [("x-circuit-open", "db")]);
    }

    #[test]
    fn grpc_is_a_trailers_only_unavailable_with_pushback() {
        let answer: Answer =
            RespondGrpc::response(&open("db", Some(Duration::from_micros(1_200_001))));
        assert_eq!(answer.status(), 200);
        let expected = [
            ("content-type", "application/grpc"),
            ("grpc-status", "14"),
            ("grpc-message", "circuit open"),
            ("grpc-retry-pushback-ms", "1201"),
            ("x-circuit-open", "db"),
        ];
        let mut seen = headers(&answer);
        seen.retain(|(name, _)| *name != "grpc-status-details-bin");
        assert_eq!(seen, expected);
        assert!(answer.into_body().into_inner().is_err());
    }

    #[test]
    fn grpc_sends_no_pushback_that_nobody_knows() {
        let answer: Answer = RespondGrpc::response(&open("db", None));
        assert!(!answer.headers().contains_key("grpc-retry-pushback-ms"));
        assert!(!answer.headers().contains_key("grpc-status-details-bin"));
    }

    #[test]
    fn pushback_stays_a_number_of_32_bits() {
        assert_eq!(pushback_ms(Duration::ZERO), 0);
        assert_eq!(pushback_ms(Duration::from_nanos(1)), 1);
        assert_eq!(pushback_ms(Duration::from_secs(2)), 2_000);
        assert_eq!(pushback_ms(Duration::MAX), i32::MAX);
    }

    #[test]
    fn a_name_that_is_no_header_value_is_made_one() {
        for (name, value) in [
            ("payments eu/1", "payments eu/1"),
            ("zählwerk", "z_hlwerk"),
            ("a\r\nset-cookie: b", "a__set-cookie: b"),
            ("\u{0}\u{7f}", "__"),
            ("", ""),
        ] {
            let answer: Answer = RespondHttp::response(&open(name, None));
            assert_eq!(headers(&answer), [("x-circuit-open", value)]);
        }
    }

    #[test]
    fn the_error_type_of_the_service_stays() {
        fn ask<P>(policy: P) -> Answer
        where
            P: OnRejected<(), Answer, Infallible, Error = Infallible>,
        {
            let Ok(answer) = policy.rejected((), open("db", None)).now_or_never().unwrap();
            answer
        }
        assert_eq!(ask(RespondHttp).status(), 503);
        assert_eq!(ask(RespondGrpc).status(), 200);
    }

    #[test]
    fn the_classifiers_read_these_answers_as_ignored_and_a_fallback_as_failed() {
        let open = open("db", Some(Duration::from_secs(3)));
        let http: Answer = RespondHttp::response(&open);
        let grpc: Answer = RespondGrpc::response(&open);
        for verdict in [
            Http::server().outcome(Ok::<_, &()>(&http)),
            Http::client().outcome(Ok::<_, &()>(&http)),
            Grpc::server().outcome(Ok::<_, &()>(&grpc)),
            Grpc::client().outcome(Ok::<_, &()>(&grpc)),
        ] {
            assert_eq!(verdict.class(), Class::Ignored);
            assert_eq!(verdict.wait(), Some(Duration::from_secs(3)));
        }
        for answer in [http, grpc] {
            assert_eq!(answer.judge().class(), Class::Failure);
            assert_eq!(retry_after(answer.headers()), Some(Duration::from_secs(3)));
        }
    }
}
