//! What a finished call meant.

use std::fmt;
use std::time::Duration;

/// The class of an [`Outcome`].
///
/// *Ignored* and *cancelled* are neutral: they count on neither side of a rate, leave the streak of failures unchanged,
/// and return a probe's lease. There is one exception: a call that is cancelled after it became slow counts on both
/// sides of the slow-call rate, and as a failed probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// The dependency did its work.
    Success,
    /// The dependency did not do its work.
    Failure,
    /// The dependency asked for fewer calls: HTTP 429, gRPC `RESOURCE_EXHAUSTED`.
    Throttled,
    /// A quota or a budget is used up. A short wait does not help.
    Exhausted,
    /// The call says nothing about the dependency.
    Ignored,
    /// The permit was dropped before the outcome was known.
    Cancelled,
}

impl Class {
    /// Returns the lower-case name that logs and metrics use.
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

/// What a finished call meant: a [`Class`], with an optional wait, weight, code and reason. It settles a
/// [`Permit`](crate::Permit).
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
#[must_use = "an outcome has no effect until it settles a permit"]
pub struct Outcome {
    class: Class,
    /// 1 to 100, or 0 for a rejection. A separate flag costs every failure one more store.
    weight: u8,
    code: Option<u16>,
    reason: Option<&'static str>,
    wait: Option<Duration>,
}

impl Outcome {
    /// The maximum weight of a failure.
    pub const MAX_WEIGHT: u8 = 100;

    const fn of(class: Class) -> Self {
        Self { class, weight: 1, code: None, reason: None, wait: None }
    }

    /// Creates a success: the dependency did its work.
    pub const fn success() -> Self {
        Self::of(Class::Success)
    }

    /// Creates a failure of weight 1: the dependency did not do its work.
    pub const fn failure() -> Self {
        Self::of(Class::Failure)
    }

    /// Creates a throttled outcome: the dependency asked for fewer calls.
    pub const fn throttled() -> Self {
        Self::of(Class::Throttled)
    }

    /// Creates an exhausted outcome: a quota or a budget is used up.
    pub const fn exhausted() -> Self {
        Self::of(Class::Exhausted)
    }

    /// Creates an ignored outcome: the call says nothing about the dependency.
    pub const fn ignored() -> Self {
        Self::of(Class::Ignored)
    }

    /// Creates the outcome of a call that a downstream circuit breaker rejected.
    ///
    /// A breaker ignores it, because the dependency was not called. A fallback acts on it, because the caller still
    /// has no response: see [`wants_another`](Self::wants_another).
    ///
    /// ```
    /// use tower_breaker::{Class, Outcome};
    ///
    /// assert_eq!(Outcome::rejected().class(), Class::Ignored);
    /// assert!(Outcome::rejected().is_rejection());
    /// assert!(Outcome::rejected().wants_another());
    /// assert!(!Outcome::ignored().wants_another());
    /// ```
    pub const fn rejected() -> Self {
        let mut outcome = Self::of(Class::Ignored);
        outcome.weight = 0;
        outcome
    }

    /// Creates the outcome that a dropped permit records.
    pub(crate) const fn cancelled() -> Self {
        Self::of(Class::Cancelled)
    }

    /// Classifies a result: `Ok` is a success, `Err` is a failure.
    ///
    /// [`BreakerHandle::call`](crate::BreakerHandle::call) and its async counterparts classify this way. A custom
    /// closure often uses it as the last arm of a `match`.
    ///
    /// ```
    /// use std::io::{Error, ErrorKind};
    /// use tower_breaker::{BreakerHandle, Outcome, Settings};
    ///
    /// let files = BreakerHandle::new("files", Settings::default());
    /// let classify = |result: &Result<String, Error>| match result {
    ///     Err(error) if error.kind() == ErrorKind::NotFound => Outcome::ignored(),
    ///     other => Outcome::by_result(other),
    /// };
    /// files.call_with(|| Err(ErrorKind::NotFound.into()), classify).unwrap_err();
    /// assert_eq!(files.snapshot().totals.ignored, 1);
    /// ```
    #[inline]
    pub const fn by_result<T, E>(result: &Result<T, E>) -> Self {
        Self::failure_if(result.is_err())
    }

