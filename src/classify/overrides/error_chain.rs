//! Errors whose sources can be searched.

use std::error::Error;
use std::ops::Deref;

use crate::{BoxError, BreakerError};

/// An error whose sources can be searched: every [`std::error::Error`], [`BoxError`] and other pointers to one (such
/// as `anyhow::Error`), and a [`BreakerError`] of `BoxError`.
///
/// `K` names the kind, because a `BoxError` does not implement [`Error`]. The compiler infers it.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the sources of the error `{Self}` cannot be searched",
    label = "is neither a `std::error::Error` nor a `BoxError`",
    note = "an override on causes needs an error that is a `std::error::Error` (and `'static`), or a `BoxError`",
    note = "for any other error: `.ignore_errors(|error: &{Self}| …)`, `.classify_errors(…)`"
)]
pub trait ErrorChain<K> {
    /// Returns the outermost error of the chain.
    fn outermost(&self) -> &(dyn Error + 'static);
}

/// The kind of every [`std::error::Error`].
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Plain {}

/// The kind of a pointer to an error.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Boxed {}

/// The kind of a [`BreakerError`] around a [`BoxError`].
#[doc(hidden)]
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
