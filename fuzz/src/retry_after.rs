//! The headers that hold a wait, in every spelling.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use tower_breaker::classify::{Http, retry_after};
use tower_breaker::{BreakerHandle, Class, Settings};

use crate::head::headers;

/// The headers in the order in which they are read, and the units of each in a second.
const SPELLINGS: [(&str, u32); 4] = [
    ("retry-after-ms", 1_000),
    ("x-ms-retry-after-ms", 1_000),
    ("grpc-retry-pushback-ms", 1_000),
    ("retry-after", 1),
];

/// No HTTP-date is later than the year 9999.
const LATEST: Duration = Duration::from_secs(8_000 * 366 * 24 * 60 * 60);

pub(crate) fn check(data: &[u8]) -> bool {
    let map = headers(data);
    let mut expected = None;
    for (name, unit) in SPELLINGS {
        let name = HeaderName::from_static(name);
        let Some(value) = map.get(&name) else { continue };
        let alone = alone(&name, value);
        let read = retry_after(&alone);
        check_value(&name, unit, value, read);
        expected = expected.or(read.map(|wait| (wait, is_date(value))));
    }
    let read = retry_after(&map);
    match (expected, read) {
        // Time passes between two reads of the clock.
        (Some((expected, true)), Some(read)) => {
            assert!(read <= expected && expected - read < Duration::from_secs(60), "{map:?}");
            assert!(read <= LATEST, "{map:?}");
        }
        (expected, read) => assert_eq!(expected.map(|(wait, _)| wait), read, "{map:?}"),
    }
    check_hold(map, read);
    read.is_some()
}

fn alone(name: &HeaderName, value: &HeaderValue) -> HeaderMap {
    HeaderMap::from_iter([(name.clone(), value.clone())])
}

fn read_text(name: &HeaderName, text: &str) -> Option<Duration> {
    retry_after(&alone(name, &HeaderValue::from_str(text).expect("visible text")))
}

fn is_date(value: &HeaderValue) -> bool {
    value.to_str().is_ok_and(|text| httpdate::parse_http_date(text.trim_ascii()).is_ok())
}

/// Checks the wait of one header.
fn check_value(name: &HeaderName, unit: u32, value: &HeaderValue, read: Option<Duration>) {
    let Ok(text) = value.to_str() else { return assert_eq!(read, None, "{value:?}") };
    let text = text.trim_ascii();
    if text.is_empty() || text.starts_with(['-', '+']) {
        return assert_eq!(read, None, "{name}: {text:?}");
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let exact = text.trim_start_matches('0').parse::<u64>();
        let exact = match exact {
            Ok(count) if unit == 1 => Duration::from_secs(count),
            Ok(count) => Duration::from_millis(count),
            Err(_) if text.bytes().all(|byte| byte == b'0') => Duration::ZERO,
            Err(_) => Duration::MAX,
        };
        assert_eq!(read, Some(exact), "{name}: {text:?}");
        // Spaces and leading zeros do not change the wait. One more digit does not shorten it.
        assert_eq!(read_text(name, &format!(" 0{text}\t")), read, "{name}: {text:?}");
        assert!(read_text(name, &format!("{text}0")) >= read, "{name}: {text:?}");
        if name != "grpc-retry-pushback-ms" {
            let fraction = read_text(name, &format!("{text}.5"));
            // A fraction is read as a double: 53 bits of it are exact.
            if exact < Duration::from_secs(1 << 20) {
                assert!(fraction > read, "{name}: {text:?} {fraction:?}");
            }
        }
    } else if read.is_some() {
        let date = name == "retry-after" && httpdate::parse_http_date(text).is_ok();
        let number = name != "grpc-retry-pushback-ms" && text.parse::<f64>().is_ok();
        assert!(date || number, "{name}: {text:?} is neither a date nor a number");
    }
    // A number that is too large for `u64` is an endless wait. That includes milliseconds.
    let read_as_number = read.filter(|read| *read < Duration::MAX && !is_date(value));
    if let (Some(read), Ok(number)) = (read_as_number, text.parse::<f64>()) {
        let count = number / f64::from(unit);
        let near = Duration::try_from_secs_f64(count).unwrap_or(Duration::MAX);
        let apart = near.abs_diff(read).as_secs_f64();
        assert!(apart <= 1e-6 + count * 1e-9, "{name}: {text:?} is {read:?}");
    }
    if is_date(value) && name == "retry-after" {
        let date = httpdate::parse_http_date(text).expect("a date");
        let left = date.duration_since(SystemTime::now()).unwrap_or_default();
        let read = read.expect("a date is a wait");
        assert!(read.abs_diff(left) < Duration::from_secs(60), "{text:?} is {read:?}");
    }
}

/// Checks that a breaker holds for the wait, within the limits of its settings, and that a rejection reports it.
fn check_hold(map: HeaderMap, wait: Option<Duration>) {
    let mut response = Response::new(());
    *response.headers_mut() = map;
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let outcome = Http::client().outcome(Ok::<_, &()>(&response));
    if outcome.class() != Class::Throttled {
        return assert!(response.headers().contains_key("x-circuit-open"));
    }
    let handle = BreakerHandle::new("fuzzed", Settings::http_client());
    handle.try_acquire().expect("a closed circuit").settle(outcome);
    let holds = wait.is_some_and(|wait| wait >= Duration::from_secs(1));
    match handle.try_acquire() {
        Ok(_) => assert!(!holds || is_near(wait, Duration::from_secs(1)), "{wait:?}"),
        Err(open) => {
            assert!(holds, "{wait:?}");
            let reported = open.retry_after().expect("a hold has a wait");
            assert!(reported <= Duration::from_secs(60), "{reported:?}");
            assert!(
                (1..=60).contains(&open.retry_after_secs().expect("the same wait")),
                "{reported:?}"
            );
        }
    }
}

/// Returns `true` if the wait is about `bound`. A date may fall below the bound between two reads of the clock.
fn is_near(wait: Option<Duration>, bound: Duration) -> bool {
    wait.is_some_and(|wait| wait.abs_diff(bound) < Duration::from_secs(1))
}
