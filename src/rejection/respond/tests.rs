use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame};

use futures_util::FutureExt;

use super::*;
use crate::classify::{BreakerBody, Grpc, Http, ToOutcome, retry_after};
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
    let answer: Answer = RejectWithHttp::response(&open("db", Some(Duration::from_millis(1200))));
    assert_eq!(answer.status(), 503);
    assert_eq!(headers(&answer), [("retry-after", "2"), ("x-circuit-open", "db")]);
    assert!(answer.into_body().into_inner().is_err());
}

#[test]
fn http_says_nothing_about_a_wait_that_nobody_knows() {
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
fn grpc_sends_no_pushback_that_nobody_knows() {
    let answer: Answer = RejectWithGrpc::response(&open("db", None));
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
        let answer: Answer = RejectWithHttp::response(&open(name, None));
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
    assert_eq!(ask(RejectWithHttp).status(), 503);
    assert_eq!(ask(RejectWithGrpc).status(), 200);
}

#[test]
fn the_classifiers_read_these_answers_as_ignored_and_a_fallback_as_failed() {
    let open = open("db", Some(Duration::from_secs(3)));
    let http: Answer = RejectWithHttp::response(&open);
    let grpc: Answer = RejectWithGrpc::response(&open);
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
        assert_eq!(answer.to_outcome().class(), Class::Failure);
        assert_eq!(retry_after(answer.headers()), Some(Duration::from_secs(3)));
    }
}
