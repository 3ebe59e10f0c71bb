//! axum: breakers as extractors, and rejections as responses.

mod breakers;
mod missing;

use axum_core::response::{IntoResponse, Response};

pub use self::breakers::{Breakers, WithBreakers};
pub use self::missing::MissingBreaker;
use crate::error::{BreakerError, CircuitOpen};
use crate::rejection::RejectWithHttp;

/// Converts to the 503 of [`RejectWithHttp`], with `x-circuit-open`, and with `Retry-After` if the wait is known.
impl IntoResponse for CircuitOpen {
    fn into_response(self) -> Response {
        RejectWithHttp::response(&self)
    }
}

/// Converts a rejection as [`CircuitOpen`] does, and the inner error as its own type does.
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
