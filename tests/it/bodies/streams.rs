//! A guarded stream settles its call in the same way as a guarded body of the same chunks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, Stream, StreamExt, TryStreamExt, stream};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use proptest::prelude::*;
use tower_breaker::{Backoff, BreakerBody, BreakerHandle, Settings, State, Trip, handle::Totals};

/// What a stream does when it is polled.
#[derive(Clone, Copy, Debug)]
enum Step {
    Chunk,
    Breaks,
    Waits,
    Panics,
}

const TIME: Duration = Duration::from_secs(10);

fn play(steps: Vec<Step>) -> impl Stream<Item = Result<Bytes, &'static str>> + Unpin {
    let mut steps = steps.into_iter();
    stream::poll_fn(move |_| match steps.next() {
        None => std::task::Poll::Ready(None),
        Some(Step::Chunk) => std::task::Poll::Ready(Some(Ok(Bytes::from_static(b"chunk")))),
        Some(Step::Breaks) => std::task::Poll::Ready(Some(Err("broke"))),
        Some(Step::Waits) => std::task::Poll::Pending,
        Some(Step::Panics) => std::panic::panic_any(()),
    })
}

/// A breaker whose next call is a probe if `probe` is set.
async fn breaker(probe: bool) -> BreakerHandle {
    let settings = Settings::builder()
        .trip(Trip::none().consecutive(2).slow(TIME, 0.5, 1))
        .cooldown(Backoff::fixed(TIME))
        .hold_jitter(0.0)
        .cancelled_after(2 * TIME)
        .track_in_flight(true)
        .build();
    let handle = BreakerHandle::new("test", settings.unwrap());
    if probe {
        handle.hold_for(TIME);
        tokio::time::advance(TIME).await;
        assert_eq!(handle.state(), State::HalfOpen);
    }
    handle
}

/// Polls `polls` times or to the end, and continues after a panic. Advances the clock by 2 * `TIME` after poll `slowly`.
async fn read<T>(polls: usize, slowly: usize, mut poll: impl FnMut() -> Option<Option<T>>) {
    for turn in 0..polls {
        let polled = catch_unwind(AssertUnwindSafe(&mut poll));
        if matches!(polled, Ok(Some(None))) {
            return;
        }
        if turn == slowly {
            tokio::time::advance(2 * TIME).await;
        }
    }
}

fn seen(handle: &BreakerHandle) -> (Totals, State, u32, Option<u64>) {
    let snapshot = handle.snapshot();
    let in_a_row = snapshot.window.consecutive_failures;
    (snapshot.totals, snapshot.state, in_a_row, snapshot.in_flight)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_and_a_body_of_the_same_chunks_settle_alike(
        steps in prop::collection::vec(
            prop_oneof![
                4 => Just(Step::Chunk),
                2 => Just(Step::Waits),
                1 => Just(Step::Breaks),
                1 => Just(Step::Panics),
            ],
            0..6,
        ),
        polls in 1..8_usize,
        slowly in 0..8_usize,
        probe in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let streamed = breaker(probe).await;
            let mut stream = streamed.guard_stream(play(steps.clone()));
            read(polls, slowly, || stream.next().now_or_never()).await;
            drop(stream);
            let of_stream = seen(&streamed);

            let bodied = breaker(probe).await;
            let permit = bodied.try_acquire().unwrap();
            let inner = StreamBody::new(play(steps).map_ok(Frame::data));
            let mut body = BreakerBody::guarded(inner, permit);
            read(polls, slowly, || body.frame().now_or_never()).await;
            drop(body);

            prop_assert_eq!(of_stream, seen(&bodied));
            Ok(())
        })?;
    }
}
