//! Functions, async functions and blocking work, without tower.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use futures_util::FutureExt;
use tower_breaker::{AsRejection, Backoff, BoxError, BreakerError, BreakerHandle, Outcome, State};

use crate::support::breakers::*;

/// The totals: success, failure, cancelled, ignored.
fn counts(handle: &BreakerHandle) -> [u64; 4] {
    let totals = handle.snapshot().totals;
    [totals.success, totals.failure, totals.cancelled, totals.ignored]
}

#[test]
fn a_panic_in_a_guarded_function_is_a_failure_and_propagates() {
    let handle = breaker(plain());
    for _ in 0..3 {
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            handle.call(|| -> Result<(), ()> { std::panic::panic_any("in the function") })
        }));
        assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"in the function"));
    }
    assert_eq!((handle.state(), counts(&handle)), (State::Open, [0, 3, 0, 0]));
    assert_eq!(handle.snapshot().last_error.unwrap().reason, Some("panic"));
}

#[test]
fn a_panic_of_the_classifier_of_a_function_is_ignored_and_propagates() {
    let handle = breaker(plain());
    let classify = |_: &Result<(), ()>| std::panic::panic_any("in the classifier");
    let unwound = catch_unwind(AssertUnwindSafe(|| handle.call_with(|| Ok(()), classify)));
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"in the classifier"));
    assert_eq!((counts(&handle), handle.snapshot().in_flight), ([0, 0, 0, 1], Some(0)));
}

