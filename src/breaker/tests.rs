use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;

use super::*;
use crate::event::Observer;
use crate::machine::{Snapshot, Transition};
use crate::outcome::{Class, Outcome};
use crate::settings::Throttled;
use crate::trip::Trip;

/// Records transitions by their new state, and outcomes by their class.
#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

impl Observer for Recorder {
    fn transition(&self, transition: &Transition) {
        self.0.lock().unwrap().push(transition.to.to_string());
    }

    fn settled(&self, breaker: &str, outcome: &Outcome) {
        let class = outcome.class();
        self.0.lock().unwrap().push(format!("{breaker} {class} {:?}", outcome.wait()));
    }
}

impl Recorder {
    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn observed(trip: Trip, throttled: Throttled) -> (BreakerHandle, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    let settings = Settings::builder().trip(trip).throttled(throttled);
    let settings = settings.cancelled_after(Duration::from_secs(10)).build().expect("valid");
    (BreakerHandle::with_observers("db", settings, vec![recorder.clone()]), recorder)
}

fn settle(handle: &BreakerHandle, outcome: Outcome) {
    handle.try_acquire().expect("admitted").settle(outcome);
}

#[test]
fn an_observer_gets_what_went_wrong_and_nothing_else() {
    let wait = Duration::from_secs(3);
    // The streak alone has a fast path for failures; a window has none.
    for trip in [Trip::none().consecutive(9), Trip::none().failure_rate(0.9, 100)] {
        let (handle, recorder) = observed(trip, Throttled::ignore());
        settle(&handle, Outcome::success());
        settle(&handle, Outcome::ignored());
        settle(&handle, Outcome::throttled());
        drop(handle.try_acquire().expect("admitted"));
        assert_eq!(recorder.seen(), [""; 0]);
        settle(&handle, Outcome::failure());
        handle.try_acquire().expect("admitted").failure();
        settle(&handle, Outcome::failure().retry_after(wait));
        assert_eq!(recorder.seen(), ["db failure None", "db failure None", "db failure Some(3s)"]);
        assert_eq!(handle.snapshot().totals.failure, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_gets_outcomes_under_the_class_that_counts() {
    let trip = Trip::none().consecutive(9);
    let (handle, recorder) = observed(trip, Throttled::count_as_failure());
    settle(&handle, Outcome::throttled());
    let hangs = handle.try_acquire().expect("admitted");
    tokio::time::advance(Duration::from_secs(10)).await;
    drop(hangs);
    assert_eq!(recorder.seen(), ["db failure None", "db failure None"]);
    assert_eq!(handle.snapshot().window.consecutive_failures, 2);
}

#[test]
fn a_failure_is_reported_before_the_trip_that_it_causes_and_a_late_one_not_at_all() {
    let (handle, recorder) = observed(Trip::none().consecutive(1), Throttled::hold());
    let late = handle.try_acquire().expect("admitted");
    settle(&handle, Outcome::failure());
    assert_eq!(recorder.seen(), ["db failure None", "open"]);
    late.failure();
    assert_eq!(recorder.seen(), [""; 0]);
    handle.reset();
    settle(&handle, Outcome::exhausted());
    assert_eq!(recorder.seen(), ["closed", "db exhausted None", "open"]);
}

#[tokio::test]
async fn a_stream_that_breaks_after_its_probe_succeeded_is_reported() {
    let (handle, recorder) = observed(Trip::none().consecutive(9), Throttled::hold());
    handle.hold_for(Duration::ZERO);
    let stream = futures_util::stream::iter([Ok(()), Err("broken")]);
    assert_eq!(handle.guard_stream(stream).count().await, 2);
    assert_eq!(recorder.seen(), ["open", "half_open", "closed", "db failure None"]);
    assert_eq!(handle.snapshot().totals.broken_after, 1);
}

#[test]
fn a_shared_observer_serves_several_breakers_of_a_config() {
    let recorder = Arc::new(Recorder::default());
    let config = crate::Config::default().observe(Arc::clone(&recorder));
    for name in ["one", "two"] {
        let layer = crate::CircuitBreakerLayer::new(config.clone().name(name));
        settle(&layer.handle(), Outcome::failure());
    }
    assert_eq!(recorder.seen(), ["one failure None", "two failure None"]);
}

#[test]
fn observers_of_transitions_alone_leave_the_fast_path_of_failures() {
    let settings = Settings::builder().trip(Trip::none().consecutive(9)).build().expect("valid");
    let ignores = |_: &Transition| {};
    let handle = BreakerHandle::with_observers("db", settings.clone(), vec![Arc::new(ignores)]);
    let failure = Outcome::failure();
    let permit = handle.shared().admit().expect("closed");
    assert!(handle.shared().settle_failure(&permit, &failure));
    let (handle, _recorder) = observed(Trip::none().consecutive(9), Throttled::hold());
    handle.reconfigure(settings);
    let permit = handle.shared().admit().expect("closed");
    assert!(!handle.shared().settle_failure(&permit, &failure), "the observer wants it");
}

#[test]
fn a_panicking_observer_neither_keeps_the_circuit_closed_nor_silences_the_others() {
    struct Panics;

    impl Observer for Panics {
        fn transition(&self, transition: &Transition) {
            panic!("on purpose: {}", transition.to);
        }

        fn settled(&self, _: &str, outcome: &Outcome) {
            panic!("on purpose: {}", outcome.class());
        }
    }

    let recorder = Arc::new(Recorder::default());
    let settings = Settings::builder().trip(Trip::none().consecutive(1)).build().expect("valid");
    let observers: Vec<Arc<dyn Observer>> = vec![Arc::new(Panics), recorder.clone()];
    let handle = BreakerHandle::with_observers("db", settings, observers);
    handle.add_listener(&recorder);
    let fails = AssertUnwindSafe(|| settle(&handle, Outcome::failure()));
    let panic = catch_unwind(fails).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "on purpose: open");
    assert_eq!(handle.state(), State::Open);
    assert_eq!(recorder.seen(), ["db failure None", "open", "open"]);
}

#[test]
fn a_transition_that_an_observer_causes_is_delivered_to_all_after_the_current_one() {
    let inside: Arc<Mutex<Option<BreakerHandle>>> = Arc::default();
    let handle = Arc::clone(&inside);
    let releases = move |transition: &Transition| {
        if transition.to == State::ForcedOpen
            && let Some(handle) = &*handle.lock().unwrap()
        {
            handle.force_closed();
        }
    };
    let recorder = Arc::new(Recorder::default());
    let observers: Vec<Arc<dyn Observer>> = vec![Arc::new(releases), recorder.clone()];
    let handle = BreakerHandle::with_observers("db", Settings::default(), observers);
    *inside.lock().unwrap() = Some(handle.clone());
    handle.force_open(None);
    *inside.lock().unwrap() = None;
    assert_eq!(recorder.seen(), ["forced_open", "closed"]);
}

#[test]
fn values_for_tests_are_what_they_are_asked_to_be() {
    let snapshot = Snapshot::for_test("db", State::ForcedOpen);
    assert_eq!((&*snapshot.breaker, snapshot.mode), ("db", crate::Mode::ForcedOpen));
    let transition =
        Transition::for_test("db", State::Closed, State::Open, crate::Cause::FailureRate);
    assert_eq!((transition.to, transition.cause), (State::Open, crate::Cause::FailureRate));
    let open = crate::CircuitOpen::for_test(
        "db",
        State::Open,
        crate::Cause::FailureRate,
        Some(Duration::MAX),
    );
    assert_eq!((open.name(), open.retry_after()), ("db", None));
    assert_eq!(Outcome::failure().counted_as(Class::Ignored).class(), Class::Ignored);
}
