//! What a signal is, and which one an error gives.

use super::table::TABLE;
use super::{ErrorBody, Provider};

/// What a signal means for a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Fewer calls, please: waiting a moment helps.
    Throttled,
    /// A quota, a budget or the credit is used up: waiting a moment does not help.
    Exhausted,
    /// The provider did not do its work.
    Failed,
    /// The request was wrong; the provider answered, and is well.
    CallersFault,
    /// The caller's fault too, by what it signs its calls with: whoever shares the credential has the same fault.
    Credential,
    /// Says nothing about the provider.
    Neutral,
}

/// A set of providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Who(u32);

impl Who {
    pub(super) const ANY: Self = Self(u32::MAX);

    pub(super) const fn of(providers: &[Provider]) -> Self {
        let (mut bits, mut rest) = (0, providers);
        while let [first, more @ ..] = rest {
            bits |= 1 << *first as u32;
            rest = more;
        }
        Self(bits)
    }

    pub(super) const fn has(self, provider: Provider) -> bool {
        self.0 & 1 << provider as u32 != 0
    }
}

/// Which HTTP statuses a signal counts with. Inside of a 200 the status is the one that the error repeats, if it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// Every status, and none.
    Any,
    /// These, from and to.
    Status(u16, u16),
    /// A 4xx that blames the request, or none: what a body says of the request does not outvote a 402, 408, 409, 425,
    /// 429, 498 or a 5xx.
    Blame,
}

impl On {
    pub(super) const fn is(self, status: Option<u16>) -> bool {
        match (self, status) {
            (Self::Any, _) | (Self::Blame, None) => true,
            (Self::Status(..), None) => false,
            (Self::Status(from, to), Some(status)) => from <= status && status <= to,
            (Self::Blame, Some(402 | 408 | 409 | 425 | 429 | 498)) => false,
            (Self::Blame, Some(status)) => 400 <= status && status <= 499,
        }
    }
}

/// What is looked for. ASCII upper and lower case are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The message begins with this. Decides before names do.
    ///
    /// Where an error may repeat what the caller wrote (400, 404, 422) only a beginning is trusted: else a prompt could
    /// open the circuit.
    Begins(&'static str),
    /// The message has this in it. Decides before names do.
    Says(&'static str),
    /// The id of a violated quota has this in it. Decides before names do.
    Quota(&'static str),
    /// A `code` is this, or, where no code is known, a `type`, a `status` or the name of an exception.
    Name(&'static str),
    /// Nothing: by the status alone, where no name is known.
    Status,
    /// The message begins with this; asked last, of errors without a name and without a status. Only a beginning, since
    /// inside of a 200 such a text may quote what was generated (Ollama: "error parsing tool call: raw=…").
    Hints(&'static str),
}

/// One signal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signal {
    pub(super) who: Who,
    pub(super) on: On,
    pub(super) what: What,
    pub(super) meaning: Meaning,
    pub(super) reason: &'static str,
    /// After which documentation or report.
    #[cfg_attr(not(test), expect(dead_code, reason = "the documented table is written by a test"))]
    pub(super) source: &'static str,
}

/// The signal that an error gives: by its text where that decides, then by its names, its status, and its text.
pub(super) fn find(
    provider: Provider,
    status: Option<u16>,
    error: &ErrorBody,
) -> Option<&'static Signal> {
    let first = |fits: &dyn Fn(What) -> bool| {
        TABLE.iter().find(|it| it.who.has(provider) && it.on.is(status) && fits(it.what))
    };
    let message = error.message.to_ascii_lowercase();
    let decisive = |what| match what {
        What::Begins(text) => message.starts_with(text),
        What::Says(text) => message.contains(text),
        What::Quota(text) => {
            error.quotas.iter().any(|quota| quota.to_ascii_lowercase().contains(text))
        }
        _ => false,
    };
    let named = |what, names: &[String]| match what {
        What::Name(name) => names.iter().any(|known| known.eq_ignore_ascii_case(name)),
        _ => false,
    };
    first(&decisive)
        .or_else(|| first(&|what| named(what, &error.codes)))
        .or_else(|| first(&|what| named(what, &error.types)))
        .or_else(|| first(&|what| what == What::Status))
        .or_else(|| match status {
            None => first(&|what| matches!(what, What::Hints(text) if message.starts_with(text))),
            Some(_) => None,
        })
}