#[tokio::test(start_paused = true)]
async fn a_nested_call_of_the_same_breaker_is_a_separate_call() {
    let handle = breaker(plain());
    let nested = || handle.call(|| handle.call(|| Err::<(), _>("down")));
    assert_eq!(nested(), Err(BreakerError::Inner(BreakerError::Inner("down"))));
    assert_eq!(counts(&handle), [0, 2, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_nested_call_within_a_probe_is_rejected() {
    let handle = breaker(plain());
    trip(&handle);
    pass(COOLDOWN).await;
    let inside = handle.call(|| {
        let inside =
            handle.call(|| -> Result<(), ()> { unreachable!("the lease of the probe is taken") });
        Ok::<_, ()>(inside.unwrap_err().rejection().map(|open| open.state()))
    });
    assert_eq!((inside, handle.state()), (Ok(Some(State::HalfOpen)), State::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_guarded_function_may_use_its_own_breaker() {
    let handle = breaker(plain());
    let meanwhile = |work: &dyn Fn()| {
        let call = || -> Result<(), Infallible> {
            work();
            Ok(())
        };
        handle.call(call).unwrap();
    };
    meanwhile(&|| handle.reset());
    assert_eq!(handle.snapshot().totals.late, 1, "the epoch of the call was over");
    meanwhile(&|| handle.reconfigure(plain().build().unwrap()));
    let classify = |_: &Result<(), ()>| Outcome::failure_if(handle.state() == State::Closed);
    handle.call_with(|| Ok(()), classify).unwrap();
    assert_eq!(counts(&handle), [1, 1, 0, 0]);
    meanwhile(&|| handle.force_open(None));
    assert_eq!((handle.state(), handle.snapshot().in_flight), (State::ForcedOpen, Some(0)));
}

#[test]
fn a_rejection_by_a_downstream_breaker_is_ignored_if_classified_so() {
    let (outer, inner) = (breaker(plain()), breaker(plain()));
    inner.force_open(None);
    let call = || inner.call(|| Ok::<_, Infallible>(()));
    let classify = |result: &Result<(), BreakerError<Infallible>>| match result {
        Err(error) if error.as_rejection().is_some() => Outcome::ignored(),
        other => Outcome::by_result(other),
    };
    for _ in 0..5 {
        outer.call_with(call, classify).unwrap_err();
    }
    assert_eq!((outer.state(), counts(&outer)), (State::Closed, [0, 0, 0, 5]));
    // The default classifier counts it as any other error.
    outer.call(call).unwrap_err();
    assert_eq!(counts(&outer), [0, 1, 0, 5]);
}

#[test]
fn a_classifier_fits_in_one_line() {
    let handle = breaker(plain());
    let _ = handle.call_with(|| Ok::<_, ()>(503), |status| Outcome::failure_if(*status != Ok(200)));
    assert_eq!(counts(&handle), [0, 1, 0, 0]);
    let missing = || Err::<(), _>("not found");
    let _ = handle.call_with(missing, |found| Outcome::failure_if(matches!(found, Err("timeout"))));
    assert_eq!(counts(&handle), [1, 1, 0, 0]);
    let _ = handle.call_with(missing, |_| Outcome::ignored());
    assert_eq!(counts(&handle), [1, 1, 0, 1]);
    let _ = handle.call_with(missing, Outcome::by_result);
    let _ = handle.call_with(|| Ok::<_, ()>(()), Outcome::by_result);
    assert_eq!(counts(&handle), [2, 2, 0, 1]);
}

#[test]
fn every_thread_sees_the_circuit_open_and_exactly_one_of_them_probes() {
    let handle = breaker(plain().cooldown(Backoff::fixed(MS(1))).stable_for(S(0)));
    let (called, probes) = (AtomicUsize::new(0), AtomicUsize::new(0));
    trip(&handle);
    while handle.state() != State::HalfOpen {
        std::thread::yield_now();
    }
    let barrier = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                let result = handle.call(|| {
                    called.fetch_add(1, Ordering::Relaxed);
                    // No other call is admitted while this probe is in flight.
                    while handle.snapshot().totals.rejected < 7 {
                        std::thread::yield_now();
                    }
                    probes.fetch_add(1, Ordering::Relaxed);
                    Ok::<_, Infallible>(())
                });
                assert!(matches!(result, Ok(()) | Err(BreakerError::Open(_))));
            });
        }
    });
    assert_eq!((called.into_inner(), probes.into_inner()), (1, 1));
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test]
async fn blocking_work_continues_and_settles_without_a_waiter() {
    for abort in [true, false] {
        let handle = breaker(plain());
        let (finish, wait) = mpsc::channel::<()>();
        let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
        let task = tokio::task::spawn_blocking({
            let handle = handle.clone();
            move || {
                handle.call(|| {
                    started.send(()).unwrap();
                    wait.recv().map_err(|_| "the sender is gone")
                })
            }
        });
        starts.recv().await.unwrap();
        if abort {
            task.abort();
        }
        drop(task);
        assert_eq!((counts(&handle), handle.snapshot().in_flight), ([0; 4], Some(1)));
        finish.send(()).unwrap();
        while handle.snapshot().in_flight != Some(0) {
            tokio::task::yield_now().await;
        }
        assert_eq!(counts(&handle), [1, 0, 0, 0]);
    }
}

#[test]
fn blocking_work_that_is_aborted_before_it_begins_is_not_a_call() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    let handle = breaker(plain());
    let (finish, wait) = mpsc::channel::<()>();
    let busy = runtime.spawn_blocking(move || wait.recv());
    let task = runtime.spawn_blocking({
        let handle = handle.clone();
        move || handle.call(|| Ok::<_, Infallible>(()))
    });
    task.abort();
    finish.send(()).unwrap();
    runtime.block_on(async {
        busy.await.unwrap().unwrap();
        assert!(task.await.unwrap_err().is_cancelled());
    });
    assert_eq!(handle.snapshot().totals.admitted, Some(0));
}

#[tokio::test]
async fn a_panic_in_blocking_work_is_a_failure_and_reaches_the_waiter() {
    let handle = breaker(plain());
    let task = tokio::task::spawn_blocking({
        let handle = handle.clone();
        move || handle.call(|| -> Result<(), ()> { std::panic::panic_any(()) })
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(counts(&handle), [0, 1, 0, 0]);
}

async fn half(number: u32) -> Result<u32, String> {
    if number.is_multiple_of(2) { Ok(number / 2) } else { Err(format!("{number} is odd")) }
}

#[tokio::test(start_paused = true)]
async fn a_wrapped_function_is_called_like_the_original_and_counted() {
    let handle = breaker(plain());
    let half = handle.wrap(half);
    assert_eq!(half(8).await, Ok(4));
    for _ in 0..3 {
        assert_eq!(half(7).await, Err(BreakerError::Inner("7 is odd".to_owned())));
    }
    assert!(matches!(half(8).await, Err(BreakerError::Open(_))));
    assert_eq!((counts(&handle), handle.snapshot().totals.rejected), ([1, 3, 0, 0], 1));
}

#[tokio::test(start_paused = true)]
async fn a_wrapped_function_is_not_called_before_its_future_is_polled_and_never_if_rejected() {
    let handle = breaker(plain());
    let called = Arc::new(AtomicUsize::new(0));
    let wrapped = handle.wrap(|()| {
        called.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok::<_, ()>(()))
    });
    drop(wrapped(()));
    handle.force_open(None);
    let begun_closed = wrapped(());
    begun_closed.await.unwrap_err();
    assert_eq!(called.load(Ordering::Relaxed), 0);
    handle.reset();
    wrapped(()).await.unwrap();
    assert_eq!((called.load(Ordering::Relaxed), counts(&handle)), (1, [1, 0, 0, 0]));
}

#[tokio::test(start_paused = true)]
async fn a_wrapped_function_is_cloned_and_sent_and_its_clones_share_the_breaker() {
    let handle = breaker(plain());
    let half = handle.wrap(half);
    let tasks: Vec<_> = (0..4).map(|number| tokio::spawn((half.clone())(number))).collect();
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap().is_ok());
    }
    assert_eq!((done, counts(&handle)), (vec![true, false, true, false], [2, 2, 0, 0]));
}

