//! Waits that a provider asks for by other means than `Retry-After`.

use std::time::{Duration, SystemTime};

use http::HeaderMap;

/// The longest wait that a reset header alone can ask for.
///
/// A reset header states when the budget is *full* again, not when the next call may pass: OpenAI and Groq count with a
/// bucket that fills continuously. One minute is the window of all their limits except the daily ones.
pub(super) const HINT_CAP: Duration = Duration::from_secs(60);

/// The headers that report the state of a budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// The header with the number of requests or tokens that are left.
    pub(super) remaining: &'static str,
    /// The header with the time until the budget is full again.
    pub(super) reset: &'static str,
}

/// Returns the wait that the reset headers of a 429 suggest: the longest among the budgets that are used up.
///
/// Resets are Go durations (`6m0s`), seconds, or RFC 3339 times. A reset that is zero, negative or unreadable does not
/// count: Azure sends `0` and `-1` for *unknown*.
pub(super) fn hint<'a>(
    budgets: impl IntoIterator<Item = &'a Budget>,
    headers: &HeaderMap,
    now: SystemTime,
) -> Option<Duration> {
    let value = |name: &str| headers.get(name)?.to_str().ok().map(str::trim_ascii);
    let resets = budgets.into_iter().filter_map(|budget| {
        let left: u64 = value(budget.remaining)?.parse().ok()?;
        let reset = value(budget.reset)?;
        let wait = go_duration(reset)
            .or_else(|| whole_seconds(reset))
            .or_else(|| until(rfc3339(reset)?, now))?;
        (left == 0 && !wait.is_zero()).then_some(wait)
    });
    resets.max().map(|wait| wait.min(HINT_CAP))
}

/// Parses a duration as Go and protobuf's JSON write it, such as `48s`, `0.5s`, `12ms` and `1m30.5s`.
pub(super) fn go_duration(text: &str) -> Option<Duration> {
    let (duration, rest) = duration(text)?;
    rest.is_empty().then_some(duration)
}

/// Returns the first wait that a message names, such as `Please retry in 10h17m5.7s` or `try again in 20 seconds`.
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

/// Parses an RFC 3339 time in UTC.
pub(super) fn rfc3339(text: &str) -> Option<SystemTime> {
    // The parser indexes bytes and may panic inside a character.
    if !text.is_ascii() {
        return None;
    }
    let text = text.strip_suffix("+00:00").unwrap_or(text);
    humantime::parse_rfc3339_weak(text).ok()
}

/// Converts milliseconds since 1970.
pub(super) fn epoch_ms(ms: u64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(ms))
}

/// Returns the time from `now` until `moment`, or `None` if `moment` has passed.
pub(super) fn until(moment: SystemTime, now: SystemTime) -> Option<Duration> {
    moment.duration_since(now).ok().filter(|wait| !wait.is_zero())
}

/// Converts seconds from a JSON number. Negative numbers are `None`.
pub(super) fn seconds(seconds: f64) -> Option<Duration> {
    // NaN is `None` as well.
    (seconds >= 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

fn whole_seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().map_or(Duration::MAX, Duration::from_secs))
}

/// Parses numbers with units up to the first one without a unit. Returns the sum and the rest of the text.
fn duration(text: &str) -> Option<(Duration, &str)> {
    let (mut sum, mut rest) = component(text)?;
    while let Some((more, after)) = component(rest.trim_start_matches(' ')) {
        sum = sum.saturating_add(more);
        rest = after;
    }
    Some((sum, rest))
}

/// Parses one number with its unit.
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
mod tests;
