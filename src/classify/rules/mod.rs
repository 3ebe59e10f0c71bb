//! Rules of one line that go before a classifier.
//!
//! Each is a method of [`Config`](crate::Config), on top of whatever classifier it has:
//!
//! ```
//! use std::io::{self, ErrorKind};
//! use tower_breaker::{Config, Outcome};
//!
//! let config = Config::default()
//!     .ignore_errors(|error: &io::Error| error.kind() == ErrorKind::NotFound)
//!     .classify_errors(|error: &io::Error| {
//!         (error.kind() == ErrorKind::TimedOut).then(|| Outcome::failure().weight(3))
//!     });
//! # let _ = config;
//! ```
//!
//! - **From the top down, and the first that says something decides.** What none of them says anything about goes to the
//!   classifier. [`Config::classify`](crate::Config::classify) replaces that, and the rules with it.
//! - Rules on errors see no response, and rules on responses no error.
//! - **A rejection of a breaker further down is shown to no rule** and stays ignored, or one open circuit would open every
//!   circuit above it. A rule on causes of the type [`CircuitOpen`](crate::CircuitOpen) is the exception: it asks for them
//!   by name. (What is found is what [`ErrorsAsFailures`](super::ErrorsAsFailures) finds, and for rules on causes every `CircuitOpen` in
//!   the chain of sources; in a response, [`OPEN_HEADER`](super::OPEN_HEADER).)
//! - A response that a rule settles is settled with its head: nothing is asked of its body.
//! - A panic of a closure goes on to the caller; the call counts as ignored.
//! - What fails without a `Result` of the call is no matter of a rule: a body that breaks, a service that does not get
//!   ready.
//! - They cost what the closures cost, and nothing is allocated. A rule on errors costs a success no more than to be
//!   ready for a panic ([`MAY_PANIC`](super::Classify::MAY_PANIC)).

mod cause;
mod rule;
#[cfg(test)]
mod tests;

use std::fmt;

use super::{Classified, Classify};
use crate::Outcome;
use crate::breaker::Permit;

pub use self::cause::{Boxed, ErrorChain, InBreaker, Plain};
pub use self::rule::{Ask, Decide, Ignore, OfCause, OfError, OfResponse, Only, Rule};

/// Says what some results mean, and nothing about the others.
#[diagnostic::on_unimplemented(
    message = "this rule is not for a service with the response `{Res}` and the error `{E}`",
    label = "`{Self}` does not fit a service that returns `Result<{Res}, {E}>`",
    note = "a rule on errors takes `|error: &{E}|`, the error of the service right below the breaker",
    note = "a rule on responses takes `|response: &{Res}|`, the response of the service right below the breaker",
    note = "to look for another error among its sources: `.ignore_caused_by(|cause: &MyError| …)`, `.classify_caused_by(…)`"
)]
pub trait RuleFor<Res, E> {
    /// What the result means; `None` where this is no matter of the rule.
    fn outcome(&self, result: Result<&Res, &E>) -> Option<Outcome>;
}

/// A classifier with a rule before it. Built by the methods of [`Config`](crate::Config), see the
/// [module docs](self).
///
/// # Clone
///
/// As that of the classifier and of the closure.
#[derive(Clone, Copy)]
pub struct Ruled<C, F> {
    classify: C,
    rule: F,
}

impl<C, F> Ruled<C, F> {
    pub(crate) fn new(classify: C, rule: F) -> Self {
        Self { classify, rule }
    }
}

impl<Req, Res, E, C, F> Classify<Req, Res, E> for Ruled<C, F>
where
    C: Classify<Req, Res, E>,
    F: RuleFor<Res, E>,
{
    type RequestInfo = C::RequestInfo;
    type Response = C::Response;
    type Deferred = C::Deferred;

    #[inline]
    fn request(&self, request: &Req) -> C::RequestInfo {
        self.classify.request(request)
    }

    #[inline]
    fn result(
        &self,
        token: C::RequestInfo,
        result: Result<Res, E>,
        permit: Permit,
    ) -> Classified<Result<C::Response, E>, C::Deferred> {
        self.classify.result_unless(token, result, permit, |result| self.rule.outcome(result))
    }

    #[inline]
    fn dropped(token: C::RequestInfo) -> Option<Outcome> {
        C::dropped(token)
    }

    fn settled(&self, response: Res) -> C::Response {
        self.classify.settled(response)
    }

    fn is_rejection(&self, response: &Res) -> bool {
        self.classify.is_rejection(response)
    }

    /// Rules of the classifier are older than this one, and this one is older than `rule`.
    #[inline]
    fn result_unless(
        &self,
        token: C::RequestInfo,
        result: Result<Res, E>,
        permit: Permit,
        rule: impl Fn(Result<&Res, &E>) -> Option<Outcome>,
    ) -> Classified<Result<C::Response, E>, C::Deferred> {
        self.classify.result_unless(token, result, permit, |result| {
            self.rule.outcome(result).or_else(|| rule(result))
        })
    }
}

impl<C: fmt::Debug, F: fmt::Debug> fmt::Debug for Ruled<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ruled").field("classify", &self.classify).field("rule", &self.rule).finish()
    }
}
