//! How long a provider asks to be left alone, where no `Retry-After` says it.

use std::time::{Duration, SystemTime};

use http::HeaderMap;

/// The longest wait that a reset header alone can ask for.
///
/// A reset header says when the budget is *full* again, not when the next call may pass: OpenAI and Groq count a
/// bucket that fills continuously. One minute is the window of all their limits but the daily ones.
pub(super) const HINT_CAP: Duration = Duration::from_secs(60);

/// The budgets that reset headers speak of, as (what is left, when it is full again).
const BUDGETS: [(&str, &str); 6] = [
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
];

/// The wait that the reset headers of a 429 suggest: the longest among the budgets of which nothing is left.
///
/// Resets are Go durations (`6m0s`), seconds, or RFC 3339 times. None that is zero, negative or unreadable counts: Azure
/// sends `0` and `-1` for *unknown*.
pub(super) fn hint(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = |name: &str| headers.get(name)?.to_str().ok().map(str::trim_ascii);
    let resets = BUDGETS.iter().filter_map(|&(remaining, reset)| {
        let left: u64 = value(remaining)?.parse().ok()?;
        let reset = value(reset)?;
        let wait = go_duration(reset)
            .or_else(|| whole_seconds(reset))
            .or_else(|| until(rfc3339(reset)?, now))?;
        (left == 0 && !wait.is_zero()).then_some(wait)
    });
    resets.max().map(|wait| wait.min(HINT_CAP))
}

/// A duration as Go and protobuf's JSON write it: `48s`, `0.5s`, `12ms`, `1m30.5s`; nothing around it.
pub(super) fn go_duration(text: &str) -> Option<Duration> {
    let (duration, rest) = duration(text)?;
    rest.is_empty().then_some(duration)
}

/// The first wait that a message names: `Please retry in 10h17m5.7s`, `try again in 20 seconds`.
pub(super) fn in_prose(message: &str) -> Option<Duration> {
    const BEFORE: [&str; 4] = ["retry in ", "again in ", "retry after ", "again after "];
    let message = message.to_ascii_lowercase();
    let mut waits: Vec<(usize, Duration)> = Vec::new();
    for before in BEFORE {
        for (at, _) in message.match_indices(before) {
            let wait = message.get(at + before.len()..).and_then(duration);
            waits.extend(wait.map(|(wait, _)| (at, wait)));
        }
    }
    waits.into_iter().min_by_key(|&(at, _)| at).map(|(_, wait)| wait)
}

/// A moment as RFC 3339 writes it, in UTC.
pub(super) fn rfc3339(text: &str) -> Option<SystemTime> {
    // The parser indexes bytes.
    if !text.is_ascii() {
        return None;
    }
    let text = text.strip_suffix("+00:00").unwrap_or(text);
    humantime::parse_rfc3339_weak(text).ok()
}

/// A moment as milliseconds since 1970.
pub(super) fn epoch_ms(ms: u64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(ms))
}

/// How long it is until a moment. One that is over says nothing.
pub(super) fn until(moment: SystemTime, now: SystemTime) -> Option<Duration> {
    moment.duration_since(now).ok().filter(|wait| !wait.is_zero())
}

/// Seconds as a JSON number gives them.
pub(super) fn seconds(seconds: f64) -> Option<Duration> {
    // Not a number is neither.
    (seconds >= 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

fn whole_seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().map_or(Duration::MAX, Duration::from_secs))
}

/// Numbers with units, and what follows them. A number without a unit ends it.
fn duration(text: &str) -> Option<(Duration, &str)> {
    let (mut sum, mut rest) = component(text)?;
    while let Some((more, after)) = component(rest.trim_start_matches(' ')) {
        sum = sum.saturating_add(more);
        rest = after;
    }
    Some((sum, rest))
}

fn component(text: &str) -> Option<(Duration, &str)> {
    let number = |byte: char| byte.is_ascii_digit() || byte == '.';
    let (count, rest) = text.split_at(text.find(|c| !number(c))?);
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(letters);
    let unit = match unit {
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" | "millisecond" | "milliseconds" => 1e-3,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600.0,
        "d" | "day" | "days" => 86_400.0,
        _ => return None,
    };
    let count: f64 = count.parse().ok()?;
    Some((seconds(count * unit)?, rest))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

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
        hint(&map.collect(), now())
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
    fn a_huge_duration_is_the_longest() {
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
    fn prose_without_a_unit_or_a_phrase_names_none() {
        for message in ["", "retry after 30", "in 20 seconds", "retry in -5s", "again in 5 apples"]
        {
            assert_eq!(in_prose(message), None, "{message}");
        }
    }

    #[test]
    fn a_reset_counts_only_where_nothing_is_left() {
        let requests = ("x-ratelimit-reset-requests", "20s");
        assert_eq!(hinted(&[requests]), None);
        assert_eq!(hinted(&[requests, ("x-ratelimit-remaining-requests", "3")]), None);
        assert_eq!(hinted(&[requests, ("x-ratelimit-remaining-requests", "0")]), ms(20_000));
        assert_eq!(hinted(&[requests, ("x-ratelimit-remaining-tokens", "0")]), None);
    }

    #[test]
    fn a_reset_of_zero_or_less_or_that_cannot_be_read_is_none() {
        for reset in ["0", "-1", "0s", "-3s", "", "soon", "1.5", "2026-11-21T11:59:59Z"] {
            let headers =
                [("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", reset)];
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
        #![proptest_config(super::super::cases())]

        #[test]
        #[cfg_attr(miri, ignore = "takes minutes to make the text")]
        fn no_text_panics(text in "\\PC{0,40}|(retry in )?[-+.0-9a-zµ :TZ]{0,40}", ms in any::<u64>(), secs in any::<f64>()) {
            let _ = (go_duration(&text), in_prose(&text), rfc3339(&text), whole_seconds(&text));
            let _ = (epoch_ms(ms), seconds(secs));
        }

        #[test]
        #[cfg_attr(miri, ignore = "takes minutes to make the text")]
        fn nothing_that_looks_like_a_date_panics(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,12})?(Z|\\+00:00)?") {
            let _ = rfc3339(&text).and_then(|moment| until(moment, now()));
        }
    }
}
