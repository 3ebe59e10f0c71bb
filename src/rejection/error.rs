//! Rejections as errors.

use super::OnRejected;
use super::answer::{Answer, RejectionFuture};
use crate::{BoxError, BreakerError, CircuitOpen};

/// Fails with a [`BoxError`] that holds the [`CircuitOpen`], as tower's own middlewares do.
///
/// An inner error that is already a `BoxError` is not boxed again. [`CircuitOpen::find`] distinguishes rejections from
/// other errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RejectWithBoxError;

impl<Req, Res, E> OnRejected<Req, Res, E> for RejectWithBoxError
where
    E: Into<BoxError>,
{
    type Error = BoxError;
    type Future = RejectionFuture<Self, Result<Res, BoxError>>;

    #[inline]
    fn rejected(&self, _: Req, open: CircuitOpen) -> Self::Future {
        RejectionFuture::new(open)
    }

    #[inline]
    fn error(&self, error: E) -> BoxError {
        error.into()
    }
}

impl<Res> Answer<Result<Res, BoxError>> for RejectWithBoxError {
    fn answer(open: CircuitOpen) -> Result<Res, BoxError> {
        Err(open.into())
    }
}

/// Fails with a [`BreakerError`]. It allocates nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RejectWithBreakerError;

impl<Req, Res, E> OnRejected<Req, Res, E> for RejectWithBreakerError {
    type Error = BreakerError<E>;
    type Future = RejectionFuture<Self, Result<Res, BreakerError<E>>>;

    #[inline]
    fn rejected(&self, _: Req, open: CircuitOpen) -> Self::Future {
        RejectionFuture::new(open)
    }

    #[inline]
    fn error(&self, error: E) -> BreakerError<E> {
        BreakerError::Inner(error)
    }
}

impl<Res, E> Answer<Result<Res, BreakerError<E>>> for RejectWithBreakerError {
    #[inline]
    fn answer(open: CircuitOpen) -> Result<Res, BreakerError<E>> {
        Err(BreakerError::Open(open))
    }
}

/// Fails with the inner error type, which implements `From<CircuitOpen>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RejectWithInnerError;

impl<Req, Res, E> OnRejected<Req, Res, E> for RejectWithInnerError
where
    E: From<CircuitOpen>,
{
    type Error = E;
    type Future = RejectionFuture<Self, Result<Res, E>>;

    #[inline]
    fn rejected(&self, _: Req, open: CircuitOpen) -> Self::Future {
        RejectionFuture::new(open)
    }

    #[inline]
    fn error(&self, error: E) -> E {
        error
    }
}

impl<Res, E: From<CircuitOpen>> Answer<Result<Res, E>> for RejectWithInnerError {
    #[inline]
    fn answer(open: CircuitOpen) -> Result<Res, E> {
        Err(open.into())
    }
}
