use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn headers(headers: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |&(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    };
    headers.iter().map(pair).collect()
}

fn error(status: u16, given: &[(&'static str, &str)], body: &str) -> Outcome {
    let status = StatusCode::from_u16(status).unwrap();
    classify_error(Provider::Generic, status, &headers(given), body.as_bytes())
}

const PROSE: &str = r#"{"error":{"message":"Please try again in 5s"}}"#;

#[test]
#[cfg_attr(miri, ignore = "a long table, with no thread and no memory of its own")]
fn every_status_without_a_body_has_its_class() {
    for status in 300..=999 {
        let expected = match status {
            402 => Class::Exhausted,
            429 => Class::Throttled,
            409 | 425 => Class::Ignored,
            501 | 505 => Class::Success,
            408 | 500..=599 => Class::Failure,
            _ => Class::Success,
        };
        let outcome = error(status, &[], "");
        assert_eq!((outcome.class(), outcome.status()), (expected, Some(status)));
    }
}

#[test]
fn a_status_means_a_capacity_only_where_the_provider_says_so() {
    let class = |provider, status| {
        classify_error(provider, StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), b"")
            .class()
    };
    assert_eq!(class(Provider::Groq, 498), Class::Failure);
    assert_eq!(class(Provider::Bedrock, 424), Class::Failure);
    assert_eq!(class(Provider::OpenAi, 498), Class::Success);
    assert_eq!(class(Provider::OpenAi, 424), Class::Success);
}

#[test]
fn headers_say_it_exactly_then_the_body_then_the_resets() {
    let hint = [("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "8s")];
    let exact = [hint[0], hint[1], ("retry-after", "2")];
    let secs = |secs| Some(Duration::from_secs(secs));
    assert_eq!(error(429, &exact, PROSE).wait(), secs(2));
    assert_eq!(error(429, &hint, PROSE).wait(), secs(5));
    assert_eq!(error(429, &hint, "").wait(), secs(8));
    assert_eq!(error(503, &hint, "").wait(), None);
    assert_eq!(error(503, &[], PROSE).wait(), secs(5));
}

#[test]
fn a_callers_fault_and_a_conflict_ask_nobody_to_wait() {
    for status in [400, 401, 404, 409, 425] {
        assert_eq!(error(status, &[("retry-after", "9")], PROSE).wait(), None, "{status}");
    }
}

#[test]
fn a_longer_detail_wins_over_prose() {
    let body = r#"{"error":{"message":"retry in 1s","details":[{"retryDelay":"48s"}]}}"#;
    assert_eq!(error(429, &[], body).wait(), Some(Duration::from_secs(48)));
}

#[test]
fn a_wait_beyond_all_bounds_is_the_longest() {
    let body = format!(r#"{{"error":{{"message":"retry in {}h"}}}}"#, "9".repeat(400));
    assert_eq!(error(429, &[], &body).wait(), Some(Duration::MAX));
    let body = r#"{"error":{"code":429,"metadata":{"retry_after_seconds":1e300}}}"#;
    assert_eq!(error(429, &[], body).wait(), Some(Duration::MAX));
    let body = r#"{"error":{"code":429,"metadata":{"headers":{"X-RateLimit-Reset":18446744073709551615}}}}"#;
    assert!(error(429, &[], body).wait().unwrap() > Duration::from_secs(1 << 50));
}

#[test]
fn only_a_credential_is_one() {
    assert!(is_credential(&error(401, &[], "")));
    assert!(is_credential(&error(403, &[], "")));
    let invalid = r#"{"error":{"code":400,"status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#;
    assert!(is_credential(&error(400, &[], invalid)));
    for status in [400, 402, 404, 429, 500] {
        assert!(!is_credential(&error(status, &[], "")), "{status}");
    }
    let region = r#"{"error":{"code":"unsupported_country_region_territory"}}"#;
    assert!(!is_credential(&error(403, &[], region)));
    assert!(!is_credential(&Outcome::success()));
    assert!(!is_credential(&Outcome::failure().reason("unauthorized")));
}

#[test]
fn exceptions_of_a_stream_are_known_by_every_spelling() {
    let judge = |name| classify_exception(Provider::Bedrock, name, br#"{"message":"m"}"#);
    for name in ["throttlingException", "ThrottlingException", "aws.bedrock#ThrottlingException"] {
        let outcome = judge(name);
        assert_eq!(
            (outcome.class(), outcome.why()),
            (Class::Throttled, Some("ThrottlingException"))
        );
    }
    for (name, class) in [
        ("modelStreamErrorException", Class::Failure),
        ("internalServerException", Class::Failure),
        ("modelTimeoutException", Class::Failure),
        ("serviceUnavailableException", Class::Failure),
        ("serviceQuotaExceededException", Class::Throttled),
        ("validationException", Class::Success),
        ("somethingNewException", Class::Failure),
        ("", Class::Failure),
    ] {
        assert_eq!(judge(name).class(), class, "{name}");
    }
    let waiting = br#"{"message":"Too many requests, try again in 4 seconds"}"#;
    let outcome = classify_exception(Provider::Bedrock, "throttlingException", waiting);
    assert_eq!(outcome.wait(), Some(Duration::from_secs(4)));
}

#[test]
fn an_unknown_error_in_a_stream_is_a_failure() {
    let outcome =
        classify_event(Provider::OpenAi, br#"{"error":{"message":"?","code":"new"}}"#).unwrap();
    assert_eq!((outcome.class(), outcome.why()), (Class::Failure, Some("unknown_error")));
    assert_eq!(outcome.status(), None);
}

#[test]
fn an_event_says_what_a_status_would() {
    let judge = |json: &str| classify_event(Provider::OpenRouter, json.as_bytes()).unwrap();
    assert_eq!(judge(r#"{"error":{"code":429}}"#).class(), Class::Throttled);
    assert_eq!(judge(r#"{"error":{"code":402}}"#).class(), Class::Exhausted);
    assert_eq!(judge(r#"{"error":{"code":403}}"#).class(), Class::Success);
    assert_eq!(judge(r#"{"error":{"code":"502"}}"#).last_error().unwrap().code, Some(502));
}

proptest! {
    #![proptest_config(super::super::cases())]

    #[test]
    fn no_bytes_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        header in prop::collection::vec(any::<u8>(), 0..40),
        status in 100..1000_u16,
        name in prop::sample::select(vec![
            "x-amzn-errortype", "retry-after", "x-ratelimit-reset-tokens", "anthropic-ratelimit-tokens-reset",
        ]),
    ) {
        let status = StatusCode::from_u16(status).unwrap();
        let mut map = headers(&[
            ("x-ratelimit-remaining-tokens", "0"),
            ("anthropic-ratelimit-tokens-remaining", "0"),
        ]);
        if let Ok(value) = HeaderValue::from_bytes(&header) {
            map.insert(name, value);
        }
        for provider in [Provider::OpenAi, Provider::Bedrock, Provider::Gemini, Provider::Generic] {
            let _ = classify_error(provider, status, &map, &bytes);
            let _ = classify_event(provider, &bytes);
            let _ = classify_exception(provider, &String::from_utf8_lossy(&header), &bytes);
        }
    }
}
