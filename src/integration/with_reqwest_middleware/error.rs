//! Rejections as middleware errors.

use anyhow::anyhow;
use reqwest_middleware::Error;

use crate::{AsRejection, BoxError, BreakerError, CircuitOpen};

/// Converts a rejection, for [`RejectWithInnerError`](crate::rejection::RejectWithInnerError).
// `Error` is transparent: its source is the source of the error inside. The context makes the rejection that source.
impl From<CircuitOpen> for Error {
    fn from(open: CircuitOpen) -> Self {
        let error = anyhow::Error::new(open);
        Self::Middleware(error.context("rejected by the circuit breaker"))
    }
}

impl AsRejection for Error {
    fn as_rejection(&self) -> Option<&CircuitOpen> {
        CircuitOpen::find(self)
    }
}

/// Converts the error of a guarded call to a middleware error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an error that a middleware can return",
    label = "the error of this rejection policy",
    note = "`RejectWithBoxError`, `RejectWithInnerError`, `RejectWithBreakerError`, and the policies that answer with a response all work; a custom policy needs `type Error = reqwest_middleware::Error`"
)]
pub trait IntoMiddlewareError {
    /// Returns the middleware error. An error of the client, or of a middleware inside the breaker, is returned unchanged.
    fn into_error(self) -> Error;
}

impl IntoMiddlewareError for Error {
    fn into_error(self) -> Error {
        self
    }
}

impl IntoMiddlewareError for BoxError {
    fn into_error(self) -> Error {
        self.downcast::<Error>().map(|error| *error).unwrap_or_else(|other| {
            match other.downcast::<CircuitOpen>() {
                Ok(open) => (*open).into(),
                Err(other) => Error::Middleware(anyhow!(other)),
            }
        })
    }
}

impl IntoMiddlewareError for BreakerError<Error> {
    fn into_error(self) -> Error {
        match self {
            Self::Open(open) => open.into(),
            Self::Inner(error) => error,
        }
    }
}
