//! A body that is the primary's or the fallback's.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use crate::error::BoxError;

/// The body of a primary's response, or that of a fallback's answer.
///
/// Both have the same `Data` (`Bytes`, as a rule). Their errors are boxed, and reach the reader as they are: an error
/// in a body never falls back, as its beginning has been read by then.
#[pin_project]
#[derive(Clone, Debug)]
pub struct EitherBody<P, A>(#[pin] Side<P, A>);

#[pin_project(project = SideProj)]
#[derive(Clone, Debug)]
enum Side<P, A> {
    Primary(#[pin] P),
    Answer(#[pin] A),
}

impl<P, A> EitherBody<P, A> {
    /// The body of a primary's response.
    pub const fn primary(body: P) -> Self {
        Self(Side::Primary(body))
    }

    /// The body of a fallback's answer.
    pub const fn answer(body: A) -> Self {
        Self(Side::Answer(body))
    }

    /// Whether it is the fallback's.
    pub const fn is_answer(&self) -> bool {
        matches!(self.0, Side::Answer(_))
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
            SideProj::Primary(body) => body.poll_frame(cx).map_err(Into::into),
            SideProj::Answer(body) => body.poll_frame(cx).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Side::Primary(body) => body.is_end_stream(),
            Side::Answer(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Side::Primary(body) => body.size_hint(),
            Side::Answer(body) => body.size_hint(),
        }
    }
}
