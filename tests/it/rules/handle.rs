//! The handle: synchronous use, events, waiters and threads.

use std::sync::Arc;

use futures_util::StreamExt;
use tower_breaker::{
    Backoff, BreakerError, BreakerHandle, Cause, Outcome, Settings, State, Trip, handle::Lagged,
};

use crate::support::breakers::*;

#[test]
fn the_handle_works_outside_a_runtime_on_many_threads() {
    // Uses real time. The cooldown is so short that it is over at the next check.
    let handle = breaker(plain().cooldown(Backoff::fixed(MS(1))).stable_for(S(0)));
    let mut events = handle.events();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(
                || while handle.try_acquire().map(tower_breaker::Permit::failure).is_ok() {},
            );
        }
    });
    while handle.state() != State::HalfOpen {
        std::thread::yield_now();
    }
    assert_eq!(handle.call(|| Ok::<_, ()>(7)), Ok(7));
    let last = drain(&mut events).pop().expect("it closed");
    assert_eq!((last.to, last.cause), (State::Closed, Cause::Recovered));
    handle.force_open(None);
    assert!(matches!(handle.call(|| Ok::<_, ()>(7)), Err(BreakerError::Open(_))));
}

#[tokio::test(start_paused = true)]
async fn call_counts_by_result_and_skips_a_rejected_function() {
    let handle = breaker(plain());
    assert_eq!(handle.call(|| Ok::<_, &str>(1)), Ok(1));
    for _ in 0..3 {
        assert_eq!(handle.call(|| Err::<(), _>("down")), Err(BreakerError::Inner("down")));
    }
    let rejected = handle.call(|| -> Result<(), ()> { unreachable!("open") });
    assert_eq!(rejected.unwrap_err().rejection().map(|open| open.state()), Some(State::Open));
    let totals = handle.snapshot().totals;
    assert_eq!((totals.success, totals.failure, totals.rejected), (1, 3, 1));
}

