//! Callbacks, subscribers and wakers that use the breaker while the breaker runs them.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::{FutureExt, Stream};
use tower_breaker::{BreakerHandle, Config, Outcome, State};

use crate::support::doubles::{Down, Reply, call, config, guarded};

/// Runs `work` in a thread. A deadlock fails the test instead of hanging it.
fn within(work: impl FnOnce() + Send + 'static) {
    let (done, is_done) = channel();
    let worker = std::thread::spawn(move || {
        work();
        done.send(()).expect("the test waits");
    });
    let ended = is_done.recv_timeout(Duration::from_secs(60));
    assert_ne!(ended, Err(RecvTimeoutError::Timeout), "a deadlock");
    worker.join().expect("no panic");
}

/// Reads and locks the breaker in this thread and in another one. The other thread would wait for any held lock.
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

/// TR05, CB02, M09: listeners ran under the lock and before the new state was visible. A listener that read the state
/// got the old one, and a listener that locked the breaker hung. FS05: the callbacks of `reset` hung in the same way.
#[cfg(feature = "tracing")]
#[test]
fn a_subscriber_sees_the_new_state_and_may_use_the_breaker_after_every_kind_of_change() {
    use std::sync::Mutex;

    use tower_breaker::Backoff;
    use tracing_subscriber::layer::{Layer, SubscriberExt};

    // `tracing` caches for the whole process whether a subscriber is interested.
    let name = "a_subscriber_sees_the_new_state_and_may_use_the_breaker_after_every_kind_of_change";
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
        // Longer than the test runs.
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
        // A hold of zero is due at once, so both of its transitions read as half-open.
        assert_eq!(*seen, [Open, Closed, HalfOpen, HalfOpen, Closed, ForcedOpen, Closed]);
    });
}

/// TR05, CB02: the classifier and the rejection policy ran under the lock.
#[test]
fn a_classifier_and_a_rejection_policy_may_use_the_breaker() {
    within(|| {
        let own: Arc<OnceLock<BreakerHandle>> = Arc::default();
        let (for_classifier, for_policy) = (Arc::clone(&own), Arc::clone(&own));
        let classify = move |result: Result<&&'static str, &Down>| {
            let handle = for_classifier.get().unwrap();
            use_it(handle, State::Closed);
            if result.is_err() {
                handle.force_open(None);
            }
            Outcome::failure()
        };
        let answer = move |(), _| {
            let handle = for_policy.get().unwrap();
            use_it(handle, State::ForcedOpen);
            handle.force_closed();
            "instead"
        };
        let (mut service, script, handle) =
            guarded(config().classify_fn(classify).reject_with(answer));
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

/// TR05: a waker is user code that the breaker runs.
#[test]
fn a_waker_may_use_the_breaker_while_it_is_woken_or_dropped() {
    within(|| {
        let (mut service, _, handle) = guarded(Config::pending_while_open(config()));
        handle.force_open(None);
        for _ in 0..3 {
            let mut watch = Box::pin(handle.watch());
            let mut again = Box::pin(handle.events());
            for _ in 0..2 {
                // The second waker replaces the first one and drops its task.
                let waker = Waker::from(Arc::new(Busy(handle.clone())));
                let mut cx = Context::from_waker(&waker);
                assert!(watch.as_mut().poll_next(&mut cx).is_pending());
                assert!(again.as_mut().poll_next(&mut cx).is_pending());
                let waits = tower::Service::poll_ready(&mut service, &mut cx);
                assert!(matches!(waits, Poll::Pending));
            }
            handle.force_closed();
            handle.force_open(None);
            // Dropped while it waits.
            let waker = Waker::from(Arc::new(Busy(handle.clone())));
            let _ = watch.as_mut().poll_next(&mut Context::from_waker(&waker));
        }
        drop(service);
        assert_eq!(handle.state(), State::ForcedOpen);
    });
}
