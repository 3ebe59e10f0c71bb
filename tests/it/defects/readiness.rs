//! `poll_ready` that is pending without a reason or without a waker.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::{FutureExt, Stream};
use tower::{Layer, Service, service_fn};
use tower_breaker::{
    Backoff, BreakerHandle, CircuitBreakerLayer, CircuitOpen, Config, Settings, State, Trip,
};

use crate::defects::Done;
use crate::support::breakers::{S, breaker, plain};

fn layer(config: Config) -> CircuitBreakerLayer {
    let settings = Settings::builder()
        .trip(Trip::none().consecutive(2))
        .cooldown(Backoff::fixed(std::time::Duration::from_micros(1)))
        .build();
    CircuitBreakerLayer::new(config.settings(settings.unwrap()))
}

/// TR06, TR07, TR07b: while another thread held the lock, `poll_ready` slept. A rejection took a millisecond, a call
/// outside a runtime panicked, and if the sleep was over at once, the waker was lost and the task hung forever.
#[test]
fn contention_never_makes_a_ready_service_pending() {
    let layer = layer(Config::default());
    let handle = layer.handle();
    let (calls, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut service = layer.layer(service_fn(|()| {
                    // The circuit opens, half-opens and closes all the time.
                    let call = calls.fetch_add(1, SeqCst);
                    ready(if call % 8 < 3 { Err("down") } else { Ok(()) })
                }));
                let mut cx = Context::from_waker(Waker::noop());
                while done.load(SeqCst) == 0 {
                    assert!(matches!(service.poll_ready(&mut cx), Poll::Ready(Ok(()))));
                    assert!(service.call(()).now_or_never().is_some());
                }
            });
        }
        let _done = Done(&done);
        for _ in 0..20_000 {
            handle.force_open(None);
            handle.force_closed();
        }
    });
}

/// Whether the waker was woken.
#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

/// TR07: `poll_ready` returned `Pending` while no clone of the waker was alive.
#[tokio::test(start_paused = true)]
async fn a_pending_caller_has_left_a_waker_or_was_woken() {
    let layer = layer(Config::default().pending_while_open());
    let handle = layer.handle();
    let runtime = tokio::runtime::Handle::current();
    let done = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let _clock = runtime.enter();
                let mut service = layer.layer(service_fn(|()| ready(Ok::<_, CircuitOpen>(()))));
                let _done = Done(&done);
                let mut waited = 0;
                while waited < 300 {
                    let flag = Arc::new(Flag::default());
                    let waker = Waker::from(Arc::clone(&flag));
                    if service.poll_ready(&mut Context::from_waker(&waker)).is_pending() {
                        waited += 1;
                        let held = Arc::strong_count(&flag) > 2;
                        assert!(held || flag.0.load(SeqCst), "no waker is registered");
                    }
                }
            });
        }
        let _clock = runtime.enter();
        let verbs: [fn(&BreakerHandle); 4] = [
            |handle| handle.force_open(None),
            BreakerHandle::force_closed,
            |handle| handle.hold_for(S(1)),
            BreakerHandle::reset,
        ];
        for verb in verbs.iter().cycle().take_while(|_| done.load(SeqCst) < 3) {
            verb(&handle);
        }
    });
}

/// FS04: a stream behind an open circuit was always ready with another rejection, so its reader used a whole core.
#[tokio::test(start_paused = true)]
async fn a_stream_of_an_open_circuit_is_pending_and_a_rejection_is_reported_once() {
    let handle = breaker(plain());
    let mut events = tokio_test::task::spawn(handle.events());
    let mut watch = tokio_test::task::spawn(handle.watch());
    handle.force_open(None);
    assert!(events.enter(|cx, events| events.poll_next(cx)).is_ready());
    assert!(watch.enter(|cx, watch| watch.poll_next(cx)).is_ready());
    for _ in 0..3 {
        assert!(handle.try_acquire().is_err());
        assert!(events.enter(|cx, events| events.poll_next(cx)).is_pending());
        assert!(watch.enter(|cx, watch| watch.poll_next(cx)).is_pending());
        assert!(!events.is_woken() && !watch.is_woken());
    }

    let layer = CircuitBreakerLayer::join(&handle, Config::default());
    let mut service = layer.layer(service_fn(|()| ready(Ok::<_, CircuitOpen>(()))));
    let mut task = tokio_test::task::spawn(());
    assert!(task.enter(|cx, _| service.poll_ready(cx)).is_ready());
    let mut call = tokio_test::task::spawn(service.call(()));
    assert!(call.poll().is_ready() && !call.is_woken() && !task.is_woken());
    assert_eq!((handle.state(), handle.snapshot().totals.rejected), (State::ForcedOpen, 4));
}
