//! Conversions between rejections and `Status`, and classification.

use std::error::Error;

use tonic::metadata::MetadataMap;

use super::*;
use crate::classify::ToOutcome;
use crate::state::{Cause, State};
use crate::{BoxError, BreakerHandle, Class, Settings};

fn open(name: &str, wait: Option<Duration>) -> CircuitOpen {
    CircuitOpen::new(Arc::new(name.into()), State::Open, Cause::FailureRate, wait)
}

/// The status as a client receives it.
fn sent(status: Status) -> Status {
    Status::from_header_map(status.into_http::<()>().headers()).unwrap()
}

#[test]
fn a_rejection_is_unavailable_with_a_wait_and_a_name() {
    let open = open("orders", Some(Duration::from_micros(1_200_001)));
    for status in [Status::from(&open), Status::from(open.clone()), sent(Status::from(&open))] {
        assert_eq!((status.code(), status.message()), (Code::Unavailable, "circuit open"));
        assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "1201");
        assert_eq!(status.metadata().get("x-circuit-open").unwrap(), "orders");
        assert!(!status.details().is_empty());
    }
    // tonic adds the headers of every response.
    assert!(!Status::from(&open).metadata().as_ref().contains_key(CONTENT_TYPE));
}

#[test]
fn the_response_of_a_handler_is_that_of_the_layer() {
    let open = open("orders", Some(Duration::from_secs(3)));
    let by_layer = RejectWithGrpc::response::<()>(&open);
    let mut by_handler = Status::from(&open).into_http::<()>();
    // tonic encodes every space as `%20`, which decodes to the same text.
    assert_eq!(by_handler.headers()["grpc-message"], "circuit%20open");
    by_handler.headers_mut().insert("grpc-message", http::HeaderValue::from_static("circuit open"));
    assert_eq!(by_handler.status(), by_layer.status());
    let sorted = |headers: &http::HeaderMap| {
        let mut pairs: Vec<_> =
            headers.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        pairs.sort();
        pairs
    };
    assert_eq!(sorted(by_handler.headers()), sorted(by_layer.headers()));
    assert_eq!(by_handler.to_outcome(), by_layer.to_outcome());
}

#[test]
fn a_rejection_without_a_wait_sends_none() {
    let status = Status::from(open("orders", None));
    assert!(!status.metadata().contains_key("grpc-retry-pushback-ms"));
    assert!(status.details().is_empty());
    assert_eq!(rejection(&status).unwrap().retry_after(), None);
    assert_eq!(rejection(&sent(status)).unwrap().retry_after(), None);
}

#[test]
fn a_rejection_is_found_in_this_process_and_in_the_client() {
    let open = open("zählwerk", Some(Duration::from_nanos(1_000_001)));
    let here = Status::from(&open);
    assert_eq!(here.as_rejection(), Some(&open));
    assert_eq!(rejection(&here).unwrap().name(), "zählwerk");
    assert_eq!(rejection(&here).unwrap().retry_after(), open.retry_after());

    let there = sent(here);
    assert_eq!(there.as_rejection(), None);
    assert_eq!(rejection(&there).unwrap().name(), "z_hlwerk");
    assert_eq!(rejection(&there).unwrap().retry_after(), Some(Duration::from_millis(2)));
}

#[test]
fn a_rejection_is_found_in_an_error_that_tonic_has_wrapped() {
    let open = open("orders", None);
    let error: BoxError = Box::new(BreakerError::<std::io::Error>::Open(open.clone()));
    let status = Status::from_error(error);
    assert_eq!(status.as_rejection(), Some(&open));
    assert_eq!(rejection(&status).unwrap().name(), "orders");
}

#[test]
fn another_status_is_no_rejection() {
    for status in [
        Status::unavailable("circuit open"),
        Status::ok(""),
        Status::with_metadata(
            Code::Unavailable,
            "",
            MetadataMap::from_headers(http::HeaderMap::from_iter([(
                "grpc-retry-pushback-ms".parse().unwrap(),
                http::HeaderValue::from_static("7"),
            )])),
        ),
    ] {
        assert_eq!(rejection(&status), None);
        assert_eq!(status.as_rejection(), None);
    }
}

#[test]
fn the_error_of_a_handle_turns_into_a_status() {
    let open = open("orders", None);
    let rejected = Status::from(BreakerError::Open(open.clone()));
    assert_eq!(rejected.as_rejection(), Some(&open));
    let inner = Status::from(BreakerError::Inner(Status::not_found("7")));
    assert_eq!((inner.code(), inner.message()), (Code::NotFound, "7"));
}

fn classified(status: Status) -> Outcome {
    outcome(&Err::<(), _>(status))
}

#[test]
fn a_status_is_classified_as_the_classifier_does() {
    assert_eq!(outcome(&Ok::<_, Status>(())).class(), Class::Success);
    for code in (0..=16).map(Code::from) {
        let class = match code {
            Code::Cancelled => Class::Ignored,
            Code::ResourceExhausted => Class::Throttled,
            Code::Unknown
            | Code::DeadlineExceeded
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss => Class::Failure,
            _ => Class::Success,
        };
        assert_eq!(classified(Status::new(code, "")).class(), class, "{code:?}");
    }
}

#[test]
fn the_waits_of_a_status_are_read() {
    let mut limited = Status::resource_exhausted("");
    limited.metadata_mut().insert("grpc-retry-pushback-ms", "700".parse().unwrap());
    assert_eq!(classified(limited).wait(), Some(Duration::from_millis(700)));

    let open = open("orders", Some(Duration::from_nanos(7)));
    let rejected = Status::from(&open);
    let limited =
        Status::with_details(Code::ResourceExhausted, "", rejected.details().to_vec().into());
    assert_eq!(classified(limited).wait(), Some(Duration::from_nanos(7)));
}

#[test]
fn a_downstream_rejection_is_ignored_with_its_wait() {
    let status = || Status::from(open("orders", Some(Duration::from_secs(3))));
    for status in [status(), sent(status())] {
        let outcome = classified(status);
        assert_eq!(
            (outcome.class(), outcome.wait()),
            (Class::Ignored, Some(Duration::from_secs(3)))
        );
    }
}

#[test]
fn a_timeout_of_tonic_is_a_failure_and_a_cancelled_call_is_not() {
    let status = Status::from_error(Box::new(TimeoutExpired(())));
    assert_eq!(status.code(), Code::Cancelled);
    assert!(status.source().is_some());
    assert_eq!(classified(status).class(), Class::Failure);
    assert_eq!(classified(Status::cancelled("Timeout expired")).class(), Class::Ignored);
}

#[tokio::test]
async fn a_handler_converts_a_rejection_with_the_question_mark() {
    async fn handler(handle: &BreakerHandle) -> Result<u32, Status> {
        Ok(handle.run_with(async { Err(Status::internal("down")) }, outcome).await?)
    }
    let settings = Settings::builder().trip(crate::Trip::none().consecutive(1)).build().unwrap();
    let handle = BreakerHandle::new("orders", settings);
    assert_eq!(handler(&handle).await.unwrap_err().code(), Code::Internal);
    let rejected = handler(&handle).await.unwrap_err();
    assert_eq!(rejection(&rejected).unwrap().name(), "orders");
    assert!(rejection(&rejected).unwrap().retry_after().is_some());
}