    /// Creates a failure if `failed` is true, and a success otherwise.
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

    /// Sets the weight of a failure, 1 to 100. Values outside that range are clamped. Default: 1.
    ///
    /// The weight counts in the failure count and on both sides of the failure rate. The streak of consecutive
    /// failures and the minimum number of calls count calls instead. Other classes ignore the weight.
    pub const fn weight(mut self, weight: u8) -> Self {
        self.weight = match weight {
            _ if self.is_rejection() => 0,
            0 => 1,
            1..=Self::MAX_WEIGHT => weight,
            _ => Self::MAX_WEIGHT,
        };
        self
    }

    /// Sets how long the dependency asked callers to wait, such as a `Retry-After`.
    pub const fn retry_after(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }

    /// Like [`retry_after`](Self::retry_after), for an optional wait.
    pub const fn maybe_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.wait = wait;
        self
    }

    /// Sets a short reason, which snapshots, events and logs show as the last error.
    pub const fn reason(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Sets a status code, which snapshots, events and logs show with the last error.
    pub const fn code(mut self, code: u16) -> Self {
        self.code = Some(code);
        self
    }

    /// Returns the class.
    pub const fn class(&self) -> Class {
        self.class
    }

    /// Returns the wait that the dependency asked for.
    pub const fn wait(&self) -> Option<Duration> {
        self.wait
    }

    /// Returns the weight of a failure, 1 to 100. Returns 0 for a rejection.
    pub const fn failure_weight(&self) -> u8 {
        self.weight
    }

    /// Returns `true` if a downstream circuit breaker rejected the call.
    pub const fn is_rejection(&self) -> bool {
        self.weight == 0
    }

    /// Returns `true` if the caller should get another response: after a failure, a throttled or exhausted outcome, and
    /// a rejection.
    pub const fn wants_another(&self) -> bool {
        match self.class {
            Class::Failure | Class::Throttled | Class::Exhausted => true,
            Class::Success | Class::Ignored | Class::Cancelled => self.is_rejection(),
        }
    }

    /// Returns the outcome as a [`LastError`], if the class is failure, throttled or exhausted.
    pub const fn last_error(&self) -> Option<LastError> {
        match self.class {
            Class::Failure | Class::Throttled | Class::Exhausted => {
                Some(LastError { class: self.class, reason: self.reason, code: self.code })
            }
            Class::Success | Class::Ignored | Class::Cancelled => None,
        }
    }

    /// Returns the same outcome under the class that the settings give it.
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

/// The last outcome of class failure, throttled or exhausted that a breaker recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastError {
    /// The class.
    pub class: Class,
    /// The reason, if the classifier gave one.
    pub reason: Option<&'static str>,
    /// The status code, if there was one.
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
    fn only_failed_throttled_and_exhausted_calls_have_a_last_error() {
        assert_eq!(Outcome::success().reason("x").last_error(), None);
        assert_eq!(Outcome::ignored().reason("x").last_error(), None);
        let bad = Outcome::failure().reason("bad gateway").code(502).last_error();
        assert_eq!(bad.map(|bad| bad.to_string()).as_deref(), Some("bad gateway (502)"));
        let bare = Outcome::throttled().last_error();
        assert_eq!(bare.map(|bad| bad.to_string()).as_deref(), Some("throttled"));
    }

    #[test]
    fn a_rejection_is_ignored_by_a_breaker_and_calls_for_another_response() {
        let rejected = Outcome::rejected();
        assert_eq!((rejected.class(), rejected.last_error()), (Class::Ignored, None));
        assert!(rejected.is_rejection() && rejected.wants_another());
        assert!(rejected.weight(3).is_rejection());
        assert_eq!(rejected.weight(3).failure_weight(), 0);
        for outcome in [Outcome::failure(), Outcome::throttled(), Outcome::exhausted()] {
            assert!(outcome.wants_another() && !outcome.is_rejection());
        }
        for outcome in [Outcome::success(), Outcome::ignored(), Outcome::cancelled()] {
            assert!(!outcome.wants_another() && !outcome.is_rejection());
        }
    }

    #[test]
    fn the_rejection_flag_takes_no_space() {
        assert_eq!(size_of::<Outcome>(), 40);
    }
}