#[tokio::test(start_paused = true)]
async fn a_function_that_is_not_clone_is_wrapped_by_reference() {
    struct Client(u32);
    let client = Client(3);
    let call = move |times: u32| {
        let Client(number) = &client;
        std::future::ready(Ok::<_, BoxError>(number * times))
    };
    let handle = breaker(plain());
    let wrapped = handle.wrap(&call);
    assert_eq!(wrapped(7).await.unwrap() + (wrapped.clone())(1).await.unwrap(), 24);
}

#[tokio::test(start_paused = true)]
async fn a_wrapped_call_that_is_dropped_is_cancelled_and_returns_its_lease() {
    let handle = breaker(plain());
    let hang = handle.wrap(|()| std::future::pending::<Result<(), ()>>());
    let mut hung = Box::pin(hang(()));
    assert!((&mut hung).now_or_never().is_none());
    assert_eq!(handle.snapshot().in_flight, Some(1));
    drop(hung);
    assert_eq!((handle.snapshot().in_flight, counts(&handle)), (Some(0), [0, 0, 1, 0]));
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_wrapped_function_is_a_failure_before_and_within_its_future() {
    let handle = breaker(plain());
    let before = handle.wrap(|()| -> std::future::Ready<Result<(), ()>> { panic!("before") });
    let within = handle.wrap(async |()| -> Result<(), ()> { panic!("within") });
    let classify = |_: &Result<(), ()>| panic!("classify");
    let classified = handle.wrap_with(async |()| Ok(()), classify);
    let messages = [
        AssertUnwindSafe(before(())).catch_unwind().await.unwrap_err(),
        AssertUnwindSafe(within(())).catch_unwind().await.unwrap_err(),
        AssertUnwindSafe(classified(())).catch_unwind().await.unwrap_err(),
    ]
    .map(|panic| *panic.downcast::<&'static str>().unwrap());
    assert_eq!(messages, ["before", "within", "classify"]);
    assert_eq!(counts(&handle), [0, 2, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_wrapped_call_is_dropped_before_its_result_is_classified() {
    let handle = breaker(plain());
    let held = Arc::new(());
    let weak = Arc::downgrade(&held);
    let classify = move |_: &Result<(), ()>| Outcome::failure_if(weak.upgrade().is_some());
    let wrapped = handle.wrap_with(
        |held: Arc<()>| {
            let mut held = Some(held);
            // Not an async block, because it drops its captures when it completes.
            std::future::poll_fn(move |_| {
                assert!(held.as_mut().is_some());
                std::task::Poll::Ready(Ok::<_, ()>(()))
            })
        },
        classify,
    );
    wrapped(held).await.unwrap();
    assert_eq!(counts(&handle), [1, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn debug_output_of_a_wrapped_call_shows_its_progress() {
    let handle = breaker(plain());
    let mut future = Box::pin(handle.wrap(async |()| {
        tokio::task::yield_now().await;
        Ok::<_, ()>(())
    })(()));
    let mut seen = vec![format!("{future:?}")];
    assert!((&mut future).now_or_never().is_none());
    seen.push(format!("{future:?}"));
    (&mut future).await.unwrap();
    seen.push(format!("{future:?}"));
    let states = ["not begun", "called", "over"];
    assert_eq!(seen, states.map(|state| format!("WrapFuture({state:?})")));
}
