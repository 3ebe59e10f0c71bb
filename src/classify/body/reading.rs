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

use super::body_permit::BodyPermit;
use super::read_ahead::ReadAhead;
use super::{BreakerBody, ClassifyBody, State as BodyState};
use crate::breaker::Permit;
use crate::classify::verdict::Verdict;

/// The largest number of bytes that are read ahead. The frame that crosses the limit is read to its end.
const MAX_BYTES: usize = 64 * 1024;

/// The largest number of frames that are read ahead. A frame takes about 100 bytes besides its content, and a frame
/// without content costs a server nothing, so a limit on bytes alone would not bound the memory.
const MAX_FRAMES: usize = 4096;

/// The point up to which a body is read before its response is handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Until {
    /// To its end.
    End,
    /// To its first content.
    Content,
}

/// The future of a response whose body is read first, so that its outcome is known when the response is handed on.
///
/// The body is read until the classifier knows the outcome or until the point that [`Until`] names, but at most 64 KiB,
/// 4096 frames and the given time. The response then starts its body with what was read, byte for byte. An outcome that
/// is known by then is in the [extensions](http::Extensions) of the response as a [`Verdict`], where retry policies and
/// fallbacks look for it.
///
/// If the body ends or reaches a limit before the outcome is known, [`Until::End`] settles the call by what was read,
/// and [`Until::Content`] lets the rest of the body settle it.
///
/// The time limit requires a tokio runtime with time enabled. Outside a runtime, it has no effect.
///
/// # Cancel safety
///
/// Dropping the future drops the body, and [`ClassifyBody::dropped`] decides the outcome.
///
/// # Panics
///
/// Panics if it is polled after completion.
#[must_use = "futures do nothing unless polled"]
pub struct Reading<B: Body, E> {
    /// `None` after completion.
    state: Option<Box<State<B>>>,
    error: PhantomData<fn() -> E>,
}

struct State<B: Body> {
    head: response::Parts,
    body: B,
    ahead: ReadAhead<B>,
    permit: BodyPermit,
    until: Until,
    /// How many bytes were read.
    bytes: usize,
    time: Duration,
    /// Created by the first poll that has to wait.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<B: Body, E> Reading<B, E> {
    /// Reads the body of `response` for at most `time`.
    pub fn new(
        response: Response<B>,
        permit: Permit,
        classifier: Box<dyn ClassifyBody>,
        until: Until,
        time: Duration,
    ) -> Self {
        let (head, body) = response.into_parts();
        let permit = BodyPermit::new(permit, classifier.into(), false);
        let ahead = ReadAhead::new();
        let state = State { head, body, ahead, permit, until, bytes: 0, time, timer: None };
        Self { state: Some(Box::new(state)), error: PhantomData }
    }

    /// Settles the call at its first content, whether that comes before or after the response is handed on. Default: at
    /// the end of the body.
    pub fn settled_by_content(mut self) -> Self {
        if let Some(state) = &mut self.state {
            state.permit.settle_at_content();
        }
        self
    }
}

impl<B: Body + Unpin> State<B> {
    /// Continues to read. Returns ready when the response can be handed on.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while !self.ahead.ended && !self.is_full() {
            self.permit.before_poll();
            let polled = Pin::new(&mut self.body).poll_frame(cx);
            let classifies = self.permit.after_poll(&self.body, &polled);
            let outcome = classifies.then(|| self.permit.classify(&self.body, &polled)).flatten();
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
            if let Some(outcome) = outcome {
                self.head.extensions.insert(Verdict(outcome));
                self.permit.settle(outcome);
                return Poll::Ready(());
            }
            if self.until == Until::Content && self.permit.has_content() {
                return Poll::Ready(());
            }
        }
        if self.until == Until::End {
            let outcome = self.permit.end();
            self.head.extensions.insert(Verdict(outcome));
            self.permit.settle(outcome);
        }
        Poll::Ready(())
    }

    fn is_full(&self) -> bool {
        self.bytes >= MAX_BYTES || self.ahead.frames.len() >= MAX_FRAMES
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
        let Self { head, body, mut ahead, permit, .. } = self;
        ahead.permit = permit.into_unsettled();
        let body = if ahead.frames.is_empty() {
            let state = ahead.permit.map_or(BodyState::Settled, BodyState::Pending);
            BreakerBody { inner: (!ahead.ended).then_some(body), state }
        } else {
            BreakerBody { inner: Some(body), state: BodyState::ReadAhead(Box::new(ahead)) }
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
        let mut state = self.state.take().expect("polled after completion");
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
