//! What a handler's caller is told where its breaker is not known.

use std::error::Error;
use std::fmt;

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;

/// A handler asked for a breaker that its router does not show. Its response is a 500 that says what to add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MissingBreaker {
    /// There is no [`Breakers`](super::Breakers) around the handler.
    NoLayer,
    /// The handler asked for a [`BreakerHandle`](crate::BreakerHandle), and this many breakers are shown, not one.
    NotOne(usize),
}

impl fmt::Display for MissingBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLayer => f.write_str(
                "no breaker is shown to this handler: add `.layer(Breakers::new([breaker.handle()]))` to its router",
            ),
            Self::NotOne(shown) => write!(
                f,
                "{shown} breakers are shown to this handler, which takes one `BreakerHandle`: let it take `Breakers`, \
                 and `.get(name)` from there"
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
