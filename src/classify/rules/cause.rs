//! Errors that can be looked into.

use std::error::Error;
use std::ops::Deref;

use crate::{BoxError, BreakerError};

/// An error that can be looked into: every [`std::error::Error`], [`BoxError`] and what else is a pointer to one (such
/// as `anyhow::Error`), and a [`BreakerError`] of `BoxError`.
///
/// `K` says which of these it is, for a `BoxError` is no [`Error`] itself. The compiler infers it.
#[diagnostic::on_unimplemented(
    message = "nobody knows the sources of the error `{Self}`",
    label = "cannot be looked into",
    note = "a rule on causes takes an error that is a `std::error::Error` (and `'static`), or a `BoxError`",
    note = "for any other: `.ignore_errors(|error: &{Self}| …)`, `.classify_errors(…)`"
)]
pub trait ErrorChain<K> {
    /// The outermost error of the chain.
    fn outermost(&self) -> &(dyn Error + 'static);
}

/// The kind of every [`std::error::Error`].
#[derive(Clone, Copy, Debug)]
pub enum Plain {}

/// The kind of what points to an error.
#[derive(Clone, Copy, Debug)]
pub enum Boxed {}

/// The kind of a [`BreakerError`] around a [`BoxError`].
#[derive(Clone, Copy, Debug)]
pub enum InBreaker {}

impl<E: Error + 'static> ErrorChain<Plain> for E {
    fn outermost(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl<E> ErrorChain<Boxed> for E
where
    E: Deref<Target = dyn Error + Send + Sync + 'static>,
{
    fn outermost(&self) -> &(dyn Error + 'static) {
        &**self
    }
}

impl ErrorChain<InBreaker> for BreakerError<BoxError> {
    fn outermost(&self) -> &(dyn Error + 'static) {
        match self {
            Self::Open(open) => open,
            Self::Inner(error) => &**error,
        }
    }
}
