use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use http::Response;
use http_body::{Body, Frame};

use crate::classify::{BreakerBody, Grpc, Http, ToOutcome, retry_after};
use crate::rejection::{OnRejected, RejectWithGrpc, RejectWithHttp};
use crate::{Cause, CircuitOpen, Class, State};

/// A body without a constructor. Only the guarded form of it can be empty.
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
fn http_is_a_503_with_the_wait_and_the_name() {
    let answer: Answer = RejectWithHttp::response(&open("db", Some(Duration::from_millis(1200))));
    assert_eq!(answer.status(), 503);
    assert_eq!(headers(&answer), [("retry-after", "2"), ("x-circuit-open", "db")]);
    assert!(answer.into_body().into_inner().is_err());
}

#[test]
fn http_sends_no_wait_that_is_unknown() {
    let answer: Answer = RejectWithHttp::response(&open("db", None));
    assert_eq!(headers(&answer), [("x-circuit-open", "db")]);
}

#[test]
fn grpc_is_a_trailers_only_unavailable_with_pushback() {
    let answer: Answer =
        RejectWithGrpc::response(&open("db", Some(Duration::from_micros(1_200_001))));
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
fn grpc_sends_no_pushback_for_an_unknown_wait() {
    let answer: Answer = RejectWithGrpc::response(&open("db", None));
    assert!(!answer.headers().contains_key("grpc-retry-pushback-ms"));
    assert!(!answer.headers().contains_key("grpc-status-details-bin"));
}

#[test]
fn a_name_that_is_not_a_header_value_is_converted_to_one() {
    for (name, value) in [
        ("payments eu/1", "payments eu/1"),
        ("zählwerk", "z_hlwerk"),
        ("a\r\nset-cookie: b", "a__set-cookie: b"),
        ("\u{0}\u{7f}", "__"),
        ("", ""),
    ] {
        let answer: Answer = RejectWithHttp::response(&open(name, None));
        assert_eq!(headers(&answer), [("x-circuit-open", value)]);
    }
}

#[test]
fn the_error_type_of_the_service_is_kept() {
    fn answer<P>(policy: P) -> Answer
    where
        P: OnRejected<(), Answer, Infallible, Error = Infallible>,
    {
        let Ok(answer) = policy.rejected((), open("db", None)).now_or_never().unwrap();
        answer
    }
    assert_eq!(answer(RejectWithHttp).status(), 503);
    assert_eq!(answer(RejectWithGrpc).status(), 200);
}

#[test]
fn a_breaker_ignores_these_answers_and_a_fallback_acts_on_them() {
    let open = open("db", Some(Duration::from_secs(3)));
    let http: Answer = RejectWithHttp::response(&open);
    let grpc: Answer = RejectWithGrpc::response(&open);
    for outcome in [
        Http::server().outcome(Ok::<_, &()>(&http)),
        Http::client().outcome(Ok::<_, &()>(&http)),
        Grpc::server().outcome(Ok::<_, &()>(&grpc)),
        Grpc::client().outcome(Ok::<_, &()>(&grpc)),
    ] {
        assert_eq!(outcome.class(), Class::Ignored);
        assert_eq!(outcome.wait(), Some(Duration::from_secs(3)));
    }
    for answer in [http, grpc] {
        let outcome = answer.to_outcome();
        assert!(outcome.is_rejection() && outcome.wants_another());
        assert_eq!(outcome.class(), Class::Ignored);
        assert_eq!(retry_after(answer.headers()), Some(Duration::from_secs(3)));
    }
}