#[tokio::test(start_paused = true)]
async fn call_with_classifies_by_a_function() {
    let handle = breaker(plain());
    let classify = |result: &Result<u16, ()>| match result {
        Ok(500..) => Outcome::failure(),
        Ok(_) => Outcome::success(),
        Err(()) => Outcome::ignored(),
    };
    assert_eq!(handle.call_with(|| Ok(503), classify), Ok(503));
    assert_eq!(handle.run_with(async { Ok(503) }, classify).await, Ok(503));
    assert!(handle.call_with(|| Err(()), classify).is_err());
    let totals = handle.snapshot().totals;
    assert_eq!((totals.failure, totals.ignored, totals.success), (2, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn run_takes_its_permit_when_it_is_first_polled_and_cancels_when_it_is_dropped() {
    let handle = breaker(plain());
    let unpolled = handle.run(async { Ok::<_, ()>(()) });
    assert_eq!(handle.snapshot().in_flight, Some(0));
    drop(unpolled);
    assert_eq!(handle.snapshot().totals.settled(), 0);
    let mut hung = Box::pin(handle.run(std::future::pending::<Result<(), ()>>()));
    assert!(now_or_never(&mut hung).await.is_none());
    assert_eq!(handle.snapshot().in_flight, Some(1));
    drop(hung);
    assert_eq!((handle.snapshot().in_flight, handle.snapshot().totals.cancelled), (Some(0), 1));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_guarded_future_is_a_failure() {
    let handle = breaker(plain());
    let task = tokio::spawn({
        let handle = handle.clone();
        async move {
            let future = async {
                tokio::task::yield_now().await;
                std::panic::panic_any(());
            };
            let _: Result<(), BreakerError<()>> = handle.run(future).await;
        }
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(handle.snapshot().totals.failure, 1);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_has_every_field() {
    let handle = breaker(plain().trip(Trip::none().failure_rate(0.5, 4)));
    let since = tokio::time::Instant::now().into_std();
    succeed(&handle, 2);
    fail(&handle, 1);
    let _held = admit(&handle);
    let closed = handle.snapshot();
    assert_eq!((&*closed.breaker, closed.state, closed.since), ("test", State::Closed, since));
    assert_eq!((closed.until, closed.cause), (None, Cause::Start));
    assert_eq!((closed.window.calls, closed.window.failures), (3, 1));
    assert_eq!((closed.window.failure_rate, closed.in_flight), (None, Some(1)));
    pass(S(1)).await;
    let mut events = handle.events();
    fail(&handle, 1);
    let open = handle.snapshot();
    assert_eq!((open.since, open.until), (since + S(1), Some(since + S(1) + COOLDOWN)));
    let event = drain(&mut events).pop().expect("it opened");
    assert_eq!((&*event.breaker, event.at, event.epoch), ("test", open.since, open.epoch));
    assert_eq!((event.window.failure_rate, event.window.calls), (Some(0.5), 4));
}

#[tokio::test(start_paused = true)]
async fn events_come_in_the_order_of_their_epochs_without_gaps_from_many_threads() {
    let handle = breaker(plain());
    let mut events = handle.events();
    let first = handle.snapshot().epoch + 1;
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let handle = &handle;
            scope.spawn(move || {
                for turn in 0..25 {
                    match (thread + turn) % 4 {
                        0 => handle.force_open(None),
                        1 => handle.force_closed(),
                        2 => handle.disable(),
                        _ => handle.reset(),
                    }
                }
            });
        }
    });
    let seen = drain(&mut events);
    let epochs: Vec<_> = seen.iter().map(|event| event.epoch).collect();
    assert_eq!(epochs, (first..first + 200).collect::<Vec<_>>());
    assert!(
        seen.windows(2).all(|pair| pair[0].to == pair[1].from),
        "each transition starts in the state of the last one"
    );
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_lags_learns_how_many_events_it_missed() {
    let handle = breaker(plain());
    let mut events = handle.events();
    let first = handle.snapshot().epoch + 1;
    for _ in 0..300 {
        handle.reset();
    }
    assert_eq!(events.recv().await, Err(Lagged(44)));
    let seen = drain(&mut events);
    assert_eq!((seen.len(), seen[0].epoch), (256, first + 44));
}

#[tokio::test(start_paused = true)]
async fn each_receiver_sees_the_events_after_its_creation() {
    let handle = breaker(plain());
    let mut early = handle.events();
    handle.reset();
    let mut late = handle.events();
    handle.disable();
    assert_eq!((drain(&mut early).len(), drain(&mut late).len()), (2, 1));
    drop(early);
    handle.reset();
    assert_eq!(drain(&mut late).len(), 1, "dropping another receiver removes no event");
}

#[tokio::test(start_paused = true)]
async fn events_and_watches_are_streams() {
    let handle = breaker(plain());
    let (mut events, mut watch) = (handle.events(), handle.watch());
    trip(&handle);
    assert_eq!(events.next().await.unwrap().unwrap().to, State::Open);
    assert_eq!(watch.next().await, Some(State::Open));
    assert_eq!(watch.next().await, Some(State::HalfOpen), "by its timer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_wake_is_lost() {
    let handle = breaker(plain());
    for turn in 0..500_u32 {
        let mut watch = handle.watch();
        let waiter = tokio::spawn(async move { watch.changed().await });
        if turn % 2 == 0 {
            tokio::task::yield_now().await;
        }
        let other = handle.clone();
        tokio::task::spawn_blocking(move || other.reset());
        let state = tokio::time::timeout(S(20), waiter).await;
        assert_eq!(state.expect("woken").expect("no panic"), State::Closed, "turn {turn}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_waiter_is_woken_even_if_another_one_is_dropped() {
    let handle = breaker(plain());
    let spawn = |handle: &BreakerHandle| tokio::spawn(handle.changed());
    let waiters: Vec<_> = (0..10).map(|_| spawn(&handle)).collect();
    let gone = spawn(&handle);
    tokio::task::yield_now().await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    handle.force_open(None);
    for waiter in waiters {
        assert_eq!(waiter.await.unwrap(), State::ForcedOpen);
    }
}

#[tokio::test(start_paused = true)]
async fn clones_share_one_breaker() {
    let handle = BreakerHandle::new(Arc::from("shared"), plain().build().unwrap());
    let clone = handle.clone();
    fail(&handle, 2);
    fail(&clone, 1);
    assert_eq!((handle.state(), clone.name()), (State::Open, "shared"));
}

#[test]
fn debug_output_is_short() {
    let handle = BreakerHandle::new("database", Settings::default());
    handle.force_open(None);
    let expected = "BreakerHandle { name: \"database\", state: ForcedOpen, mode: ForcedOpen, .. }";
    assert_eq!(format!("{handle:?}"), expected);
    let layer = tower_breaker::CircuitBreakerLayer::join(&handle, tower_breaker::Config::default());
    assert!(format!("{layer:?}").len() < 200, "{layer:?}");
    assert!(format!("{:?}", handle.watch()).len() < 300);
}
