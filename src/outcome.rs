//! What a finished call meant.

use std::fmt;
use std::time::Duration;

/// The class of an [`Outcome`].
///
/// *Ignored* and *cancelled* are neutral: they are in no numerator and no denominator, leave the streak of
/// failures as it is, and give a probe's lease back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// The dependency did its work.
    Success,
    /// The dependency did not do its work.
    Failure,
    /// The dependency asked for fewer calls: HTTP 429, gRPC `RESOURCE_EXHAUSTED`.
    Throttled,
    /// A quota or a budget is used up: waiting a moment will not help.
    Exhausted,
    /// Says nothing about the dependency.
    Ignored,
    /// The permit was dropped before anybody knew how the call ended.
    Cancelled,
}

impl Class {
    /// The lower-case name used in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Throttled => "throttled",
            Self::Exhausted => "exhausted",
            Self::Ignored => "ignored",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What settles a [`Permit`](crate::Permit): a [`Class`] with what the dependency said beside it.
///
/// ```
/// use std::time::Duration;
/// use tower_breaker::{Class, Outcome};
///
/// let outcome = Outcome::throttled().retry_after(Duration::from_secs(20)).code(429);
/// assert_eq!(outcome.class(), Class::Throttled);
/// assert_eq!(outcome.wait(), Some(Duration::from_secs(20)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an outcome does nothing until a permit is settled with it"]
pub struct Outcome {
    class: Class,
    weight: u8,
    code: Option<u16>,
    reason: Option<&'static str>,
    wait: Option<Duration>,
}

impl Outcome {
    /// The largest weight of a failure.
    pub const MAX_WEIGHT: u8 = 100;

    const fn of(class: Class) -> Self {
        Self { class, weight: 1, code: None, reason: None, wait: None }
    }

    /// The dependency did its work.
    pub const fn success() -> Self {
        Self::of(Class::Success)
    }

    /// The dependency did not do its work. Weight 1.
    pub const fn failure() -> Self {
        Self::of(Class::Failure)
    }

    /// The dependency asked for fewer calls.
    pub const fn throttled() -> Self {
        Self::of(Class::Throttled)
    }

    /// A quota or a budget is used up.
    pub const fn exhausted() -> Self {
        Self::of(Class::Exhausted)
    }

    /// Says nothing about the dependency.
    pub const fn ignored() -> Self {
        Self::of(Class::Ignored)
    }

    /// What a dropped permit records.
    pub(crate) const fn cancelled() -> Self {
        Self::of(Class::Cancelled)
    }

    /// `Ok` is a success, `Err` is a failure: the judge of [`BreakerHandle::call`](crate::BreakerHandle::call) and its kind, and the
    /// last line of most others.
    ///
    /// ```
    /// use std::io::{Error, ErrorKind};
    /// use tower_breaker::{BreakerHandle, Outcome, Settings};
    ///
    /// let files = BreakerHandle::new("files", Settings::default());
    /// let judge = |result: &Result<String, Error>| match result {
    ///     Err(error) if error.kind() == ErrorKind::NotFound => Outcome::ignored(),
    ///     other => Outcome::by_result(other),
    /// };
    /// files.call_with(|| Err(ErrorKind::NotFound.into()), judge).unwrap_err();
    /// assert_eq!(files.snapshot().totals.ignored, 1);
    /// ```
    #[inline]
    pub const fn by_result<T, E>(result: &Result<T, E>) -> Self {
        Self::failure_if(result.is_err())
    }

    /// A failure, or a success.
    ///
    /// ```
    /// use tower_breaker::{BreakerHandle, Outcome, Settings};
    ///
    /// let api = BreakerHandle::new("api", Settings::default());
    /// let fetch = || Ok::<_, std::io::Error>(503);
    ///
    /// // An `Ok` that is a failure.
    /// api.call_with(fetch, |status| Outcome::failure_if(!matches!(status, Ok(..500)))).unwrap();
    /// assert_eq!(api.snapshot().totals.failure, 1);
    /// ```
    #[inline]
    pub const fn failure_if(failed: bool) -> Self {
        if failed { Self::failure() } else { Self::success() }
    }

    /// How much a failure counts, 1 to 100; outside that range it is clamped. Default 1.
    ///
    /// The weight counts in the failure count and on both sides of the failure rate. The streak of consecutive
    /// failures and the minimum number of calls count calls. It means nothing for the other classes.
    pub const fn weight(mut self, weight: u8) -> Self {
        self.weight = match weight {
            0 => 1,
            1..=Self::MAX_WEIGHT => weight,
            _ => Self::MAX_WEIGHT,
        };
        self
    }

    /// How long the dependency asked to be left alone, such as a `Retry-After`.
    pub const fn retry_after(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }

    /// Like [`retry_after`](Self::retry_after), for a wait that may not have been given.
    pub const fn maybe_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.wait = wait;
        self
    }

    /// A short reason, shown as the last error in snapshots, events and logs.
    pub const fn reason(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// A status code, shown as the last error in snapshots, events and logs.
    pub const fn code(mut self, code: u16) -> Self {
        self.code = Some(code);
        self
    }

    /// The class.
    pub const fn class(&self) -> Class {
        self.class
    }

    /// The wait that the dependency asked for.
    pub const fn wait(&self) -> Option<Duration> {
        self.wait
    }

    /// The weight of a failure, 1 to 100.
    pub const fn failure_weight(&self) -> u8 {
        self.weight
    }

    /// What went wrong, if the outcome is one of the bad ones.
    pub const fn last_error(&self) -> Option<LastError> {
        match self.class {
            Class::Failure | Class::Throttled | Class::Exhausted => {
                Some(LastError { class: self.class, reason: self.reason, code: self.code })
            }
            Class::Success | Class::Ignored | Class::Cancelled => None,
        }
    }

    /// The same outcome under the class that the settings give it.
    pub(crate) const fn counted_as(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    #[inline]
    pub(crate) const fn status(&self) -> Option<u16> {
        self.code
    }

    #[inline]
    pub(crate) const fn why(&self) -> Option<&'static str> {
        self.reason
    }
}

/// The last bad outcome that a breaker saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastError {
    /// Its class.
    pub class: Class,
    /// Its reason, if the classifier gave one.
    pub reason: Option<&'static str>,
    /// Its status code, if there was one.
    pub code: Option<u16>,
}

impl fmt::Display for LastError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Some(reason) => f.write_str(reason)?,
            None => f.write_str(self.class.as_str())?,
        }
        match self.code {
            Some(code) => write!(f, " ({code})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_outside_its_range_is_clamped() {
        assert_eq!(Outcome::failure().weight(0).failure_weight(), 1);
        assert_eq!(Outcome::failure().weight(7).failure_weight(), 7);
        assert_eq!(Outcome::failure().weight(255).failure_weight(), 100);
    }

    #[test]
    fn only_bad_outcomes_are_a_last_error() {
        assert_eq!(Outcome::success().reason("x").last_error(), None);
        assert_eq!(Outcome::ignored().reason("x").last_error(), None);
        let bad = Outcome::failure().reason("bad gateway").code(502).last_error();
        assert_eq!(bad.map(|bad| bad.to_string()).as_deref(), Some("bad gateway (502)"));
        let bare = Outcome::throttled().last_error();
        assert_eq!(bare.map(|bad| bad.to_string()).as_deref(), Some("throttled"));
    }
}
