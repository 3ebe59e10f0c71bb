//! The error of a handler whose breaker is missing.

use std::error::Error;
use std::fmt;

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;

/// The error of a handler that extracts a breaker which its router does not provide.
///
/// Its response is a 500 whose body names the fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MissingBreaker {
    /// The router has no [`Breakers`](super::Breakers) layer around the handler.
    NoLayer,
    /// The handler extracts one [`BreakerHandle`](crate::BreakerHandle), but the layer holds this number of breakers.
    NotOne(usize),
}

impl fmt::Display for MissingBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLayer => f.write_str(
                "this handler extracts a breaker, but its router has none: add `.layer(Breakers::new([breaker.handle()]))`",
            ),
            Self::NotOne(count) => write!(
                f,
                "{count} breakers are available to this handler, which extracts one `BreakerHandle`: extract `Breakers` and \
                 use `.get(name)`"
            ),
        }
    }
}

impl Error for MissingBreaker {}

impl IntoResponse for MissingBreaker {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
    }
}
