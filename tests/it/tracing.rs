//! One event for each transition: `warn` when the circuit opens, `info` otherwise. No event for a rejected call.
#![cfg(feature = "tracing")]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::Stream;
use tower_breaker::{Backoff, BreakerHandle, Outcome, Settings, State, Trip};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry;

type Fields = BTreeMap<String, String>;

/// Records every event, and runs `then` after each, which may use the breaker.
struct Capture<F> {
    events: Arc<Mutex<Vec<(Level, Fields)>>>,
    then: F,
}

struct Reader<'a>(&'a mut Fields);

impl Visit for Reader<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl<S: Subscriber, F: Fn(&Fields) + 'static> Layer<S> for Capture<F> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != "tower_breaker" {
            return;
        }
        let mut fields = Fields::new();
        event.record(&mut Reader(&mut fields));
        (self.then)(&fields);
        self.events.lock().unwrap().push((*event.metadata().level(), fields));
    }
}

fn settings() -> Settings {
    let trip = Trip::none().consecutive(2).failure_rate(0.5, 10);
    let cooldown = Backoff::fixed(Duration::from_secs(5));
    Settings::builder().trip(trip).cooldown(cooldown).build().expect("valid")
}

fn captured(
    then: impl Fn(&Fields) + Send + Sync + 'static,
    run: impl FnOnce(),
) -> Vec<(Level, Fields)> {
    let events = Arc::new(Mutex::new(Vec::new()));
    let capture = Capture { events: Arc::clone(&events), then };
    tracing::subscriber::with_default(registry().with(capture), run);
    let mut events = events.lock().unwrap();
    std::mem::take(&mut *events)
}

fn fail(handle: &BreakerHandle) {
    let permit = handle.try_acquire().expect("closed");
    permit.settle(Outcome::failure().code(503).reason("Service Unavailable"));
}

#[tokio::test(start_paused = true)]
async fn a_trip_is_a_warning_with_its_cause_and_its_counts() {
    let handle = BreakerHandle::new("payments", settings());
    let events = captured(|_| (), || (0..2).for_each(|_| fail(&handle)));
    let [(level, fields)] = &events[..] else { panic!("one event, not {events:?}") };
    assert_eq!(*level, Level::WARN);
    for (name, value) in [
        ("breaker", "payments"),
        ("from", "closed"),
        ("to", "open"),
        ("cause", "consecutive_failures"),
        ("calls", "2"),
        ("failures", "2"),
        ("consecutive_failures", "2"),
        ("open_for", "5s"),
        ("attempt", "0"),
        ("last_error", "Service Unavailable (503)"),
    ] {
        assert_eq!(fields.get(name).map(String::as_str), Some(value), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejected_call_emits_no_event_and_a_recovery_is_information() {
    let handle = BreakerHandle::new("payments", settings());
    (0..2).for_each(|_| fail(&handle));
    let rejected = captured(|_| (), || (0..100).for_each(|_| drop(handle.try_acquire())));
    assert_eq!(rejected, []);
    tokio::time::advance(Duration::from_secs(5)).await;
    let events = captured(|_| (), || handle.try_acquire().expect("a probe").success());
    let seen: Vec<_> =
        events.iter().map(|(level, fields)| (*level, &*fields["to"], &*fields["cause"])).collect();
    let expected =
        [(Level::INFO, "half_open", "cooldown_elapsed"), (Level::INFO, "closed", "recovered")];
    assert_eq!(seen, expected);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_may_use_the_breaker_and_its_own_change_is_emitted_afterwards() {
    let handle = BreakerHandle::new("payments", settings());
    let inside = handle.clone();
    let then = move |fields: &Fields| {
        assert_eq!(inside.snapshot().breaker, "payments".into());
        if fields["to"] == "open" {
            inside.force_open(None);
        }
    };
    let events = captured(then, || (0..2).for_each(|_| fail(&handle)));
    let seen: Vec<_> = events.iter().map(|(_, fields)| &*fields["to"]).collect();
    assert_eq!(seen, ["open", "forced_open"]);
    assert_eq!(handle.state(), State::ForcedOpen);
}

#[test]
fn a_subscriber_that_panics_silences_no_later_event() {
    let handle = BreakerHandle::new("payments", settings());
    let then = |fields: &Fields| assert_ne!(fields["to"], "forced_open", "on purpose");
    let mut watch = tokio_test::task::spawn(handle.watch());
    assert!(watch.enter(|cx, watch| watch.poll_next(cx)).is_pending());
    let events = captured(then, || {
        let forced = std::panic::AssertUnwindSafe(|| handle.force_open(None));
        std::panic::catch_unwind(forced).unwrap_err();
        assert!(watch.is_woken());
        handle.force_closed();
    });
    let seen: Vec<_> = events.iter().map(|(_, fields)| &*fields["to"]).collect();
    assert_eq!(seen, ["closed"]);
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_panics_on_a_probe_keeps_no_lease() {
    let settings = Settings::builder().track_in_flight(true).build().expect("valid");
    let handle = BreakerHandle::new("payments", settings);
    handle.hold_for(Duration::from_secs(5));
    tokio::time::advance(Duration::from_secs(5)).await;
    let then = |fields: &Fields| assert_ne!(fields["to"], "half_open", "on purpose");
    let events = captured(then, || {
        let probe = std::panic::AssertUnwindSafe(|| handle.try_acquire());
        std::panic::catch_unwind(probe).unwrap_err();
        let snapshot = handle.snapshot();
        assert_eq!((snapshot.probes, snapshot.in_flight), (0, Some(0)));
        handle.try_acquire().expect("the next probe").success();
    });
    let seen: Vec<_> = events.iter().map(|(_, fields)| &*fields["to"]).collect();
    assert_eq!(seen, ["closed"]);
}
