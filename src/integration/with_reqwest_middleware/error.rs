//! Rejections as errors of a middleware.

use anyhow::anyhow;
use reqwest_middleware::Error;

use crate::{AsRejection, BoxError, BreakerError, CircuitOpen};

/// What [`RejectWithInnerError`](crate::rejection::RejectWithInnerError) gives.
// `Error` is transparent: its source is that of what is in it. With a context around it, the rejection is a source.
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

/// The error of a guarded call as one of a middleware.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no error that a middleware can return",
    label = "the error of this rejection policy",
    note = "`RejectWithBoxError`, `RejectWithInnerError`, `RejectWithBreakerError`, and the policies that answer all fit; a policy of your own: `type Error = reqwest_middleware::Error`"
)]
pub trait IntoMiddlewareError {
    /// That error. One that came from the client, or from a middleware behind the breaker, is the same as it was.
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
