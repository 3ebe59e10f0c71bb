//! Somebody else's code that uses the breaker while the breaker runs it.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::{FutureExt, Stream};
use tower_breaker::{BreakerHandle, Config, Outcome, State};

use crate::support::doubles::{Down, Reply, call, config, guarded};

/// Runs `work` in a thread; a deadlock fails the test instead of hanging it.
fn within(work: impl FnOnce() + Send + 'static) {
    let (done, is_done) = channel();
    let worker = std::thread::spawn(move || {
        work();
        done.send(()).expect("somebody waits");
    });
    let ended = is_done.recv_timeout(Duration::from_secs(60));
    assert_ne!(ended, Err(RecvTimeoutError::Timeout), "a deadlock");
    worker.join().expect("no panic");
}

/// Everything that looks or locks, here and from a thread of its own: that one would wait for any lock that is held.
fn use_it(handle: &BreakerHandle, state: State) {
    let other = handle.clone();
    within(move || {
        assert_eq!((other.state(), other.snapshot().state), (state, state));
        other.reconfigure(other.settings());
        drop((other.watch(), other.events()));
        let _ = other.would_admit();
    });
    handle.reconfigure(handle.settings());
    assert_eq!((handle.state(), handle.snapshot().state), (state, state));
}

/// TR05, CB02, M09: listeners ran under the lock, and before the new state was shown: one that asked for it was told
/// the old one, and one that asked for more hung. FS05: so did those of a reset.
#[cfg(feature = "tracing")]
#[test]
fn an_observer_sees_the_new_state_and_may_use_the_breaker_whatever_made_it_change() {
    use std::sync::Mutex;

    use tower_breaker::Backoff;
    use tracing_subscriber::layer::{Layer, SubscriberExt};

    // Whether anybody listens is remembered for the whole process.
    let name = "an_observer_sees_the_new_state_and_may_use_the_breaker_whatever_made_it_change";
    if !crate::defects::is_alone(&format!("callbacks::{name}")) {
        return;
    }

    struct Uses(BreakerHandle, Arc<Mutex<Vec<State>>>);
    impl<S: tracing::Subscriber> Layer<S> for Uses {
        fn on_event(
            &self,
            event: &tracing::Event<'_>,
            _: tracing_subscriber::layer::Context<'_, S>,
        ) {
            if event.metadata().target() == "tower_breaker" {
                let state = self.0.state();
                self.1.lock().unwrap().push(state);
                use_it(&self.0, state);
            }
        }
    }

    within(|| {
        // Longer than anybody looks.
        let cooldown = Backoff::fixed(Duration::from_secs(3_600));
        let settings =
            crate::support::doubles::settings().to_builder().cooldown(cooldown).build().unwrap();
        let handle = BreakerHandle::new("observed", settings);
        let seen = Arc::default();
        let observer = tracing_subscriber::registry().with(Uses(handle.clone(), Arc::clone(&seen)));
        tracing::subscriber::with_default(observer, || {
            for _ in 0..2 {
                let _ = handle.call(|| Err::<(), _>(()));
            }
            handle.reset();
            handle.hold_for(Duration::ZERO);
            let _ = handle.call(|| Ok::<_, ()>(()));
            handle.force_open(None);
            handle.force_closed();
        });
        use State::*;
        let seen = seen.lock().unwrap();
        // A hold of no time is due when it is seen, so the opening and the half-opening look alike.
        assert_eq!(*seen, [Open, Closed, HalfOpen, HalfOpen, Closed, ForcedOpen, Closed]);
    });
}

/// TR05, CB02: the same of what judges a result, and of what answers a rejection.
#[test]
fn a_classifier_and_an_answer_may_use_the_breaker() {
    within(|| {
        let own: Arc<OnceLock<BreakerHandle>> = Arc::default();
        let (judging, answering) = (Arc::clone(&own), Arc::clone(&own));
        let judge = move |result: Result<&&'static str, &Down>| {
            let handle = judging.get().unwrap();
            use_it(handle, State::Closed);
            if result.is_err() {
                handle.force_open(None);
            }
            Outcome::failure()
        };
        let answer = move |(), _| {
            let handle = answering.get().unwrap();
            use_it(handle, State::ForcedOpen);
            handle.force_closed();
            "instead"
        };
        let (mut service, script, handle) =
            guarded(config().classify_fn(judge).reject_with(answer));
        assert!(own.set(handle.clone()).is_ok());
        assert_eq!(call(&mut service).now_or_never().unwrap(), Ok("ok"));
        script.reply(Reply::Fails);
        assert_eq!(call(&mut service).now_or_never().unwrap(), Err(Down));
        assert_eq!(call(&mut service).now_or_never().unwrap(), Ok("instead"));
        let seen = handle.snapshot();
        assert_eq!((seen.state, seen.totals.failure, seen.totals.late), (State::Closed, 1, 1));
    });
}

/// A task that looks at the breaker when it is woken, and when it is dropped.
struct Busy(BreakerHandle);

impl Wake for Busy {
    fn wake(self: Arc<Self>) {
        use_it(&self.0, self.0.state());
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        use_it(&self.0, self.0.state());
    }
}

/// TR05: what is woken is somebody else's code, too.
#[test]
fn whoever_is_woken_may_use_the_breaker_from_inside_the_wake() {
    within(|| {
        let (mut service, _, handle) = guarded(Config::pending_while_open(config()));
        handle.force_open(None);
        for _ in 0..3 {
            let mut watch = Box::pin(handle.watch());
            let mut again = Box::pin(handle.events());
            for _ in 0..2 {
                // The second waker takes the place of the first, whose task ends with it.
                let waker = Waker::from(Arc::new(Busy(handle.clone())));
                let mut cx = Context::from_waker(&waker);
                assert!(watch.as_mut().poll_next(&mut cx).is_pending());
                assert!(again.as_mut().poll_next(&mut cx).is_pending());
                let waits = tower::Service::poll_ready(&mut service, &mut cx);
                assert!(matches!(waits, Poll::Pending));
            }
            handle.force_closed();
            handle.force_open(None);
            // Left while it waits.
            let waker = Waker::from(Arc::new(Busy(handle.clone())));
            let _ = watch.as_mut().poll_next(&mut Context::from_waker(&waker));
        }
        drop(service);
        assert_eq!(handle.state(), State::ForcedOpen);
    });
}
