//! The body of a response that comes from the primary or the fallback.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use crate::error::BoxError;

/// The body of a primary's response, or of a fallback's answer.
///
/// Both have the same `Data`, usually `Bytes`. Their errors are boxed and reach the reader unchanged. An error in a body
/// never causes a fallback, because the caller has already read the beginning of the body.
#[pin_project]
#[derive(Clone, Debug)]
pub struct EitherBody<P, A>(#[pin] Source<P, A>);

#[pin_project(project = SourceProj)]
#[derive(Clone, Debug)]
enum Source<P, A> {
    Primary(#[pin] P),
    Answer(#[pin] A),
}

impl<P, A> EitherBody<P, A> {
    /// Wraps the body of a primary's response.
    pub const fn primary(body: P) -> Self {
        Self(Source::Primary(body))
    }

    /// Wraps the body of a fallback's answer.
    pub const fn answer(body: A) -> Self {
        Self(Source::Answer(body))
    }

    /// Returns `true` if the body is that of a fallback's answer.
    pub const fn is_answer(&self) -> bool {
        matches!(self.0, Source::Answer(_))
    }
}

impl<P, A> Body for EitherBody<P, A>
where
    P: Body,
    P::Error: Into<BoxError>,
    A: Body<Data = P::Data>,
    A::Error: Into<BoxError>,
{
    type Data = P::Data;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<P::Data>, BoxError>>> {
        match self.project().0.project() {
            SourceProj::Primary(body) => body.poll_frame(cx).map_err(Into::into),
            SourceProj::Answer(body) => body.poll_frame(cx).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Primary(body) => body.is_end_stream(),
            Source::Answer(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Primary(body) => body.size_hint(),
            Source::Answer(body) => body.size_hint(),
        }
    }
}
