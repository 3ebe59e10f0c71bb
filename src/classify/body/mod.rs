//! The response body of guarded services.

mod ahead;
mod body_permit;
mod classify_body;
mod reading;
pub(crate) mod settle;
#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use self::ahead::Ahead;
pub(crate) use self::body_permit::BodyClassifier;
pub(super) use self::body_permit::BodyPermit;
use self::body_permit::Polled;
pub use self::classify_body::{BodyProgress, ClassifyBody, SettleAt};
pub use self::reading::{Reading, Until};
use crate::breaker::Permit;

/// The body of a response that came through a breaker.
///
/// It has one parameter, so that guarded stacks of different presets have one response type, and an empty one
/// exists for every `B`: a breaker can answer a call itself although `hyper::body::Incoming` cannot be made.
///
/// Frames, size and end are those of the inner body; an empty one ends at once and has size 0.
///
/// # The end of the call
///
/// If the head of the response did not settle the call, the permit is in here, and settles once:
///
/// | the body | the call |
/// |---|---|
/// | ends, also by its last frame being known as the last | what the classifier says of its end: a success for HTTP |
/// | has trailers | what the classifier says of them |
/// | yields an error | a failure |
/// | panics | a failure; the panic goes on |
/// | is dropped before its first content | cancelled; a failure if it was waited for until `cancelled_after`, or until the deadline of a gRPC request |
/// | is dropped after it | a success: whoever reads a stream may have enough |
///
/// The time of the call, for the rules of slow and overdue calls, ends with the first content. A probe is a success by
/// then, and its body holds a watch: see [`Permit::answered`].
#[pin_project]
pub struct BreakerBody<B: Body> {
    #[pin]
    inner: Option<B>,
    work: Work<B>,
}

/// What there is to do but to pass the frames on.
enum Work<B: Body> {
    Nothing,
    BodyClassifier(BodyPermit),
    Replay(Box<Ahead<B>>),
}

impl<B: Body> BreakerBody<B> {
    /// A body of a call that was settled.
    pub const fn new(body: B) -> Self {
        Self { inner: Some(body), work: Work::Nothing }
    }

    /// A body without frames.
    pub const fn empty() -> Self {
        Self { inner: None, work: Work::Nothing }
    }

    /// A body that settles its call: a success if it ends, a failure if it breaks. One that has ended already settles it
    /// here.
    pub fn guarded(body: B, permit: Permit) -> Self {
        Self::with_permit(body, BodyPermit::new(permit, BodyClassifier::Plain, false))
    }

    /// A body that settles its call by what is in it. Of one that has ended already `judge` is asked here.
    pub fn classified(body: B, permit: Permit, judge: Box<dyn ClassifyBody>) -> Self {
        Self::with_permit(body, BodyPermit::new(permit, BodyClassifier::Custom(judge), false))
    }

    fn with_permit(body: B, mut judging: BodyPermit) -> Self {
        if body.is_end_stream() {
            judging.settle_at_end();
            return Self::new(body);
        }
        Self { inner: Some(body), work: Work::BodyClassifier(judging) }
    }

    /// The body that is all there is, if its call was settled. Nothing is settled by this.
    #[cfg(feature = "reqwest")]
    pub(crate) fn settled(self) -> Result<B, Self>
    where
        B: Default,
    {
        match self {
            Self { inner: Some(body), work: Work::Nothing } => Ok(body),
            Self { inner: None, work: Work::Nothing } => Ok(B::default()),
            body => Err(body),
        }
    }

    /// The inner body, if it is all there is.
    ///
    /// A call that has not been settled is by this: nobody sees the rest of the body. It is a success, unless what was
    /// seen says otherwise.
    ///
    /// # Errors
    ///
    /// The same body again: it is an [`empty`](Self::empty) one, or its beginning was read already.
    pub fn into_inner(self) -> Result<B, Self> {
        match self {
            Self { inner: Some(body), work: Work::Nothing } => Ok(body),
            Self { inner: Some(body), work: Work::BodyClassifier(judging) } => {
                judging.let_go();
                Ok(body)
            }
            body => Err(body),
        }
    }
}

impl<B: Body> Default for BreakerBody<B> {
    /// The [`empty`](Self::empty) body.
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
        match this.work {
            Work::Nothing => inner.poll_frame(cx),
            Work::BodyClassifier(_) => poll_judged(inner, this.work, cx),
            Work::Replay(ahead) => match ahead.frames.pop_front() {
                Some(frame) => {
                    if ahead.frames.is_empty() {
                        let judging = ahead.judging.take();
                        if ahead.ended {
                            this.inner.set(None);
                        }
                        *this.work = judging.map_or(Work::Nothing, Work::BodyClassifier);
                    }
                    Poll::Ready(Some(frame))
                }
                None => Poll::Ready(None),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.work {
            Work::Replay(ahead) => ahead.is_end_stream(self.inner.as_ref()),
            _ => self.inner.as_ref().is_none_or(Body::is_end_stream),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.work, &self.inner) {
            (Work::Replay(ahead), inner) => ahead.size_hint(inner.as_ref()),
            (_, Some(inner)) => inner.size_hint(),
            (_, None) => SizeHint::with_exact(0),
        }
    }
}

/// Polls a body whose call has not ended.
// The frame is returned as it came: to take it out and wrap it again would be another copy of some 100 bytes.
#[inline]
fn poll_judged<B: Body>(
    mut inner: Pin<&mut B>,
    work: &mut Work<B>,
    cx: &mut Context<'_>,
) -> Polled<B> {
    if let Work::BodyClassifier(judging) = work {
        judging.before();
    }
    let polled = inner.as_mut().poll_frame(cx);
    if let Work::BodyClassifier(judging) = work
        && judging.after(&*inner, &polled)
    {
        look(work, &*inner, &polled);
    }
    polled
}

/// Ends the call, if the body has said how.
#[inline(never)]
fn look<B: Body>(work: &mut Work<B>, inner: &B, polled: &Polled<B>) {
    if let Work::BodyClassifier(judging) = work
        && let Some(outcome) = judging.look(inner, polled)
    {
        judging.settle(outcome);
        *work = Work::Nothing;
    }
}

impl<B: Body + fmt::Debug> fmt::Debug for BreakerBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = match self.work {
            Work::Nothing => "settled",
            Work::BodyClassifier(_) => "open",
            Work::Replay(_) => "read ahead",
        };
        f.debug_struct("BreakerBody").field("inner", &self.inner).field("call", &call).finish()
    }
}
