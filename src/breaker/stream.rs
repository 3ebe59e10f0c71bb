//! Streams guarded as one call.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::stream::{FusedStream, Stream};
use pin_project::pin_project;

use crate::breaker::BreakerHandle;
use crate::breaker::unwind::Runs;
use crate::breaker::{BreakerRef, Permit, in_drop};
use crate::error::BreakerError;
use crate::outcome::{Class, Outcome};

impl BreakerHandle {
    /// Guards a stream as one call: rows of a query, messages of a subscription, tokens. Its first `Ok` is the answer, an
    /// `Err` is a failure. See [`GuardedStream`] for how the call ends.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use futures_util::{StreamExt, stream};
    /// use tower_breaker::{BreakerError, BreakerHandle, Settings};
    ///
    /// let database = BreakerHandle::new("database", Settings::default());
    /// let rows = || stream::iter([Ok("first"), Err("connection lost")]);
    ///
    /// let mut guarded = database.guard_stream(rows());
    /// assert_eq!(guarded.next().await, Some(Ok("first")));
    /// assert_eq!(guarded.next().await, Some(Err(BreakerError::Inner("connection lost"))));
    /// assert_eq!(database.snapshot().totals.failure, 1);
    ///
    /// // The circuit is open: the stream is not polled.
    /// database.force_open(None);
    /// let items: Vec<_> = database.guard_stream(rows()).collect().await;
    /// assert!(matches!(items[..], [Err(BreakerError::Open(_))]));
    /// # }
    /// ```
    pub fn guard_stream<S, T, E>(&self, stream: S) -> GuardedStream<S>
    where
        S: Stream<Item = Result<T, E>>,
    {
        self.guard_stream_with(stream, Outcome::by_result)
    }

    /// Guards a stream as one call; `judge` says what each item means, until one has ended the call.
    ///
    /// | `judge` says of an item | |
    /// |---|---|
    /// | success | the answer has begun, and goes on |
    /// | failure, throttled, exhausted | the call has ended with it |
    /// | ignored, of an `Err` | the call has ended, and says nothing |
    /// | ignored, of an `Ok` | it is no answer yet (a ping, a comment) |
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use futures_util::{StreamExt, stream};
    /// use tower_breaker::{BreakerHandle, Outcome, Settings};
    ///
    /// let quotes = BreakerHandle::new("quotes", Settings::default());
    /// let ticks = stream::iter([Ok::<_, ()>("ping"), Ok("stale")]);
    /// let judge = |tick: &Result<&str, ()>| match tick {
    ///     Ok("ping") => Outcome::ignored(),
    ///     tick => Outcome::failure_if(*tick != Ok("fresh")),
    /// };
    ///
    /// assert_eq!(quotes.guard_stream_with(ticks, judge).count().await, 2);
    /// assert_eq!(quotes.snapshot().totals.failure, 1);
    /// # }
    /// ```
    pub fn guard_stream_with<S, T, E, J>(&self, stream: S, judge: J) -> GuardedStream<S, J>
    where
        S: Stream<Item = Result<T, E>>,
        J: FnMut(&Result<T, E>) -> Outcome,
    {
        let stage = Stage::Unasked { breaker: self.shared().clone(), judge };
        GuardedStream { inner: stream, stage }
    }
}

/// A stream that is one call: [`BreakerHandle::guard_stream`].
///
/// The permit is taken when it is first polled. If the call is rejected, [`BreakerError::Open`] is its only item, and the
/// stream inside is never polled. Otherwise its items are those of the stream inside, and the call ends once:
///
/// | the stream | the call |
/// |---|---|
/// | yields an `Err` | a failure; what follows is handed on |
/// | ends | a success |
/// | panics | a failure; the panic goes on |
/// | is dropped before its first `Ok` | cancelled; a failure if it was waited for until [`cancelled_after`] |
/// | is dropped after it | a success: whoever reads a stream may have enough |
/// | is never polled | there was none |
///
/// The time of the call, for the rules of slow and overdue calls, ends with the first `Ok`. A probe is a success by then,
/// and what comes is watched: see [`Permit::response_started`]. A stream that stalls behind its first `Ok` is not seen; a timeout
/// between items, inside, that yields an `Err` is.
///
/// When it has ended it stays so, also if the stream inside would go on. It is `Send` and `Sync` when its parts are.
///
/// [`cancelled_after`]: crate::SettingsBuilder::cancelled_after
#[pin_project]
#[must_use = "a stream does nothing unless it is polled"]
pub struct GuardedStream<S: Stream, J = fn(&<S as Stream>::Item) -> Outcome> {
    #[pin]
    inner: S,
    stage: Stage<J>,
}

