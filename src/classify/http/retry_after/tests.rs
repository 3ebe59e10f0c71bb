use http::HeaderValue;
use proptest::prelude::*;

use super::*;

const NAMES: [&str; 4] =
    ["retry-after-ms", "x-ms-retry-after-ms", "grpc-retry-pushback-ms", "retry-after"];

/// 1994-11-06 08:49:37 UTC.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
}

fn wait(headers: &[(&'static str, &str)]) -> Option<Duration> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_str(value).unwrap());
    }
    retry_after_at(&map, now)
}

const fn ms(ms: u64) -> Option<Duration> {
    Some(Duration::from_millis(ms))
}

#[test]
fn a_response_without_these_headers_has_no_wait() {
    assert_eq!(wait(&[]), None);
    assert_eq!(wait(&[("content-length", "7")]), None);
}

#[test]
fn seconds_may_be_whole_or_decimal() {
    assert_eq!(wait(&[("retry-after", "0")]), ms(0));
    assert_eq!(wait(&[("retry-after", "007")]), ms(7_000));
    assert_eq!(wait(&[("retry-after", " 120 ")]), ms(120_000));
    assert_eq!(wait(&[("retry-after", "1.5")]), ms(1_500));
    assert_eq!(wait(&[("retry-after", "0.1")]), ms(100));
    assert_eq!(wait(&[("retry-after", ".25")]), ms(250));
    assert_eq!(wait(&[("retry-after", "5e-1")]), ms(500));
}

#[test]
fn milliseconds_may_be_whole_or_decimal() {
    for name in ["retry-after-ms", "x-ms-retry-after-ms"] {
        assert_eq!(wait(&[(name, "1500")]), ms(1_500));
        assert_eq!(wait(&[(name, "1500.5")]), Some(Duration::from_micros(1_500_500)));
    }
}

#[test]
fn pushback_is_whole_milliseconds_only() {
    assert_eq!(wait(&[("grpc-retry-pushback-ms", "250")]), ms(250));
    assert_eq!(wait(&[("grpc-retry-pushback-ms", "250.5")]), None);
    assert_eq!(wait(&[("grpc-retry-pushback-ms", "-1")]), None);
}

#[test]
fn fractions_are_rounded_to_the_nearest_nanosecond() {
    assert_eq!(wait(&[("retry-after", "0.0000000014")]), Some(Duration::from_nanos(1)));
    assert_eq!(wait(&[("retry-after", "0.0000000016")]), Some(Duration::from_nanos(2)));
}

#[test]
fn a_date_counts_from_the_wall_clock() {
    assert_eq!(wait(&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")]), ms(30_000));
    assert_eq!(wait(&[("retry-after", "Sunday, 06-Nov-94 08:50:07 GMT")]), ms(30_000));
    assert_eq!(wait(&[("retry-after", "Sun Nov  6 08:50:07 1994")]), ms(30_000));
}

#[test]
fn a_date_in_the_past_is_a_wait_of_zero() {
    assert_eq!(wait(&[("retry-after", "Sun, 06 Nov 1994 08:49:36 GMT")]), ms(0));
    assert_eq!(wait(&[("retry-after", "Thu, 01 Jan 1970 00:00:00 GMT")]), ms(0));
}

#[test]
fn the_more_precise_header_wins() {
    let all = [
        ("retry-after", "4"),
        ("grpc-retry-pushback-ms", "3"),
        ("x-ms-retry-after-ms", "2"),
        ("retry-after-ms", "1"),
    ];
    assert_eq!(wait(&all), ms(1));
    assert_eq!(wait(&all[..3]), ms(2));
    assert_eq!(wait(&all[..2]), ms(3));
    assert_eq!(wait(&all[..1]), ms(4_000));
}

#[test]
fn a_value_that_cannot_be_read_is_skipped() {
    for bad in
        ["", " ", "-1", "-0", "+1", "NaN", "inf", "infinity", "1s", "1_0", "0x10", ".", "1,5"]
    {
        for name in NAMES {
            assert_eq!(wait(&[(name, bad)]), None, "{name}: {bad}");
        }
        assert_eq!(wait(&[("retry-after-ms", bad), ("retry-after", "9")]), ms(9_000), "{bad}");
    }
}

#[test]
fn any_number_of_digits_saturates() {
    let max = u64::MAX.to_string();
    assert_eq!(wait(&[("retry-after", &max)]), Some(Duration::from_secs(u64::MAX)));
    assert_eq!(wait(&[("retry-after-ms", &max)]), ms(u64::MAX));
    for long in
        ["18446744073709551616", &"9".repeat(5_000), &format!("{}.5", "9".repeat(400)), "1e999"]
    {
        assert_eq!(wait(&[("retry-after", long)]), Some(Duration::MAX), "{long}");
    }
    assert_eq!(wait(&[("grpc-retry-pushback-ms", "18446744073709551616")]), Some(Duration::MAX));
}

#[test]
fn the_clock_is_read_only_for_a_date() {
    let mut map = HeaderMap::new();
    map.insert("retry-after", HeaderValue::from_static("3"));
    assert_eq!(retry_after_at(&map, || unreachable!()), ms(3_000));
}

/// Runs few cases under miri, where each takes up to a second.
fn cases() -> ProptestConfig {
    match cfg!(miri) {
        true => ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(8) },
        false => ProptestConfig::default(),
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), name in 0..4_usize) {
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            let mut map = HeaderMap::new();
            map.insert(NAMES[name], value);
            let _ = retry_after_at(&map, now);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "generating the text takes minutes")]
    fn text_that_looks_like_a_number_or_a_date_does_not_panic(
        value in "[-+.eE0-9 ]{0,40}|[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT",
        name in 0..4_usize,
    ) {
        let _ = wait(&[(NAMES[name], &value)]);
    }

    #[test]
    fn whole_seconds_are_exact(seconds in any::<u64>()) {
        let value = seconds.to_string();
        prop_assert_eq!(wait(&[("retry-after", &value)]), Some(Duration::from_secs(seconds)));
    }
}
