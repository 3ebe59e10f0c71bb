//! Reading the beginning of a body before the response is handed on.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Buf;
use http::{Response, response};
use http_body::{Body, Frame};
use tokio::runtime;
use tokio::time::{Sleep, sleep};

use super::ahead::Ahead;
use super::body_permit::{BodyClassifier, BodyPermit};
use super::{BreakerBody, ClassifyBody, Work};
use crate::breaker::Permit;
use crate::classify::Verdict;

/// So many bytes of a body are read ahead at most, and the rest of the frame that they end in.
const MAX_AHEAD: usize = 64 * 1024;

/// So many frames are read ahead at most. Each takes some 100 bytes beside its content, and one without content costs
/// a server nothing: the bytes alone would be no bound.
const MAX_FRAMES: usize = 4096;

/// How far a body is read before its response is handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Until {
    /// To its end.
    End,
    /// To its first content.
    Content,
}

/// A response whose body is being read, so that it is known what the response means when it is handed on.
///
/// It reads until the body has said what the call meant, or as far as [`Until`] says, but no more than 64 KiB or 4096
/// frames, and no longer than the given time; the response then has what was read at the beginning of its body, byte
/// for byte. What the body said is in the response's [extensions](http::Extensions) as a [`Verdict`], where retry
/// policies and fallbacks look for it.
///
/// If the body ends, or the bytes, the frames or the time are used up, before it has said anything, the call is settled
/// by what was read where that was to be all of it, and by the rest of the body else.
///
/// The time needs a tokio runtime with its timer, and is not watched outside of one.
///
/// # Cancel safety
///
/// Dropping it drops the body: what that means is for its judge to say.
///
/// # Panics
///
/// If it is polled again after it was ready.
#[must_use = "futures do nothing unless polled"]
pub struct Reading<B: Body, E> {
    /// `None` once it is done.
    state: Option<Box<State<B>>>,
    error: PhantomData<fn() -> E>,
}

struct State<B: Body> {
    head: response::Parts,
    body: B,
    ahead: Ahead<B>,
    judging: BodyPermit,
    until: Until,
    bytes: usize,
    time: Duration,
    /// Made where it is first waited.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<B: Body, E> Reading<B, E> {
    /// Reads the body of `response`, for `time` at most.
    pub fn new(
        response: Response<B>,
        permit: Permit,
        judge: Box<dyn ClassifyBody>,
        until: Until,
        time: Duration,
    ) -> Self {
        let (head, body) = response.into_parts();
        let judging = BodyPermit::new(permit, BodyClassifier::Custom(judge), false);
        let state =
            State { head, body, ahead: Ahead::new(), judging, until, bytes: 0, time, timer: None };
        Self { state: Some(Box::new(state)), error: PhantomData }
    }

    /// The call is settled by its first content, whenever that comes.
    #[cfg(feature = "llm")]
    pub(crate) fn settled_by_content(mut self) -> Self {
        if let Some(state) = &mut self.state {
            state.judging.until_content();
        }
        self
    }
}

impl<B: Body + Unpin> State<B> {
    /// Reads on. Ready when the response is to be handed on.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while !self.ahead.ended && !self.is_full() {
            self.judging.before();
            let polled = Pin::new(&mut self.body).poll_frame(cx);
            let news = self.judging.after(&self.body, &polled);
            let verdict = news.then(|| self.judging.look(&self.body, &polled)).flatten();
            match polled {
                Poll::Pending => {
                    if self.poll_time(cx).is_pending() {
                        return Poll::Pending;
                    }
                    break;
                }
                Poll::Ready(Some(frame)) => {
                    self.ahead.ended = frame.is_err() || self.body.is_end_stream();
                    let data = frame.as_ref().ok().and_then(Frame::data_ref);
                    self.bytes += data.map_or(0, Buf::remaining);
                    self.ahead.frames.push_back(frame);
                }
                Poll::Ready(None) => self.ahead.ended = true,
            }
            if let Some(outcome) = verdict {
                self.head.extensions.insert(Verdict(outcome));
                self.judging.settle(outcome);
                return Poll::Ready(());
            }
            if self.until == Until::Content && self.judging.has_content() {
                return Poll::Ready(());
            }
        }
        if self.until == Until::End {
            let outcome = self.judging.end();
            self.head.extensions.insert(Verdict(outcome));
            self.judging.settle(outcome);
        }
        Poll::Ready(())
    }

    fn is_full(&self) -> bool {
        self.bytes >= MAX_AHEAD || self.ahead.frames.len() >= MAX_FRAMES
    }

    fn poll_time(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.timer.is_none() && runtime::Handle::try_current().is_ok() {
            self.timer = Some(Box::pin(sleep(self.time)));
        }
        match &mut self.timer {
            Some(timer) => timer.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }

    fn finish(self) -> Response<BreakerBody<B>> {
        let Self { head, body, mut ahead, judging, .. } = self;
        ahead.judging = judging.unless_settled();
        let body = if ahead.frames.is_empty() {
            let work = ahead.judging.map_or(Work::Nothing, Work::BodyClassifier);
            BreakerBody { inner: (!ahead.ended).then_some(body), work }
        } else {
            BreakerBody { inner: Some(body), work: Work::Replay(Box::new(ahead)) }
        };
        Response::from_parts(head, body)
    }
}

impl<B, E> Future for Reading<B, E>
where
    B: Body + Unpin,
{
    type Output = Result<Response<BreakerBody<B>>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.state.take().expect("polled after it was ready");
        if state.poll_read(cx).is_pending() {
            self.state = Some(state);
            return Poll::Pending;
        }
        Poll::Ready(Ok(state.finish()))
    }
}

impl<B: Body, E> Unpin for Reading<B, E> {}

impl<B: Body, E> fmt::Debug for Reading<B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").finish_non_exhaustive()
    }
}