enum Stage<J> {
    /// Nobody asked for an item.
    Unasked { breaker: BreakerRef, judge: J },
    /// The call was admitted.
    Called(Call<J>),
    /// There is nothing more to come.
    Over,
}

/// The call that a stream is.
struct Call<J> {
    /// `None` once it is settled.
    permit: Option<Permit>,
    judge: J,
    content: bool,
    runs: Runs,
}

impl<J> Call<J> {
    fn settle(&mut self, outcome: Outcome) {
        if let Some(permit) = self.permit.take() {
            permit.settle(outcome);
        }
    }

    /// The stream is about to be polled. If its last poll panicked and that was caught, the call has ended by it.
    fn before(&mut self) {
        if let Some(outcome) = self.runs.unwound() {
            self.settle(outcome);
        }
        self.runs = Runs::Call;
    }

    fn item<T, E>(&mut self, item: &Result<T, E>)
    where
        J: FnMut(&Result<T, E>) -> Outcome,
    {
        if self.permit.is_none() {
            return;
        }
        self.runs = Runs::Classifier;
        let outcome = (self.judge)(item);
        self.runs = Runs::Nothing;
        match outcome.class() {
            Class::Success if self.content => {}
            Class::Success => {
                self.content = true;
                self.permit = self.permit.take().map(Permit::response_started);
            }
            Class::Ignored if item.is_ok() => {}
            _ => self.settle(outcome),
        }
    }
}

impl<J> Drop for Call<J> {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else { return };
        match self.runs.unwound().or(self.content.then_some(Outcome::success())) {
            Some(outcome) => in_drop(|| permit.settle(outcome)),
            // Cancelled.
            None => drop(permit),
        }
    }
}

impl<S, T, E, J> Stream for GuardedStream<S, J>
where
    S: Stream<Item = Result<T, E>>,
    J: FnMut(&Result<T, E>) -> Outcome,
{
    type Item = Result<T, BreakerError<E>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        if let Stage::Unasked { .. } = this.stage
            && let Stage::Unasked { breaker, judge } = std::mem::replace(this.stage, Stage::Over)
        {
            match breaker.admit() {
                Ok(grant) => {
                    let permit = Some(Permit::new(breaker, grant));
                    let call = Call { permit, judge, content: false, runs: Runs::Nothing };
                    *this.stage = Stage::Called(call);
                }
                Err(open) => return Poll::Ready(Some(Err(BreakerError::Open(open)))),
            }
        }
        let Stage::Called(call) = this.stage else { return Poll::Ready(None) };
        call.before();
        let polled = this.inner.poll_next(cx);
        call.runs = Runs::Nothing;
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(item)) => {
                call.item(&item);
                Poll::Ready(Some(item.map_err(BreakerError::Inner)))
            }
            Poll::Ready(None) => {
                call.settle(Outcome::success());
                *this.stage = Stage::Over;
                Poll::Ready(None)
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.inner.size_hint();
        match self.stage {
            // A rejection is one item.
            Stage::Unasked { .. } => (least.min(1), most.map(|most| most.max(1))),
            Stage::Called(_) => (least, most),
            Stage::Over => (0, Some(0)),
        }
    }
}

impl<S, T, E, J> FusedStream for GuardedStream<S, J>
where
    S: Stream<Item = Result<T, E>>,
    J: FnMut(&Result<T, E>) -> Outcome,
{
    fn is_terminated(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }
}

impl<S: Stream + fmt::Debug, J> fmt::Debug for GuardedStream<S, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = match &self.stage {
            Stage::Unasked { .. } => "not begun",
            Stage::Called(Call { permit: Some(_), .. }) => "open",
            Stage::Called(_) => "settled",
            Stage::Over => "over",
        };
        f.debug_struct("GuardedStream").field("inner", &self.inner).field("call", &call).finish()
    }
}
