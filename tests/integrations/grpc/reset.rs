//! Bodies that end with a reset of their HTTP/2 stream.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame};
use tower::BoxError;

/// A trailer that asks for a reset in place of the trailers.
pub(crate) const RESET: &str = "x-reset";

/// A body that fails if the inner body ends with [`RESET`]. hyper then resets the stream.
pub(crate) struct Resets(tonic::body::Body);

impl Resets {
    pub(crate) fn response(response: Response<tonic::body::Body>) -> Response<Self> {
        response.map(Self)
    }
}

impl Body for Resets {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(match ready!(Pin::new(&mut self.0).poll_frame(cx)) {
            Some(Ok(frame)) if frame.trailers_ref().is_some_and(|map| map.contains_key(RESET)) => {
                Some(Err("reset as ordered".into()))
            }
            Some(Err(status)) => Some(Err(status.into())),
            Some(Ok(frame)) => Some(Ok(frame)),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }
}
