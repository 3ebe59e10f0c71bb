//! Tests of the classifier with complete responses: the outcome that the breaker counts, and the bytes that the caller receives.

use std::task::{Context, Waker};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use proptest::prelude::*;

use super::framing::support::cases;
use super::*;
use crate::breaker::BreakerHandle;
use crate::classify::ToOutcome;
use crate::classify::tests::counted_yet as counted;
use crate::{BoxError, Settings, State};

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>;
type Answer = Response<BreakerBody<Body>>;

const S: Duration = Duration::from_secs(1);

fn whole(text: &str) -> Body {
    Full::new(Bytes::copy_from_slice(text.as_bytes()))
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// A body in pieces of `size` bytes, which then ends, breaks or hangs.
fn pieces(text: &str, size: usize, last: Last) -> Body {
    let parts: Vec<_> = text.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect();
    let frames = stream::iter(parts).map(|part| Ok(Frame::data(part)));
    match last {
        Last::End => StreamBody::new(frames).boxed_unsync(),
        Last::Breaks => StreamBody::new(
            frames.chain(stream::once(async { Err(BoxError::from("reset")) }).boxed()),
        )
        .boxed_unsync(),
        Last::Hangs => StreamBody::new(frames.chain(stream::pending())).boxed_unsync(),
    }
}

#[derive(Clone, Copy, Debug)]
enum Last {
    End,
    Breaks,
    Hangs,
}

fn response(status: u16, headers: &[(&str, &str)], body: Body) -> Response<Body> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body).unwrap()
}

/// One guarded call: its response, or the future that reads it.
fn call(
    llm: &Llm,
    handle: &BreakerHandle,
    response: Response<Body>,
) -> Classified<Answer, Reading<Body, ()>> {
    let permit = handle.try_acquire().unwrap();
    let info = Classify::<_, Response<Body>, ()>::request(llm, &Request::new(()));
    let classified: Classified<Result<Answer, ()>, _> =
        Classify::<Request<()>, _, _>::result(llm, info, Ok(response), permit);
    match classified {
        Classified::Ready(answer) => Classified::Ready(answer.unwrap()),
        Classified::Deferred(reading) => Classified::Deferred(reading),
    }
}

async fn answer(llm: &Llm, handle: &BreakerHandle, response: Response<Body>) -> Answer {
    match call(llm, handle, response) {
        Classified::Ready(answer) => answer,
        Classified::Deferred(reading) => reading.await.unwrap(),
    }
}

fn breaker() -> BreakerHandle {
    BreakerHandle::new("llm", Settings::llm())
}

