use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::document::{tables, users};
use super::*;
use crate::llm::framing::support;
use crate::llm::signal::StatusRange;

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
#[cfg_attr(miri, ignore = "slow, and without threads or unsafe code")]
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
fn a_status_reports_a_lack_of_capacity_only_for_providers_that_use_it_so() {
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
fn a_wait_comes_from_retry_after_then_the_body_then_the_reset_headers() {
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
fn a_callers_fault_and_a_conflict_have_no_wait() {
    for status in [400, 401, 404, 409, 425] {
        assert_eq!(error(status, &[("retry-after", "9")], PROSE).wait(), None, "{status}");
    }
}

#[test]
fn a_detail_wins_over_prose() {
    let body = r#"{"error":{"message":"retry in 1s","details":[{"retryDelay":"48s"}]}}"#;
    assert_eq!(error(429, &[], body).wait(), Some(Duration::from_secs(48)));
}

#[test]
fn a_wait_beyond_all_bounds_is_the_longest_duration() {
    let body = format!(r#"{{"error":{{"message":"retry in {}h"}}}}"#, "9".repeat(400));
    assert_eq!(error(429, &[], &body).wait(), Some(Duration::MAX));
    let body = r#"{"error":{"code":429,"metadata":{"retry_after_seconds":1e300}}}"#;
    assert_eq!(error(429, &[], body).wait(), Some(Duration::MAX));
    let body = r#"{"error":{"code":429,"metadata":{"headers":{"X-RateLimit-Reset":18446744073709551615}}}}"#;
    assert!(error(429, &[], body).wait().unwrap() > Duration::from_secs(1 << 50));
}

#[test]
fn only_refused_credentials_blame_the_credential() {
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
fn exceptions_of_a_stream_are_known_in_every_spelling() {
    let classify = |name| classify_exception(Provider::Bedrock, name, br#"{"message":"m"}"#);
    for name in ["throttlingException", "ThrottlingException", "aws.bedrock#ThrottlingException"] {
        let outcome = classify(name);
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
        assert_eq!(classify(name).class(), class, "{name}");
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
fn an_event_with_a_status_means_the_same_as_that_status() {
    let classify = |json: &str| classify_event(Provider::OpenRouter, json.as_bytes()).unwrap();
    assert_eq!(classify(r#"{"error":{"code":429}}"#).class(), Class::Throttled);
    assert_eq!(classify(r#"{"error":{"code":402}}"#).class(), Class::Exhausted);
    assert_eq!(classify(r#"{"error":{"code":403}}"#).class(), Class::Success);
    assert_eq!(classify(r#"{"error":{"code":"502"}}"#).last_error().unwrap().code, Some(502));
}

fn all() -> impl Iterator<Item = &'static Signal> {
    tables().into_iter().flat_map(Signals::groups).flatten()
}

/// Names are compared without regard to case, texts with a lower-case message.
#[test]
fn texts_of_the_tables_are_lower_case() {
    for signal in all() {
        if let Matcher::MessageStart(text)
        | Matcher::MessagePart(text)
        | Matcher::QuotaPart(text)
        | Matcher::BareMessageStart(text) = signal.matcher
        {
            assert_eq!(text, text.to_ascii_lowercase());
        }
    }
}

#[test]
fn every_signal_is_in_the_group_of_its_matcher() {
    for table in tables() {
        for (group, signals) in table.groups().into_iter().enumerate() {
            for signal in signals {
                let fits = match signal.matcher {
                    Matcher::MessageStart(_) | Matcher::MessagePart(_) | Matcher::QuotaPart(_) => {
                        group == 0
                    }
                    Matcher::Name(_) => (1..7).contains(&group),
                    Matcher::Status => group == 7,
                    Matcher::BareMessageStart(_) => group == 8,
                };
                assert!(fits, "{} is in group {group}", signal.reason);
            }
        }
    }
}

#[test]
fn a_prompt_that_an_error_repeats_decides_nothing() {
    let anywhere =
        |it: &&Signal| matches!(it.matcher, Matcher::MessagePart(_) | Matcher::QuotaPart(_));
    for signal in all().filter(anywhere) {
        for status in [400, 404, 422] {
            assert!(!signal.statuses.contains(Some(status)), "{}", signal.reason);
        }
    }
}

/// An outcome keeps only the reason of its signal.
#[test]
fn no_reason_is_both_a_credential_and_something_else() {
    for credential in all().filter(|it| it.meaning == Meaning::Credential) {
        let mut same = all().filter(|it| it.reason == credential.reason);
        assert!(same.all(|it| it.meaning == Meaning::Credential), "{}", credential.reason);
    }
}

#[test]
fn reasons_are_one_word_each_and_sources_are_given() {
    for signal in all() {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        assert!(!signal.reason.is_empty() && signal.reason.chars().all(word), "{}", signal.reason);
        assert!(!signal.source.is_empty(), "{}", signal.reason);
    }
}

#[test]
#[cfg_attr(miri, ignore = "slow, and without threads or unsafe code")]
fn no_signal_hides_another() {
    for hidden in all() {
        let covers = |above: &Signal| {
            above.matcher == hidden.matcher
                && (above.statuses == StatusRange::Any || above.statuses == hidden.statuses)
        };
        let reached = Provider::ALL.iter().any(|&provider| {
            let mut until = in_order(provider).take_while(|it| !std::ptr::eq(*it, hidden));
            let listed = in_order(provider).any(|it| std::ptr::eq(it, hidden));
            listed && !until.any(covers)
        });
        assert!(reached, "{} is never reached", hidden.reason);
    }
}

#[test]
fn a_table_serves_the_providers_that_list_it_and_no_other() {
    let named = |name| {
        let tables = tables().into_iter();
        let mut tables =
            tables.filter(|it| it.groups().into_iter().flatten().any(|it| it.reason == name));
        users(tables.next().unwrap())
    };
    let compatible = named("insufficient_quota");
    assert!(compatible.contains(&Provider::OpenAi) && compatible.contains(&Provider::Generic));
    assert!(!compatible.contains(&Provider::Anthropic) && !compatible.contains(&Provider::Cohere));
    assert_eq!(named("country_not_supported"), [Provider::OpenAi]);
    assert_eq!(named("rate_limit_error"), Provider::ALL);
}

#[test]
fn a_code_decides_before_a_type_and_a_type_before_the_status() {
    let reason = |code: &str, kind: &str| {
        let error = ErrorBody {
            codes: vec![code.to_owned()],
            types: vec![kind.to_owned()],
            ..ErrorBody::default()
        };
        find(Provider::OpenAi, Some(429), &error).unwrap().reason
    };
    assert_eq!(reason("slow_down", "insufficient_quota"), "slow_down");
    assert_eq!(reason("", "INSUFFICIENT_QUOTA"), "insufficient_quota");
    assert_eq!(reason("", "invalid_request_error"), "too_many_requests");
}

proptest! {
    #![proptest_config(support::cases())]

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
