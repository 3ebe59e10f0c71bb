//! Rejections in error types of other crates.
//!
//! This is the only file below the integrations that names such types. Each is behind the feature that enables its
//! crate.

use std::any::Any;
use std::convert::Infallible;
use std::io;

use crate::error::{AsRejection, BoxError, BreakerError, CircuitOpen};

impl<E: 'static> AsRejection for BreakerError<E> {
    fn as_rejection(&self) -> Option<&CircuitOpen> {
        match self {
            Self::Open(open) => Some(open),
            // A rejection by a downstream breaker.
            Self::Inner(error) => rejection_in(error),
        }
    }
}

/// Finds the rejection in an error of any type that this crate recognises: a [`CircuitOpen`], a [`BoxError`], an
/// [`io::Error`], an error of a supported client, or a [`BreakerError`] of `BoxError` or `Infallible`.
pub(crate) fn rejection_in<E: 'static>(error: &E) -> Option<&CircuitOpen> {
    let error: &dyn Any = error;
    if let Some(boxed) = error.downcast_ref::<BoxError>() {
        return CircuitOpen::find(&**boxed);
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return CircuitOpen::find(error);
    }
    #[cfg(feature = "reqwest-middleware")]
    if let Some(error) = error.downcast_ref::<reqwest_middleware::Error>() {
        return CircuitOpen::find(error);
    }
    #[cfg(feature = "reqwest")]
    if let Some(error) = error.downcast_ref::<reqwest::Error>() {
        return CircuitOpen::find(error);
    }
    match error.downcast_ref::<BreakerError<BoxError>>() {
        Some(BreakerError::Open(open)) => Some(open),
        Some(BreakerError::Inner(boxed)) => CircuitOpen::find(&**boxed),
        None => match error.downcast_ref::<BreakerError<Infallible>>() {
            Some(BreakerError::Open(open)) => Some(open),
            _ => error.downcast_ref::<CircuitOpen>(),
        },
    }
}
