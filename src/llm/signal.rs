//! The signals by which providers report conditions.

/// The meaning of a signal for a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The provider asks for fewer calls. A short wait helps.
    Throttled,
    /// A quota, a budget or the credit is used up. A short wait does not help.
    Exhausted,
    /// The provider failed.
    Failed,
    /// The request is wrong. The provider responded, so it is healthy.
    CallersFault,
    /// The credential is refused: the caller's fault, and that of every caller who shares the credential.
    Credential,
    /// No evidence about the health of the provider.
    Neutral,
}

/// The HTTP statuses that a signal applies to. Inside a 200, the status is the one that the error repeats, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StatusRange {
    /// Any status, or none.
    Any,
    /// From the first to the second, both included.
    Between(u16, u16),
    /// A 4xx that blames the request, or no status. A body that blames the request does not override a 402, 408, 409,
    /// 425, 429, 498 or 5xx.
    Blame,
}

impl StatusRange {
    pub(super) const fn only(status: u16) -> Self {
        Self::Between(status, status)
    }

    pub(super) const fn contains(self, status: Option<u16>) -> bool {
        match (self, status) {
            (Self::Any, _) | (Self::Blame, None) => true,
            (Self::Between(..), None) => false,
            (Self::Between(from, to), Some(status)) => from <= status && status <= to,
            (Self::Blame, Some(402 | 408 | 409 | 425 | 429 | 498)) => false,
            (Self::Blame, Some(status)) => 400 <= status && status <= 499,
        }
    }
}

/// The part of an error that a signal matches, ignoring ASCII case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matcher {
    /// The beginning of the message. Decides before names.
    ///
    /// An error with status 400, 404 or 422 may repeat the caller's text. Only the beginning of such a message is
    /// trusted, because otherwise a prompt could open the circuit.
    MessageStart(&'static str),
    /// Text anywhere in the message. Decides before names.
    MessagePart(&'static str),
    /// Text anywhere in the id of a violated quota. Decides before names.
    QuotaPart(&'static str),
    /// A `code`. If no code is known: a `type`, a `status` or the name of an exception.
    Name(&'static str),
    /// The status alone, if no name is known.
    Status,
    /// The beginning of the message of an error that has neither a known name nor a status. Decides last.
    ///
    /// Inside a 200, such a text may quote generated output (Ollama: "error parsing tool call: raw=…"), so only its
    /// beginning is trusted.
    BareMessageStart(&'static str),
}

/// One signal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signal {
    pub(super) statuses: StatusRange,
    pub(super) matcher: Matcher,
    pub(super) meaning: Meaning,
    pub(super) reason: &'static str,
    /// The documentation or the report that the signal comes from.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the test that writes signals.md"))]
    pub(super) source: &'static str,
}

/// The signals of one error format, in the order in which their groups decide.
///
/// The `const` functions below build the rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signals {
    /// Messages and quotas. They decide before names, because the names beside them are less precise or misleading.
    pub(super) texts: &'static [Signal],
    /// Names for quotas, budgets and credit.
    pub(super) quotas: &'static [Signal],
    /// Names for rate limits.
    pub(super) rates: &'static [Signal],
    /// Names for failures of the provider.
    pub(super) failures: &'static [Signal],
    /// Names for refused credentials.
    pub(super) credentials: &'static [Signal],
    /// Names for wrong requests.
    pub(super) requests: &'static [Signal],
    /// Names of conditions that are no evidence about the health of the provider.
    pub(super) neutral: &'static [Signal],
    /// HTTP statuses.
    pub(super) statuses: &'static [Signal],
    /// Messages of errors inside a 200 that have neither a name nor a status.
    pub(super) bare_texts: &'static [Signal],
}

impl Signals {
    pub(super) const GROUPS: usize = 9;

    pub(super) const NONE: Self = Self {
        texts: &[],
        quotas: &[],
        rates: &[],
        failures: &[],
        credentials: &[],
        requests: &[],
        neutral: &[],
        statuses: &[],
        bare_texts: &[],
    };

    pub(super) const fn groups(&self) -> [&'static [Signal]; Self::GROUPS] {
        let Self { texts, quotas, rates, failures, .. } = *self;
        let Self { credentials, requests, neutral, statuses, bare_texts, .. } = *self;
        [texts, quotas, rates, failures, credentials, requests, neutral, statuses, bare_texts]
    }
}

/// A message that begins with `text`.
pub(super) const fn starts(
    statuses: StatusRange,
    text: &'static str,
    meaning: Meaning,
    reason: &'static str,
    source: &'static str,
) -> Signal {
    Signal { statuses, matcher: Matcher::MessageStart(text), meaning, reason, source }
}

/// A message that contains `text`.
pub(super) const fn contains(
    statuses: StatusRange,
    text: &'static str,
    meaning: Meaning,
    reason: &'static str,
    source: &'static str,
) -> Signal {
    Signal { statuses, matcher: Matcher::MessagePart(text), meaning, reason, source }
}

/// A name with any status, which is also the reason.
pub(super) const fn name(meaning: Meaning, name: &'static str, source: &'static str) -> Signal {
    named(StatusRange::Any, name, meaning, name, source)
}

/// A name that blames the request, which is also the reason.
pub(super) const fn blame(meaning: Meaning, name: &'static str, source: &'static str) -> Signal {
    named(StatusRange::Blame, name, meaning, name, source)
}

/// A name with another reason.
pub(super) const fn named(
    statuses: StatusRange,
    name: &'static str,
    meaning: Meaning,
    reason: &'static str,
    source: &'static str,
) -> Signal {
    Signal { statuses, matcher: Matcher::Name(name), meaning, reason, source }
}

/// A status, with any body.
pub(super) const fn status(
    status: u16,
    meaning: Meaning,
    reason: &'static str,
    source: &'static str,
) -> Signal {
    statuses(status, status, meaning, reason, source)
}

/// The statuses from `from` to `to`, with any body.
pub(super) const fn statuses(
    from: u16,
    to: u16,
    meaning: Meaning,
    reason: &'static str,
    source: &'static str,
) -> Signal {
    let statuses = StatusRange::Between(from, to);
    Signal { statuses, matcher: Matcher::Status, meaning, reason, source }
}

#[cfg(test)]
mod tests {
    use super::StatusRange::Blame;

    #[test]
    fn blame_yields_to_a_status_that_does_not_blame_the_request() {
        for status in [400, 401, 403, 404, 413, 422, 424, 499] {
            assert!(Blame.contains(Some(status)), "{status}");
        }
        for status in [200, 302, 402, 408, 409, 425, 429, 498, 500, 503, 529] {
            assert!(!Blame.contains(Some(status)), "{status}");
        }
        assert!(Blame.contains(None));
    }
}
