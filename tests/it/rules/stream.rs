//! A guarded stream is one call.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_core::stream::FusedStream;
use futures_util::{FutureExt, StreamExt};
use tower_breaker::{
    BreakerError, BreakerHandle, Cause, Class, Outcome, State, Trip,
    handle::{GuardedStream, Totals},
};

use crate::support::breakers::*;

/// What one poll of the stream does.
#[derive(Clone, Copy, Debug)]
enum Step {
    Item(u32),
    Breaks,
    Ends,
    Waits,
    Panics,
}

use Step::{Breaks, Ends, Item, Panics, Waits};

/// A scripted stream. It continues after its end if steps are left.
#[derive(Debug)]
struct Script(VecDeque<Step>);

fn script(steps: impl IntoIterator<Item = Step>) -> Script {
    Script(steps.into_iter().collect())
}

impl Stream for Script {
    type Item = Result<u32, &'static str>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.0.pop_front() {
            Some(Item(number)) => Poll::Ready(Some(Ok(number))),
            Some(Breaks) => Poll::Ready(Some(Err("broke"))),
            Some(Waits) => Poll::Pending,
            Some(Panics) => panic!("in the stream"),
            Some(Ends) | None => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

/// Polls once.
#[track_caller]
fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    stream.next().now_or_never().expect("not pending")
}

#[track_caller]
fn waits<S: Stream + Unpin>(stream: &mut S) {
    assert!(stream.next().now_or_never().is_none(), "pending");
}

fn guarded<const N: usize>(handle: &BreakerHandle, steps: [Step; N]) -> GuardedStream<Script> {
    handle.guard_stream(script(steps))
}

/// The totals: admitted, success, failure, cancelled, ignored.
fn counts(handle: &BreakerHandle) -> [u64; 5] {
    let Totals { admitted, success, failure, cancelled, ignored, .. } = handle.snapshot().totals;
    [admitted.expect("calls in flight are counted"), success, failure, cancelled, ignored]
}

#[tokio::test(start_paused = true)]
async fn the_permit_is_taken_at_the_first_poll() {
    let handle = breaker(plain());
    drop(guarded(&handle, [Item(1)]));
    let mut stream = guarded(&handle, [Waits, Item(1)]);
    assert_eq!((counts(&handle), handle.snapshot().in_flight), ([0; 5], Some(0)));
    waits(&mut stream);
    assert_eq!(handle.snapshot().in_flight, Some(1));
    // The admitted stream continues.
    handle.force_open(None);
    assert_eq!(next(&mut stream), Some(Ok(1)));
}

