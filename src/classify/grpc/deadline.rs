//! The deadline of a request.

use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName};

use crate::Outcome;
use crate::clock;

const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// The largest number of digits in a timeout, as the gRPC protocol over HTTP/2 defines it.
const MAX_DIGITS: usize = 8;

/// Returns the moment at which the `grpc-timeout` of a request will have passed, counted from now. `None` without a valid
/// timeout.
pub(super) fn deadline(headers: &HeaderMap) -> Option<Instant> {
    let timeout = timeout(headers.get(TIMEOUT)?.as_bytes())?;
    clock::now().checked_add(timeout)
}

/// Parses one to eight digits followed by a unit.
fn timeout(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > MAX_DIGITS {
        return None;
    }
    let count = digits.iter().try_fold(0_u64, |count, digit| {
        digit.is_ascii_digit().then(|| count * 10 + u64::from(digit - b'0'))
    })?;
    Some(match unit {
        b'H' => Duration::from_secs(count * 60 * 60),
        b'M' => Duration::from_secs(count * 60),
        b'S' => Duration::from_secs(count),
        b'm' => Duration::from_millis(count),
        b'u' => Duration::from_micros(count),
        b'n' => Duration::from_nanos(count),
        _ => return None,
    })
}

/// Returns the outcome of a call that is dropped before its response: a failure at or after the deadline. `None` before it,
/// or without a deadline.
#[cold]
pub(super) fn deadline_exceeded(deadline: Option<Instant>) -> Option<Outcome> {
    (clock::now() >= deadline?).then(|| Outcome::failure().reason("deadline exceeded"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_unit_is_read() {
        for (value, expected) in [
            ("2H", Duration::from_secs(7_200)),
            ("2M", Duration::from_secs(120)),
            ("2S", Duration::from_secs(2)),
            ("2m", Duration::from_millis(2)),
            ("2u", Duration::from_micros(2)),
            ("2n", Duration::from_nanos(2)),
            ("0S", Duration::ZERO),
            ("00000001S", Duration::from_secs(1)),
            ("99999999H", Duration::from_secs(99_999_999 * 3_600)),
        ] {
            assert_eq!(timeout(value.as_bytes()), Some(expected), "{value}");
        }
    }

    #[test]
    fn a_malformed_timeout_is_ignored() {
        for value in [
            "",
            "S",
            "1",
            "12",
            "100000000S",
            "000000001S",
            "-1S",
            "+1S",
            "1.5S",
            "1 S",
            " 1S",
            "1S ",
            "1s",
            "1h",
            "1µ",
            "1ms",
            "1S,1S",
            "0x1S",
            "١S",
        ] {
            assert_eq!(timeout(value.as_bytes()), None, "{value:?}");
        }
    }

    #[test]
    fn a_deadline_beyond_the_clock_is_none_or_far() {
        let headers = |value: &'static str| {
            HeaderMap::from_iter([(TIMEOUT, http::HeaderValue::from_static(value))])
        };
        let year = Duration::from_secs(365 * 24 * 60 * 60);
        let far = deadline(&headers("99999999H"));
        assert!(far.is_none_or(|far| far > clock::now() + year));
        assert_eq!(deadline(&headers("soon")), None);
        assert_eq!(deadline(&HeaderMap::new()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_timeout_or_none(value in proptest::collection::vec(any::<u8>(), 0..12)) {
            let well_formed = value.split_last().is_some_and(|(unit, digits)| {
                (1..=8).contains(&digits.len())
                    && digits.iter().all(u8::is_ascii_digit)
                    && b"HMSmun".contains(unit)
            });
            prop_assert_eq!(timeout(&value).is_some(), well_formed);
        }

        #[test]
        fn any_number_of_milliseconds_is_exact(count in 0..=99_999_999_u64) {
            let parsed = timeout(format!("{count}m").as_bytes());
            prop_assert_eq!(parsed, Some(Duration::from_millis(count)));
        }
    }
}
