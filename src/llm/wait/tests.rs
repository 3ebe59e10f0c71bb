use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;
use crate::llm::framing::support;
use crate::llm::providers::profiles;

fn now() -> SystemTime {
    rfc3339("2026-11-21T12:00:00Z").unwrap()
}

const fn ms(ms: u64) -> Option<Duration> {
    Some(Duration::from_millis(ms))
}

fn hinted(headers: &[(&'static str, &str)]) -> Option<Duration> {
    let map = headers.iter().map(|(name, value)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    });
    hint(profiles().flat_map(|profile| profile.budgets), &map.collect(), now())
}

#[test]
fn go_durations_are_read() {
    assert_eq!(go_duration("12ms"), ms(12));
    assert_eq!(go_duration("6m0s"), ms(360_000));
    assert_eq!(go_duration("1m30.5s"), ms(90_500));
    assert_eq!(go_duration("0.5s"), ms(500));
    assert_eq!(go_duration("48s"), ms(48_000));
    assert_eq!(go_duration("1h0m0s"), ms(3_600_000));
    assert_eq!(go_duration("250µs"), Some(Duration::from_micros(250)));
    for bad in ["", "s", "-1s", "48", "1x", "1s!", "1..5s", ".s", "NaNs", "infs", "1e5s"] {
        assert_eq!(go_duration(bad), None, "{bad}");
    }
}

#[test]
fn a_huge_duration_is_the_longest_duration() {
    assert_eq!(go_duration(&format!("{}s", "9".repeat(500))), Some(Duration::MAX));
    assert_eq!(go_duration("18446744073709551615s1h"), Some(Duration::MAX));
}

#[test]
fn prose_names_waits() {
    for (message, wait) in [
        ("Please retry in 10h17m5.7s.", ms(37_025_700)),
        ("Limit 20000. Please try again in 5.289s. Visit", ms(5_289)),
        ("Please try again in 6m0s.", ms(360_000)),
        ("Rate limit is exceeded. Try again in 20 seconds.", ms(20_000)),
        ("Please retry after 7 seconds. Please go", ms(7_000)),
        ("Retry after 1 minute 30 seconds", ms(90_000)),
        ("try again in 152ms", ms(152)),
        ("try again in a while, or retry after 3 s", ms(3_000)),
        ("retry after 3 s, try again in 9s", ms(3_000)),
    ] {
        assert_eq!(in_prose(message), wait, "{message}");
    }
}

#[test]
fn prose_without_a_unit_or_a_phrase_names_no_wait() {
    for message in ["", "retry after 30", "in 20 seconds", "retry in -5s", "again in 5 apples"] {
        assert_eq!(in_prose(message), None, "{message}");
    }
}

#[test]
fn a_reset_counts_only_if_nothing_is_left() {
    let requests = ("x-ratelimit-reset-requests", "20s");
    assert_eq!(hinted(&[requests]), None);
    assert_eq!(hinted(&[requests, ("x-ratelimit-remaining-requests", "3")]), None);
    assert_eq!(hinted(&[requests, ("x-ratelimit-remaining-requests", "0")]), ms(20_000));
    assert_eq!(hinted(&[requests, ("x-ratelimit-remaining-tokens", "0")]), None);
}

#[test]
fn a_reset_that_is_zero_negative_past_or_unreadable_does_not_count() {
    for reset in ["0", "-1", "0s", "-3s", "", "soon", "1.5", "2026-11-21T11:59:59Z"] {
        let headers = [("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", reset)];
        assert_eq!(hinted(&headers), None, "{reset}");
    }
}

#[test]
fn the_longest_reset_counts_up_to_a_minute() {
    let mut headers = vec![
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", "7"),
        ("anthropic-ratelimit-input-tokens-remaining", "0"),
        ("anthropic-ratelimit-input-tokens-reset", "2026-11-21T12:00:09Z"),
    ];
    assert_eq!(hinted(&headers), ms(9_000));
    headers.push(("x-ratelimit-remaining-tokens", "0"));
    headers.push(("x-ratelimit-reset-tokens", "6m0s"));
    assert_eq!(hinted(&headers), Some(HINT_CAP));
}

proptest! {
    #![proptest_config(support::cases())]

    #[test]
    #[cfg_attr(miri, ignore = "generating the text takes minutes")]
    fn no_text_panics(text in "\\PC{0,40}|(retry in )?[-+.0-9a-zµ :TZ]{0,40}", ms in any::<u64>(), secs in any::<f64>()) {
        let _ = (go_duration(&text), in_prose(&text), rfc3339(&text), whole_seconds(&text));
        let _ = (epoch_ms(ms), seconds(secs));
    }

    #[test]
    #[cfg_attr(miri, ignore = "generating the text takes minutes")]
    fn no_date_panics(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,12})?(Z|\\+00:00)?") {
        let _ = rfc3339(&text).and_then(|moment| until(moment, now()));
    }
}