#[tokio::test(start_paused = true)]
async fn a_rejection_is_the_only_item_and_the_stream_is_never_polled() {
    let handle = breaker(plain());
    handle.force_open(None);
    let mut stream = guarded(&handle, [Panics]);
    assert_eq!(stream.size_hint(), (1, Some(1)));
    let Some(Err(BreakerError::Open(open))) = next(&mut stream) else { panic!("a rejection") };
    assert_eq!((open.name(), open.state()), ("test", State::ForcedOpen));
    // The stream has ended, even if the circuit closes again.
    handle.reset();
    assert_eq!((next(&mut stream), next(&mut stream)), (None, None));
    assert!(stream.is_terminated() && stream.size_hint() == (0, Some(0)));
    assert_eq!((counts(&handle), handle.snapshot().totals.rejected), ([0; 5], 1));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_is_a_success_with_and_without_items() {
    let handle = breaker(plain());
    assert_eq!(guarded(&handle, [Item(1), Item(2)]).count().await, 2);
    assert_eq!(guarded(&handle, [Ends]).count().await, 0);
    assert_eq!(counts(&handle), [2, 2, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn an_error_is_one_failure_and_later_items_pass_through() {
    let handle = breaker(plain());
    let steps = [Item(1), Breaks, Item(2), Breaks, Breaks];
    let items: Vec<_> = guarded(&handle, steps).collect().await;
    let broke = || Err(BreakerError::Inner("broke"));
    assert_eq!(items, [Ok(1), broke(), Ok(2), broke(), broke()]);
    assert_eq!(counts(&handle), [1, 0, 1, 0, 0]);
    // An error before any item is a failure as well.
    let mut stream = guarded(&handle, [Breaks, Waits]);
    assert_eq!(next(&mut stream), Some(broke()));
    assert_eq!(counts(&handle), [2, 0, 2, 0, 0]);
    drop(stream);
    assert_eq!(counts(&handle), [2, 0, 2, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_dropped_before_its_first_item_is_cancelled_and_after_it_a_success() {
    let handle = breaker(plain());
    let mut stream = guarded(&handle, [Waits]);
    waits(&mut stream);
    drop(stream);
    assert_eq!(counts(&handle), [1, 0, 0, 1, 0]);
    let mut stream = guarded(&handle, [Item(1), Waits]);
    next(&mut stream);
    waits(&mut stream);
    drop(stream);
    assert_eq!(counts(&handle), [2, 1, 0, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_dropped_after_its_time_is_a_failure_unless_it_had_an_item() {
    let handle = breaker(plain().cancelled_after(S(10)));
    let mut stream = guarded(&handle, [Waits]);
    waits(&mut stream);
    pass(S(10)).await;
    drop(stream);
    assert_eq!(counts(&handle), [1, 0, 1, 0, 0]);
    let mut stream = guarded(&handle, [Item(1), Waits]);
    next(&mut stream);
    pass(S(10)).await;
    drop(stream);
    assert_eq!(counts(&handle), [2, 1, 1, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_the_call_ends_with_the_first_item() {
    let handle = breaker(ruled(Trip::none().slow(S(5), 0.5, 1)));
    let mut stream = guarded(&handle, [Item(1), Ends]);
    next(&mut stream);
    pass(S(5)).await;
    assert_eq!(next(&mut stream), None);
    assert_eq!((handle.state(), handle.snapshot().window.slow), (State::Closed, 0));

    let mut stream = guarded(&handle, [Waits, Item(1), Ends]);
    waits(&mut stream);
    pass(S(5)).await;
    assert_eq!((next(&mut stream), next(&mut stream)), (Some(Ok(1)), None));
    assert_eq!(handle.state(), State::Open, "slow to its first item");
}

#[tokio::test(start_paused = true)]
async fn a_probe_closes_at_its_first_item_and_leaves_a_tail() {
    let handle = breaker(plain());
    trip(&handle);
    pass(COOLDOWN).await;
    let mut stream = guarded(&handle, [Waits, Item(1), Breaks]);
    waits(&mut stream);
    assert_eq!((handle.state(), handle.snapshot().probes), (State::HalfOpen, 1));
    next(&mut stream);
    let seen = handle.snapshot();
    assert_eq!((seen.state, seen.cause), (State::Closed, Cause::Recovered));
    next(&mut stream);
    let seen = handle.snapshot();
    assert_eq!((seen.totals.broken_after, seen.window.consecutive_failures), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_breaks_or_is_dropped_before_its_first_item_closes_nothing() {
    for (steps, state) in [([Breaks], State::Open), ([Waits], State::HalfOpen)] {
        let handle = breaker(plain());
        trip(&handle);
        pass(COOLDOWN).await;
        let mut stream = guarded(&handle, steps);
        let _ = stream.next().now_or_never();
        drop(stream);
        assert_eq!((handle.state(), handle.snapshot().probes), (state, 0), "{steps:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_in_another_epoch_is_late() {
    let handle = breaker(plain());
    let mut stream = guarded(&handle, [Item(1), Breaks]);
    next(&mut stream);
    handle.reset();
    next(&mut stream);
    let seen = handle.snapshot();
    assert_eq!((seen.totals.late, seen.window.consecutive_failures), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_and_propagates() {
    let handle = breaker(plain());
    for steps in [[Panics, Ends], [Item(1), Panics]] {
        let unwound = AssertUnwindSafe(guarded(&handle, steps).count()).catch_unwind().await;
        assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"in the stream"));
    }
    assert_eq!(counts(&handle), [2, 0, 2, 0, 0]);
    assert_eq!(handle.snapshot().last_error.unwrap().reason, Some("panic"));
}

#[tokio::test(start_paused = true)]
async fn a_caught_panic_is_one_failure_although_the_stream_continues() {
    let handle = breaker(plain());
    let mut stream = guarded(&handle, [Panics, Item(1), Breaks]);
    catch_unwind(AssertUnwindSafe(|| next(&mut stream))).unwrap_err();
    assert_eq!(next(&mut stream), Some(Ok(1)));
    assert_eq!(counts(&handle), [1, 0, 1, 0, 0]);
    assert_eq!(stream.count().await, 1);
    assert_eq!(counts(&handle), [1, 0, 1, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_reader_cancels_the_stream() {
    let handle = breaker(plain());
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let mut stream = guarded(&handle, [Waits]);
        waits(&mut stream);
        std::panic::panic_any("in the reader");
    }));
    assert!(unwound.is_err());
    assert_eq!(counts(&handle), [1, 0, 0, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn an_aborted_task_cancels_its_stream() {
    let handle = breaker(plain());
    let task = tokio::spawn(
        handle.guard_stream(futures_util::stream::pending::<Result<(), ()>>()).count(),
    );
    until_in_flight(&handle).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(counts(&handle), [1, 0, 0, 1, 0]);
}

async fn until_in_flight(handle: &BreakerHandle) {
    while handle.snapshot().in_flight != Some(1) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ended_stays_ended() {
    let handle = breaker(plain());
    let mut stream = guarded(&handle, [Item(1), Ends, Item(2), Breaks]);
    assert!(!stream.is_terminated());
    assert_eq!((next(&mut stream), next(&mut stream)), (Some(Ok(1)), None));
    assert!(stream.is_terminated());
    assert_eq!((next(&mut stream), stream.size_hint()), (None, (0, Some(0))));
    assert_eq!(counts(&handle), [1, 1, 0, 0, 0]);
}

#[test]
fn the_size_hint_covers_the_stream_and_a_rejection() {
    let handle = breaker(plain());
    assert_eq!(guarded(&handle, []).size_hint(), (0, Some(1)));
    let mut stream = guarded(&handle, [Item(1), Item(2), Item(3)]);
    assert_eq!(stream.size_hint(), (1, Some(3)));
    next(&mut stream);
    assert_eq!(stream.size_hint(), (2, Some(2)));
}

/// 0 is a ping, 50 a failure and 99 a limit. Errors are ignored.
fn classify(item: &Result<u32, &'static str>) -> Outcome {
    match item {
        Ok(0) | Err(_) => Outcome::ignored(),
        Ok(50) => Outcome::failure().reason("degraded").code(50),
        Ok(66) => panic!("in the classifier"),
        Ok(99) => Outcome::throttled().retry_after(S(30)),
        Ok(_) => Outcome::success(),
    }
}

fn classified<const N: usize>(
    handle: &BreakerHandle,
    steps: [Step; N],
) -> impl Stream<Item = Result<u32, BreakerError<&'static str>>> + Unpin + use<N> {
    handle.guard_stream_with(script(steps), classify)
}

#[tokio::test(start_paused = true)]
async fn a_ping_is_not_content() {
    let handle = breaker(plain());
    let mut stream = classified(&handle, [Item(0), Item(0), Waits]);
    next(&mut stream);
    next(&mut stream);
    waits(&mut stream);
    drop(stream);
    assert_eq!(counts(&handle), [1, 0, 0, 1, 0]);
    // The end of the stream is a success even if it had only pings.
    classified(&handle, [Item(0)]).count().await;
    assert_eq!(counts(&handle), [2, 1, 0, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn the_first_item_that_is_not_a_success_settles_the_call_with_its_whole_outcome() {
    let handle = breaker(plain());
    classified(&handle, [Item(1), Item(50), Item(99)]).count().await;
    assert_eq!(counts(&handle), [1, 0, 1, 0, 0]);
    assert_eq!(handle.snapshot().last_error.unwrap().to_string(), "degraded (50)");

    classified(&handle, [Item(99), Item(50)]).count().await;
    let seen = handle.snapshot();
    assert_eq!((seen.state, seen.totals.throttled), (State::Open, 1));
    assert_eq!((seen.last_error.unwrap().class, open_for(&handle)), (Class::Throttled, S(30)));
}

#[tokio::test(start_paused = true)]
async fn an_ignored_error_ends_the_call() {
    let handle = breaker(plain());
    classified(&handle, [Item(1), Breaks, Item(50)]).count().await;
    classified(&handle, [Breaks]).count().await;
    assert_eq!(counts(&handle), [2, 0, 0, 0, 2]);
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_a_success_is_an_item_like_any_other() {
    let handle = breaker(plain());
    let success = |_: &Result<u32, &str>| Outcome::success();
    let mut stream = handle.guard_stream_with(script([Breaks, Waits]), success);
    assert_eq!(next(&mut stream), Some(Err(BreakerError::Inner("broke"))));
    assert_eq!(handle.snapshot().in_flight, Some(1), "the call continues");
    drop(stream);
    assert_eq!(counts(&handle), [1, 1, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_item_classifier_is_ignored_and_propagates() {
    let handle = breaker(plain());
    for steps in [[Item(66), Ends], [Item(1), Item(66)]] {
        let unwound = AssertUnwindSafe(classified(&handle, steps).count()).catch_unwind().await;
        assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"in the classifier"));
    }
    assert_eq!(counts(&handle), [2, 0, 0, 0, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_classifier_may_have_state() {
    let handle = breaker(plain());
    let mut sum = 0;
    let classify = |item: &Result<u32, &str>| {
        sum += item.unwrap_or(0);
        Outcome::failure_if(sum > 5)
    };
    handle.guard_stream_with(script([Item(2), Item(3), Item(1)]), classify).count().await;
    assert_eq!(counts(&handle), [1, 0, 1, 0, 0]);
}

#[test]
fn debug_output_of_a_stream_shows_the_state_of_its_call() {
    let handle = breaker(plain());
    let mut stream = guarded(&handle, [Item(1), Breaks]);
    let mut seen = vec![format!("{stream:?}")];
    while let Some(_item) = next(&mut stream) {
        seen.push(format!("{stream:?}"));
    }
    seen.push(format!("{stream:?}"));
    for (seen, call) in seen.iter().zip(["not begun", "open", "settled", "over"]) {
        assert!(seen.starts_with("GuardedStream") && seen.contains(call), "{seen}");
    }
}
