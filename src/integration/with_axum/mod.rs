//! Breakers in the handlers of axum, and rejections as its responses.

mod breakers;
mod missing;

use axum_core::response::{IntoResponse, Response};

pub use self::breakers::{Breakers, WithBreakers};
pub use self::missing::MissingBreaker;
use crate::error::{BreakerError, CircuitOpen};
use crate::rejection::RejectWithHttp;

/// 503, as [`RejectWithHttp`] answers: with `Retry-After`, where the wait is known, and `x-circuit-open`.
impl IntoResponse for CircuitOpen {
    fn into_response(self) -> Response {
        RejectWithHttp::response(&self)
    }
}

/// A rejection as [`CircuitOpen`] answers, the inner error as itself.
impl<E> IntoResponse for BreakerError<E>
where
    E: IntoResponse,
{
    fn into_response(self) -> Response {
        match self {
            Self::Open(open) => open.into_response(),
            Self::Inner(error) => error.into_response(),
        }
    }
}
