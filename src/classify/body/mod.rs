//! The response body of guarded services.

mod judge;

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

pub use self::judge::{JudgeBody, Seen};

/// The body of a response that came through a breaker.
///
/// It has one parameter, so that guarded stacks of different presets have one response type, and an empty one
/// exists for every `B`: a breaker can answer a call itself although `hyper::body::Incoming` cannot be made.
///
/// Frames, size and end are those of the inner body; an empty one ends at once and has size 0.
#[pin_project]
#[derive(Debug)]
pub struct BreakerBody<B> {
    #[pin]
    inner: Option<B>,
}

impl<B> BreakerBody<B> {
    /// Wraps a body.
    pub const fn new(body: B) -> Self {
        Self { inner: Some(body) }
    }

    /// A body without frames.
    pub const fn empty() -> Self {
        Self { inner: None }
    }

    /// The inner body; `None` if this is an [`empty`](Self::empty) one.
    pub fn into_inner(self) -> Option<B> {
        self.inner
    }
}

impl<B> Default for BreakerBody<B> {
    /// The [`empty`](Self::empty) body.
    fn default() -> Self {
        Self::empty()
    }
}

impl<B> Body for BreakerBody<B>
where
    B: Body,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.project().inner.as_pin_mut() {
            // Returned as it came: taking the frame out and wrapping it again copies some 100 bytes.
            Some(inner) => inner.poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::FutureExt;
    use http::HeaderMap;
    use http_body_util::{BodyExt, Full, StreamBody};

    use super::*;

    /// Has neither `Default` nor anything else.
    struct Bare;

    #[test]
    fn an_empty_body_exists_for_every_type() {
        assert!(BreakerBody::<Bare>::default().into_inner().is_none());
        assert!(BreakerBody::new(Bare).into_inner().is_some());
    }

    #[test]
    fn an_empty_body_ends_at_once_and_has_size_zero() {
        let mut body = BreakerBody::<Full<Bytes>>::empty();
        assert!(body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(0));
        assert!(body.frame().now_or_never().unwrap().is_none());
    }

    #[test]
    fn size_and_end_are_those_of_the_inner_body() {
        let mut body = BreakerBody::new(Full::new(Bytes::from_static(b"four")));
        assert_eq!(body.size_hint().exact(), Some(4));
        assert!(!body.is_end_stream());
        let frame = body.frame().now_or_never().unwrap().unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), "four");
        assert!(body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(0));
    }

    #[test]
    fn data_trailers_and_errors_pass_untouched() {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", http::HeaderValue::from_static("14"));
        let frames = [
            Ok(Frame::data(Bytes::from_static(b"a"))),
            Ok(Frame::trailers(trailers.clone())),
            Err("reset"),
        ];
        let mut body = BreakerBody::new(StreamBody::new(futures_util::stream::iter(frames)));
        let mut next = || body.frame().now_or_never().unwrap();
        assert_eq!(next().unwrap().unwrap().into_data().unwrap(), "a");
        assert_eq!(next().unwrap().unwrap().into_trailers().unwrap(), trailers);
        assert_eq!(next().unwrap().unwrap_err(), "reset");
        assert!(next().is_none());
    }

    #[test]
    fn an_unpin_body_stays_unpin() {
        fn unpin<T: Unpin + Send + Sync>(_: &T) {}
        unpin(&BreakerBody::new(http_body_util::Empty::<Bytes>::new()));
    }
}