async fn text(answer: Answer) -> String {
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

const QUOTA: &str = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#;

#[tokio::test]
async fn an_error_is_classified_by_its_body_before_it_is_handed_on() {
    for size in [1, 7, 10_000] {
        let (llm, handle) = (Llm::new(Provider::OpenAi), breaker());
        let response = response(429, &[("retry-after", "30")], pieces(QUOTA, size, Last::End));
        let answer = answer(&llm, &handle, response).await;
        assert_eq!(counted(&handle), Some(Class::Exhausted));
        assert_eq!((handle.state(), answer.status().as_u16()), (State::Open, 429));
        assert_eq!(answer.to_outcome().class(), Class::Exhausted);
        assert_eq!(llm.outcome(Ok::<_, &()>(&answer)).class(), Class::Exhausted);
        assert_eq!(text(answer).await, QUOTA);
    }
}

#[tokio::test]
async fn a_callers_fault_is_a_success_and_is_not_retried() {
    let body = r#"{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}"#;
    let handle = breaker();
    let answer =
        answer(&Llm::new(Provider::OpenAi), &handle, response(400, &[], whole(body))).await;
    assert_eq!(
        (counted(&handle), answer.to_outcome().class()),
        (Some(Class::Success), Class::Success)
    );
    assert_eq!(text(answer).await, body);
}

#[tokio::test]
async fn an_error_without_a_readable_body_is_classified_by_its_head() {
    for (headers, body) in [(&[][..], ""), (&[("content-encoding", "gzip")], QUOTA)] {
        let handle = breaker();
        let classified =
            call(&Llm::new(Provider::OpenAi), &handle, response(429, headers, whole(body)));
        let Classified::Ready(answer) = classified else {
            panic!("reads the body with {headers:?}")
        };
        assert_eq!(counted(&handle), Some(Class::Throttled));
        assert_eq!(answer.to_outcome().class(), Class::Throttled);
    }
}

#[tokio::test]
async fn identity_in_any_case_is_no_encoding() {
    for coding in ["identity", "Identity", " IDENTITY "] {
        let headers = [("content-type", "text/event-stream"), ("content-encoding", coding)];
        let (llm, handle) = (Llm::new(Provider::OpenAi), breaker());
        let body = format!("{CONTENT}{OVERLOADED}");
        let answer = answer(&llm, &handle, response(200, &headers, whole(&body))).await;
        assert_eq!(text(answer).await, body);
        assert_eq!(counted(&handle), Some(Class::Failure), "{coding:?}");

        let handle = breaker();
        super::tests::answer(&llm, &handle, response(429, &headers[1..], whole(QUOTA))).await;
        assert_eq!(counted(&handle), Some(Class::Exhausted), "{coding:?}");
    }
    let both = [
        ("content-type", "text/event-stream"),
        ("content-encoding", "identity"),
        ("content-encoding", "gzip"),
    ];
    for (status, body, class) in [(200, OVERLOADED, Class::Success), (429, QUOTA, Class::Throttled)]
    {
        let handle = breaker();
        let response = response(status, &both, whole(body));
        text(answer(&Llm::new(Provider::OpenAi), &handle, response).await).await;
        assert_eq!(counted(&handle), Some(class));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_hangs_is_read_for_the_given_time() {
    let handle = breaker();
    let start = tokio::time::Instant::now();
    let llm = Llm::new(Provider::OpenAi).read_errors_for(3 * S);
    let body = pieces(&QUOTA[..40], 20, Last::Hangs);
    let mut answer = answer(&llm, &handle, response(429, &[], body)).await;
    assert_eq!(start.elapsed(), 3 * S);
    assert_eq!(counted(&handle), Some(Class::Throttled));
    for part in [&QUOTA[..20], &QUOTA[20..40]] {
        let frame = answer.body_mut().frame().now_or_never().unwrap().unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), part);
    }
    assert!(answer.body_mut().frame().now_or_never().is_none());
}

#[test]
fn outside_a_runtime_the_body_is_read_without_a_time_limit() {
    let handle = breaker();
    let body = pieces("", 1, Last::Hangs);
    let classified = call(&Llm::new(Provider::OpenAi), &handle, response(503, &[], body));
    let Classified::Deferred(mut reading) = classified else { panic!("does not read the body") };
    assert!(reading.poll_unpin(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(reading);
    assert_eq!(counted(&handle), Some(Class::Failure), "by its head");
}

#[tokio::test]
async fn an_error_whose_body_breaks_is_still_the_same_error() {
    let handle = breaker();
    let body = pieces(QUOTA, 30, Last::Breaks);
    let mut answer = answer(&Llm::new(Provider::OpenAi), &handle, response(429, &[], body)).await;
    assert_eq!(counted(&handle), Some(Class::Exhausted));
    let mut seen = Vec::new();
    let error = loop {
        match answer.body_mut().frame().await.unwrap() {
            Ok(frame) => seen.extend_from_slice(&frame.into_data().unwrap()),
            Err(error) => break error,
        }
    };
    assert_eq!((seen.as_slice(), error.to_string().as_str()), (QUOTA.as_bytes(), "reset"));
    assert!(answer.body_mut().frame().await.is_none());
}

#[tokio::test]
async fn at_most_the_bound_is_read_ahead_and_nothing_is_lost() {
    let long = format!("{{\"error\":\"{}\"}}", "x".repeat(300_000));
    let handle = breaker();
    let body = pieces(&long, 10_000, Last::End);
    let answer = answer(&Llm::new(Provider::Ollama), &handle, response(500, &[], body)).await;
    assert_eq!(counted(&handle), Some(Class::Failure));
    let ahead = answer.size_hint_lower();
    assert!((60_000..80_000).contains(&ahead), "{ahead}");
    assert_eq!(text(answer).await, long);
}

trait SizeHintLower {
    fn size_hint_lower(&self) -> u64;
}

impl SizeHintLower for Answer {
    fn size_hint_lower(&self) -> u64 {
        http_body::Body::size_hint(self.body()).lower()
    }
}

#[tokio::test]
async fn an_error_that_comes_as_an_event_is_read() {
    let body = format!("event: error\r\ndata: {QUOTA}\r\n\r\n");
    let handle = breaker();
    let headers = [("content-type", "text/event-stream")];
    let response = response(429, &headers, whole(&body));
    let answer = answer(&Llm::new(Provider::OpenAi), &handle, response).await;
    assert_eq!(counted(&handle), Some(Class::Exhausted));
    assert_eq!(text(answer).await, body);
}

#[tokio::test]
async fn a_shared_credential_is_exhausted_after_two_consecutive_refusals() {
    let refused = r#"{"error":{"message":"Incorrect API key","type":"invalid_request_error","code":"invalid_api_key"}}"#;
    for (llm, expected) in [
        (Llm::new(Provider::OpenAi), [Class::Success, Class::Success, Class::Success]),
        (
            Llm::new(Provider::OpenAi).shared_credential(),
            [Class::Success, Class::Exhausted, Class::Success],
        ),
    ] {
        for (at, expected) in expected.into_iter().enumerate() {
            if at == 2 {
                answer(&llm, &breaker(), response(200, &[], whole("hello"))).await;
            }
            let handle = breaker();
            let clone = llm.clone();
            answer(&clone, &handle, response(401, &[], whole(refused))).await;
            assert_eq!(counted(&handle), Some(expected), "{at}");
        }
    }
}

#[tokio::test]
async fn overridden_codes_are_settled_at_the_head() {
    let handle = breaker();
    let llm = Llm::new(Provider::OpenAi).ignored_on([429]);
    let Classified::Ready(answer) = call(&llm, &handle, response(429, &[], whole(QUOTA))) else {
        panic!("reads");
    };
    assert_eq!(counted(&handle), Some(Class::Ignored));
    assert_eq!(text(answer).await, QUOTA);
}

#[tokio::test]
async fn a_failure_has_the_weight_of_its_code() {
    let handle = BreakerHandle::new(
        "llm",
        Settings::builder().trip(crate::Trip::none().failures(5)).build().unwrap(),
    );
    let llm = Llm::new(Provider::OpenAi).weight_on([503], 4);
    answer(&llm, &handle, response(503, &[], whole("{}"))).await;
    assert_eq!(handle.snapshot().window.failures, 4);
    answer(&llm, &handle, response(500, &[], whole("{}"))).await;
    assert_eq!(handle.state(), State::Open);
}

#[test]
fn every_status_without_a_body_has_its_class() {
    for status in 100..=999 {
        let llm = Llm::new(Provider::Anthropic);
        let response = response(status, &[], whole(""));
        let expected = match status {
            402 => Class::Exhausted,
            409 | 425 => Class::Ignored,
            429 => Class::Throttled,
            408 => Class::Failure,
            501 | 505 => Class::Success,
            500..=599 => Class::Failure,
            _ => Class::Success,
        };
        assert_eq!(llm.outcome(Ok::<_, &()>(&response)).class(), expected, "{status}");
    }
}

#[test]
fn a_downstream_rejection_is_ignored_with_its_wait() {
    let headers = [("x-circuit-open", "gpt"), ("retry-after", "9")];
    let response = response(503, &headers, whole("{}"));
    let outcome = Llm::new(Provider::OpenAi).outcome(Ok::<_, &()>(&response));
    assert_eq!((outcome.class(), outcome.wait()), (Class::Ignored, Some(9 * S)));
}

#[test]
fn an_error_is_a_failure() {
    let outcome = Llm::new(Provider::Generic).outcome::<(), _>(Err(&()));
    assert_eq!(outcome.class(), Class::Failure);
}

const STREAM: [(&str, &str); 1] = [("content-type", "text/event-stream")];
const CONTENT: &str = "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"},\"finish_reason\":null}]}\n\n";
const OVERLOADED: &str = "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"service_unavailable_error\",\"code\":\"server_is_overloaded\"}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

#[tokio::test]
async fn a_stream_is_classified_as_it_passes() {
    for (body, last, expected) in [
        (format!("{CONTENT}{DONE}"), Last::End, Class::Success),
        (format!("{CONTENT}{DONE}"), Last::Breaks, Class::Success),
        (format!("{CONTENT}{OVERLOADED}"), Last::Hangs, Class::Failure),
        (OVERLOADED.to_owned(), Last::End, Class::Failure),
        (CONTENT.to_owned(), Last::End, Class::Failure),
        (CONTENT.to_owned(), Last::Breaks, Class::Failure),
        (CONTENT.to_owned(), Last::Hangs, Class::Success),
        (": ping\n\n".to_owned(), Last::Hangs, Class::Cancelled),
    ] {
        for size in [1, 5, 1_000] {
            let handle = breaker();
            let response = response(200, &STREAM, pieces(&body, size, last));
            let classified = call(&Llm::new(Provider::OpenAi), &handle, response);
            let Classified::Ready(mut answer) = classified else { panic!("held back") };
            let mut seen = Vec::new();
            while let Some(Some(Ok(frame))) = answer.body_mut().frame().now_or_never() {
                seen.extend_from_slice(&frame.into_data().unwrap());
            }
            assert_eq!(seen, body.as_bytes());
            drop(answer);
            assert_eq!(counted(&handle), Some(expected), "{body:?}, {last:?}, {size}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_buffered_until_its_content_or_its_error() {
    let llm = Llm::new(Provider::OpenAi).buffer_until_content(10 * S);
    for (body, counted_at_once, class) in [
        (format!(": ping\n\n{CONTENT}{DONE}"), None, Class::Success),
        (format!(": ping\n\n{OVERLOADED}"), Some(Class::Failure), Class::Failure),
        (": ping\n\n".to_owned(), None, Class::Success),
    ] {
        let handle = breaker();
        let start = tokio::time::Instant::now();
        let pings = body.len() < 20;
        let last = if pings { Last::Hangs } else { Last::End };
        let answer = answer(&llm, &handle, response(200, &STREAM, pieces(&body, 9, last))).await;
        assert_eq!(
            (counted(&handle), answer.to_outcome().class()),
            (counted_at_once, class),
            "{body:?}"
        );
        assert_eq!(start.elapsed(), if pings { 10 * S } else { Duration::ZERO });
        if !pings {
            assert_eq!(text(answer).await, body);
            assert_eq!(counted(&handle), Some(class));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_buffered_stream_can_be_settled_by_its_first_content() {
    let llm = Llm::new(Provider::OpenAi).settle_at(SettleAt::FirstContent);
    let llm = llm.buffer_until_content(10 * S);
    for (silence, seen_before) in [(S, Some(Class::Success)), (20 * S, None)] {
        let handle = breaker();
        let late = async move {
            tokio::time::sleep(silence).await;
            Ok(Frame::data(Bytes::from(CONTENT)))
        };
        let last = stream::iter([Ok(Frame::data(Bytes::from(OVERLOADED)))]);
        let body = StreamBody::new(stream::once(late).chain(last)).boxed_unsync();
        let answer = answer(&llm, &handle, response(200, &STREAM, body)).await;
        assert_eq!(counted(&handle), seen_before, "{silence:?}");
        assert_eq!(text(answer).await, format!("{CONTENT}{OVERLOADED}"));
        assert_eq!(counted(&handle), Some(Class::Success), "{silence:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_on_a_stream_closes_with_the_first_content_and_not_with_a_ping() {
    let handle = breaker();
    handle.hold_for(S);
    tokio::time::advance(S).await;
    let body = format!(": ping\n\n{CONTENT}{OVERLOADED}");
    let response = response(200, &STREAM, pieces(&body, 9, Last::Hangs));
    let Classified::Ready(mut answer) = call(&Llm::new(Provider::OpenAi), &handle, response) else {
        panic!("held back");
    };
    answer.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(handle.state(), State::HalfOpen);
    while answer.body_mut().frame().now_or_never().is_some() {}
    assert_eq!(handle.state(), State::Closed);
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.totals.success, snapshot.totals.broken_after), (1, 1));
    assert_eq!(snapshot.window.consecutive_failures, 1);
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_body_is_handed_on_byte_for_byte_and_settles_once(
        status in prop_oneof![Just(200_u16), Just(429), Just(400), 100_u16..600],
        kind in 0_usize..5,
        parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..8),
        held in any::<bool>(),
        provider in 0_usize..Provider::ALL.len(),
    ) {
        let kinds = ["text/event-stream", "application/x-ndjson", "application/json", "text/plain",
            "application/vnd.amazon.eventstream"];
        let headers = [("content-type", kinds[kind])];
        let frames = parts.clone().into_iter().map(|part| Ok(Frame::data(Bytes::from(part))));
        let body = StreamBody::new(stream::iter(frames)).boxed_unsync();
        let mut llm = Llm::new(Provider::ALL[provider]);
        if held {
            llm = llm.buffer_until_content(S);
        }
        let handle = breaker();
        let answer = answer(&llm, &handle, response(status, &headers, body)).now_or_never().unwrap();
        let bytes = answer.into_body().collect().now_or_never().unwrap().unwrap().to_bytes();
        prop_assert_eq!(bytes.to_vec(), parts.concat());
        prop_assert!(counted(&handle).is_some());
    }
}
