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
    /// Guards a stream as one call, such as the rows of a query or the messages of a subscription.
    ///
    /// The first `Ok` is the start of the response. An `Err` is a failure. [`GuardedStream`] lists how the call ends.
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

    /// Guards a stream as one call and classifies each item with `classify`, until an item ends the call.
    ///
    /// | `classify` returns | effect |
    /// |---|---|
    /// | success | the response has started and continues |
    /// | failure, throttled, exhausted | the call ends with this outcome |
    /// | ignored, for an `Err` | the call ends as ignored |
    /// | ignored, for an `Ok` | the response has not started yet (a ping, a comment) |
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use futures_util::{StreamExt, stream};
    /// use tower_breaker::{BreakerHandle, Outcome, Settings};
    ///
    /// let quotes = BreakerHandle::new("quotes", Settings::default());
    /// let ticks = stream::iter([Ok::<_, ()>("ping"), Ok("stale")]);
    /// let classify = |tick: &Result<&str, ()>| match tick {
    ///     Ok("ping") => Outcome::ignored(),
    ///     tick => Outcome::failure_if(*tick != Ok("fresh")),
    /// };
    ///
    /// assert_eq!(quotes.guard_stream_with(ticks, classify).count().await, 2);
    /// assert_eq!(quotes.snapshot().totals.failure, 1);
    /// # }
    /// ```
    pub fn guard_stream_with<S, T, E, C>(&self, stream: S, classify: C) -> GuardedStream<S, C>
    where
        S: Stream<Item = Result<T, E>>,
        C: FnMut(&Result<T, E>) -> Outcome,
    {
        let stage = Stage::NotStarted { breaker: self.shared().clone(), classify };
        GuardedStream { inner: stream, stage }
    }
}

/// A stream that is guarded as one call. Returned by [`BreakerHandle::guard_stream`].
///
/// The permit is acquired at the first poll. If the call is rejected, the only item is [`BreakerError::Open`], and the
/// inner stream is never polled. Otherwise the items are those of the inner stream, and the call ends once:
///
/// | the inner stream | the call |
/// |---|---|
/// | yields an `Err` | is a failure; later items are passed on |
/// | ends | is a success |
/// | panics | is a failure; the panic continues |
/// | is dropped before its first `Ok` | is cancelled, or a failure if the caller waited for [`cancelled_after`] |
/// | is dropped after it | is a success, because a reader may stop at any item |
/// | is never polled | there is no call |
///
/// The time of the call, for the rules of slow and overdue calls, ends with the first `Ok`. A probe succeeds at that
/// point. The rest of its stream can still record one failure: see [`Permit::response_started`]. A stream that stalls
/// after its first `Ok` goes unnoticed, unless it has a timeout between items that yields an `Err`.
///
/// Once the stream has ended, it stays ended, even if the inner stream would yield more items. It is `Send` and `Sync`
/// if its parts are.
///
/// [`cancelled_after`]: crate::SettingsBuilder::cancelled_after
#[pin_project]
#[must_use = "a stream does nothing unless it is polled"]
pub struct GuardedStream<S: Stream, C = fn(&<S as Stream>::Item) -> Outcome> {
    #[pin]
    inner: S,
    stage: Stage<C>,
}

enum Stage<C> {
    /// The stream has not been polled.
    NotStarted { breaker: BreakerRef, classify: C },
    /// The call was admitted.
    Started(Call<C>),
    /// There are no more items.
    Ended,
}

/// The call that the stream counts as.
struct Call<C> {
    /// `None` once it is settled.
    permit: Option<Permit>,
    classify: C,
    /// Whether the response has started.
    content: bool,
    runs: Runs,
}

impl<C> Call<C> {
    fn settle(&mut self, outcome: Outcome) {
        if let Some(permit) = self.permit.take() {
            permit.settle(outcome);
        }
    }

    /// Prepares a poll of the inner stream. If the last poll panicked and the panic was caught, settles the call first.
    fn before_poll(&mut self) {
        if let Some(outcome) = self.runs.unwound() {
            self.settle(outcome);
        }
        self.runs = Runs::Call;
    }

    fn after_item<T, E>(&mut self, item: &Result<T, E>)
    where
        C: FnMut(&Result<T, E>) -> Outcome,
    {
        if self.permit.is_none() {
            return;
        }
        self.runs = Runs::Classifier;
        let outcome = (self.classify)(item);
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

impl<C> Drop for Call<C> {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else { return };
        match self.runs.unwound().or(self.content.then_some(Outcome::success())) {
            Some(outcome) => in_drop(|| permit.settle(outcome)),
            // Cancelled.
            None => drop(permit),
        }
    }
}

impl<S, T, E, C> Stream for GuardedStream<S, C>
where
    S: Stream<Item = Result<T, E>>,
    C: FnMut(&Result<T, E>) -> Outcome,
{
    type Item = Result<T, BreakerError<E>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        if let Stage::NotStarted { .. } = this.stage
            && let Stage::NotStarted { breaker, classify } =
                std::mem::replace(this.stage, Stage::Ended)
        {
            match breaker.admit() {
                Ok(permit) => {
                    let permit = Some(Permit::new(breaker, permit));
                    let call = Call { permit, classify, content: false, runs: Runs::Nothing };
                    *this.stage = Stage::Started(call);
                }
                Err(open) => return Poll::Ready(Some(Err(BreakerError::Open(open)))),
            }
        }
        let Stage::Started(call) = this.stage else { return Poll::Ready(None) };
        call.before_poll();
        let polled = this.inner.poll_next(cx);
        call.runs = Runs::Nothing;
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(item)) => {
                call.after_item(&item);
                Poll::Ready(Some(item.map_err(BreakerError::Inner)))
            }
            Poll::Ready(None) => {
                call.settle(Outcome::success());
                *this.stage = Stage::Ended;
                Poll::Ready(None)
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.inner.size_hint();
        match self.stage {
            // A rejection is one item.
            Stage::NotStarted { .. } => (least.min(1), most.map(|most| most.max(1))),
            Stage::Started(_) => (least, most),
            Stage::Ended => (0, Some(0)),
        }
    }
}

impl<S, T, E, C> FusedStream for GuardedStream<S, C>
where
    S: Stream<Item = Result<T, E>>,
    C: FnMut(&Result<T, E>) -> Outcome,
{
    fn is_terminated(&self) -> bool {
        matches!(self.stage, Stage::Ended)
    }
}

impl<S: Stream + fmt::Debug, C> fmt::Debug for GuardedStream<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = match &self.stage {
            Stage::NotStarted { .. } => "not begun",
            Stage::Started(Call { permit: Some(_), .. }) => "open",
            Stage::Started(_) => "settled",
            Stage::Ended => "over",
        };
        f.debug_struct("GuardedStream").field("inner", &self.inner).field("call", &call).finish()
    }
}
