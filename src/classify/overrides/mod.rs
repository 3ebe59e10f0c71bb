//! Overrides: lines of a [`Config`](crate::Config) that classify some results before its classifier does.
//!
//! Each is a method of [`Config`](crate::Config), and works with every classifier:
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
//! - **Overrides run in the order in which they are written, and the first outcome decides.** If none returns an
//!   outcome, the classifier decides. [`Config::classify`](crate::Config::classify) replaces the classifier and all
//!   overrides before it.
//! - Overrides on errors do not see responses, and overrides on responses do not see errors.
//! - **Overrides do not see the rejection of a downstream breaker.** It stays ignored. Otherwise one open circuit
//!   would open every circuit upstream of it. The exception is an override on causes of the type
//!   [`CircuitOpen`](crate::CircuitOpen), which names rejections explicitly. A rejection is found as
//!   [`ErrorsAsFailures`](super::ErrorsAsFailures) finds it. For overrides on causes it is every `CircuitOpen` in the
//!   chain of sources, and in a response it is the header [`OPEN_HEADER`](super::OPEN_HEADER).
//! - A response that an override classifies is settled with its head. Its body is not classified.
//! - A panic of a closure propagates to the caller. The call counts as ignored.
//! - Overrides do not apply to failures without a result of the call: a body that breaks, a service that does not become
//!   ready.
//! - An override costs one call of its closure, and allocates nothing. For a success, an override on errors only costs
//!   the guard against panics ([`MAY_PANIC`](super::Classify::MAY_PANIC)).

mod error_chain;
mod subject;
#[cfg(test)]
mod tests;

use std::fmt;

use super::{Classified, Classify};
use crate::Outcome;
use crate::breaker::Permit;

#[doc(hidden)]
pub use self::error_chain::{Boxed, ErrorChain, InBreaker, Plain};
#[doc(hidden)]
pub use self::subject::{Action, Decide, Ignore, OfCause, OfError, OfResponse, Only, Override};

/// Classifies some results, and leaves the others to the classifier.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this override does not fit a service with the response `{Res}` and the error `{E}`",
    label = "an override does not fit a service that returns `Result<{Res}, {E}>`",
    note = "an override on errors takes `|error: &{E}|`, the error of the service directly inside the breaker",
    note = "an override on responses takes `|response: &{Res}|`, the response of the service directly inside the breaker",
    note = "to find another error among its sources: `.ignore_caused_by(|cause: &MyError| …)`, `.classify_caused_by(…)`"
)]
pub trait OverrideFor<Res, E> {
    /// Returns what the result means, or `None` if the override does not apply.
    fn outcome(&self, result: Result<&Res, &E>) -> Option<Outcome>;
}

/// A classifier with an override before it. Created by the methods of [`Config`](crate::Config), see the
/// [module docs](self).
///
/// # Clone
///
/// Clones the classifier and the closure.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct WithOverride<C, O> {
    classify: C,
    first: O,
}

impl<C, O> WithOverride<C, O> {
    pub(crate) fn new(classify: C, first: O) -> Self {
        Self { classify, first }
    }
}

impl<Req, Res, E, C, O> Classify<Req, Res, E> for WithOverride<C, O>
where
    C: Classify<Req, Res, E>,
    O: OverrideFor<Res, E>,
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
        info: C::RequestInfo,
        result: Result<Res, E>,
        permit: Permit,
    ) -> Classified<Result<C::Response, E>, C::Deferred> {
        self.classify
            .result_with_override(info, result, permit, |result| self.first.outcome(result))
    }

    #[inline]
    fn dropped(info: C::RequestInfo) -> Option<Outcome> {
        C::dropped(info)
    }

    fn settled(&self, response: Res) -> C::Response {
        self.classify.settled(response)
    }

    fn is_rejection(&self, response: &Res) -> bool {
        self.classify.is_rejection(response)
    }

    /// Runs in the order of the `Config`: the overrides inside `self.classify`, then `self.first`, then the `later` one.
    #[inline]
    fn result_with_override(
        &self,
        info: C::RequestInfo,
        result: Result<Res, E>,
        permit: Permit,
        later: impl Fn(Result<&Res, &E>) -> Option<Outcome>,
    ) -> Classified<Result<C::Response, E>, C::Deferred> {
        self.classify.result_with_override(info, result, permit, |result| {
            self.first.outcome(result).or_else(|| later(result))
        })
    }
}

impl<C: fmt::Debug, O: fmt::Debug> fmt::Debug for WithOverride<C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithOverride")
            .field("classify", &self.classify)
            .field("override", &self.first)
            .finish()
    }
}
