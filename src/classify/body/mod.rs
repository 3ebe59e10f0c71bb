//! The response body of guarded services.
//!
//! Four modules classify HTTP responses. Each imports only from those below it:
//!
//! ```text
//! to_outcome   responses without a permit
//! grpc         heads and trailers of gRPC
//! http         heads, headers and overridden codes of HTTP
//! body         the permit inside a response body, with a `ClassifyBody` or `ClassifyTrailers`
//! ```

mod body_permit;
mod classifier;
mod classify_body;
mod read_ahead;
mod reading;
pub(crate) mod settle;
#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use self::body_permit::{BodyPermit, PolledFrame};
pub(crate) use self::classifier::{BodyClassifier, ClassifyTrailers, Shared};
pub use self::classify_body::{BodyProgress, ClassifyBody, SettleAt};
use self::read_ahead::ReadAhead;
pub use self::reading::{Reading, Until};
use crate::breaker::Permit;

/// The body of a response that came through a breaker.
///
/// It has a single type parameter, so that guarded stacks with different presets have the same response type. An empty
/// body exists for every `B`. A breaker can therefore answer a call itself, although a `hyper::body::Incoming` cannot be
/// constructed.
///
/// Frames, size and end are those of the inner body. An empty body ends at once and has size 0.
///
/// # The end of the call
///
/// If the head of the response did not settle the call, the body holds the permit and settles it once:
///
/// | the body | the call |
/// |---|---|
/// | ends, or yields a frame that is known to be the last | the outcome of its end: a success for HTTP |
/// | yields trailers | the outcome of its trailers |
/// | yields an error | a failure |
/// | panics | a failure; the panic propagates |
/// | is dropped before its first content | cancelled; a failure if it was polled and `cancelled_after` or the deadline of a gRPC request has passed |
/// | is dropped after its first content | a success: a reader may stop early |
///
/// The time of the call, for the rules of slow and overdue calls, ends with the first content. A probe succeeds there,
/// and its body keeps the body tail: see [`Permit::response_started`].
#[pin_project]
pub struct BreakerBody<B: Body> {
    /// `None` for an empty body.
    #[pin]
    inner: Option<B>,
    state: State<B>,
}

enum State<B: Body> {
    /// The call is settled. Frames pass through.
    Settled,
    /// The call is settled by what the body yields.
    Pending(BodyPermit),
    /// The beginning of the body was read ahead and is yielded first.
    ReadAhead(Box<ReadAhead<B>>),
}

impl<B: Body> BreakerBody<B> {
    /// Returns the body of a settled call.
    pub const fn new(body: B) -> Self {
        Self { inner: Some(body), state: State::Settled }
    }

    /// Returns a body without frames.
    pub const fn empty() -> Self {
        Self { inner: None, state: State::Settled }
    }

    /// Returns a body that settles its call: as a success if it ends, as a failure if it breaks. If `body` has ended
    /// already, the call is settled here.
    pub fn guarded(body: B, permit: Permit) -> Self {
        Self::with_permit(body, BodyPermit::new(permit, BodyClassifier::Plain, false))
    }

    /// Returns a body that settles its call with the outcome of `classifier`. If `body` has ended already, the call is
    /// settled here.
    pub fn classified(body: B, permit: Permit, classifier: Box<dyn ClassifyBody>) -> Self {
        Self::with_permit(body, BodyPermit::new(permit, classifier.into(), false))
    }

    fn with_permit(body: B, mut permit: BodyPermit) -> Self {
        if body.is_end_stream() {
            permit.settle_at_end();
            return Self::new(body);
        }
        Self { inner: Some(body), state: State::Pending(permit) }
    }

    /// Returns the inner body, or `None` for an empty body. Does not settle the call.
    ///
    /// # Errors
    ///
    /// Returns the same body if the call is not settled, or if the beginning of the body was read ahead.
    pub(crate) fn into_settled(self) -> Result<Option<B>, Self> {
        match self {
            Self { inner, state: State::Settled } => Ok(inner),
            body => Err(body),
        }
    }

    /// Returns the inner body, if no part of it was read ahead.
    ///
    /// Settles a pending call, because the rest of the body will not be observed. The outcome is that of a body that is
    /// dropped here, or a success if that would be cancelled.
    ///
    /// # Errors
    ///
    /// Returns the same body if it is [`empty`](Self::empty), or if its beginning was read ahead.
    pub fn into_inner(self) -> Result<B, Self> {
        match self.into_settled() {
            Ok(Some(body)) => Ok(body),
            Ok(None) => Err(Self::empty()),
            Err(Self { inner: Some(body), state: State::Pending(permit) }) => {
                permit.detach();
                Ok(body)
            }
            Err(body) => Err(body),
        }
    }
}

impl<B: Body> Default for BreakerBody<B> {
    /// Returns the [`empty`](Self::empty) body.
    fn default() -> Self {
        Self::empty()
    }
}

impl<B: Body> Body for BreakerBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        match this.state {
            State::Settled => inner.poll_frame(cx),
            State::Pending(_) => poll_pending(inner, this.state, cx),
            State::ReadAhead(ahead) => match ahead.frames.pop_front() {
                Some(frame) => {
                    if ahead.frames.is_empty() {
                        let permit = ahead.permit.take();
                        if ahead.ended {
                            this.inner.set(None);
                        }
                        *this.state = permit.map_or(State::Settled, State::Pending);
                    }
                    Poll::Ready(Some(frame))
                }
                None => Poll::Ready(None),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::ReadAhead(ahead) => ahead.is_end_stream(self.inner.as_ref()),
            _ => self.inner.as_ref().is_none_or(Body::is_end_stream),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.state, &self.inner) {
            (State::ReadAhead(ahead), inner) => ahead.size_hint(inner.as_ref()),
            (_, Some(inner)) => inner.size_hint(),
            (_, None) => SizeHint::with_exact(0),
        }
    }
}

/// Polls the body of a call that is not settled.
// The frame is returned in place. Taking it out and wrapping it again would copy about 100 bytes more.
#[inline]
fn poll_pending<B: Body>(
    mut inner: Pin<&mut B>,
    state: &mut State<B>,
    cx: &mut Context<'_>,
) -> PolledFrame<B> {
    if let State::Pending(permit) = state {
        permit.before_poll();
    }
    let polled = inner.as_mut().poll_frame(cx);
    if let State::Pending(permit) = state
        && permit.after_poll(&*inner, &polled)
    {
        classify(state, &*inner, &polled);
    }
    polled
}

/// Settles the call, if the frame decides its outcome.
#[inline(never)]
fn classify<B: Body>(state: &mut State<B>, inner: &B, polled: &PolledFrame<B>) {
    if let State::Pending(permit) = state
        && let Some(outcome) = permit.classify(inner, polled)
    {
        permit.settle(outcome);
        *state = State::Settled;
    }
}

impl<B: Body + fmt::Debug> fmt::Debug for BreakerBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = match self.state {
            State::Settled => "settled",
            State::Pending(_) => "pending",
            State::ReadAhead(_) => "read ahead",
        };
        f.debug_struct("BreakerBody").field("inner", &self.inner).field("call", &call).finish()
    }
}
