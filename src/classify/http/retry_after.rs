//! The headers by which servers ask for a wait.

#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName};

// Constants, because a lookup by `&str` parses the name every time.
const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
const X_MS_RETRY_AFTER_MS: HeaderName = HeaderName::from_static("x-ms-retry-after-ms");
pub(crate) const GRPC_PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

/// Returns how long a response asks its caller to wait. The first of these headers that can be read decides:
///
/// | header | form | used by |
/// |---|---|---|
/// | `retry-after-ms` | milliseconds, whole or decimal | OpenAI, Azure |
/// | `x-ms-retry-after-ms` | milliseconds, whole or decimal | Azure |
/// | `grpc-retry-pushback-ms` | whole milliseconds | gRPC |
/// | `retry-after` | seconds, whole or decimal, or an HTTP-date | all servers |
///
/// A value that is negative, empty, not finite or not a number is skipped, and the next header is tried. In gRPC, a
/// negative pushback means *do not retry* and names no time. If a header occurs several times, the first one is read. A
/// date in the past is a wait of zero.
///
/// Whole numbers are exact. A number of 2⁶⁴ or more, in any unit, becomes [`Duration::MAX`]. The settings of the breaker
/// limit how much of a wait is obeyed. Decimal fractions are rounded to the nearest nanosecond.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    retry_after_at(headers, SystemTime::now)
}

/// Like [`retry_after`], with a clock. The clock is read only for a date.
fn retry_after_at(headers: &HeaderMap, now: impl FnOnce() -> SystemTime) -> Option<Duration> {
    let value = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim_ascii);
    value(RETRY_AFTER_MS)
        .and_then(|ms| number(ms, MILLISECOND))
        .or_else(|| number(value(X_MS_RETRY_AFTER_MS)?, MILLISECOND))
        .or_else(|| whole(value(GRPC_PUSHBACK)?, MILLISECOND))
        .or_else(|| {
            let value = value(RETRY_AFTER)?;
            number(value, SECOND).or_else(|| date(value, now))
        })
}

/// A unit of time, as the number of units in a second.
type PerSecond = u16;
const SECOND: PerSecond = 1;
const MILLISECOND: PerSecond = 1000;

fn number(value: &str, unit: PerSecond) -> Option<Duration> {
    whole(value, unit).or_else(|| decimal(value, unit))
}

fn whole(value: &str, unit: PerSecond) -> Option<Duration> {
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // All characters are digits, so parsing fails only on overflow.
    Some(value.parse().map_or(Duration::MAX, |count: u64| match unit {
        MILLISECOND => Duration::from_millis(count),
        _ => Duration::from_secs(count),
    }))
}

fn decimal(value: &str, unit: PerSecond) -> Option<Duration> {
    // Excludes signs, `inf` and `NaN`, which the parser of the standard library accepts.
    if !value.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    let count: f64 = value.parse().ok()?;
    Some(Duration::try_from_secs_f64(count / f64::from(unit)).unwrap_or(Duration::MAX))
}

fn date(value: &str, now: impl FnOnce() -> SystemTime) -> Option<Duration> {
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now()).unwrap_or(Duration::ZERO))
}
