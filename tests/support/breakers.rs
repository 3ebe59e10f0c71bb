//! Breakers with simple settings, and short functions for calls.

use std::time::Duration;

use tower_breaker::{
    Backoff, BreakerHandle, Outcome, Permit, Settings, SettingsBuilder, State, Transition, Trip,
    handle::Events,
};

pub(crate) const S: fn(u64) -> Duration = Duration::from_secs;
pub(crate) const MS: fn(u64) -> Duration = Duration::from_millis;

/// The cooldown of [`plain`].
pub(crate) const COOLDOWN: Duration = Duration::from_secs(10);

/// Settings with one rule, 3 failures in a row, a cooldown of exactly 10 s, no jitter, and a count of calls in flight.
pub(crate) fn plain() -> SettingsBuilder {
    Settings::builder()
        .trip(Trip::none().consecutive(3))
        .cooldown(Backoff::fixed(COOLDOWN))
        .hold_jitter(0.0)
        .track_in_flight(true)
}

/// [`plain`] with other rules.
pub(crate) fn ruled(trip: Trip) -> SettingsBuilder {
    plain().trip(trip)
}

pub(crate) fn breaker(settings: SettingsBuilder) -> BreakerHandle {
    BreakerHandle::new("test", settings.build().expect("valid settings"))
}

/// Takes a permit.
///
/// # Panics
///
/// Panics if the call is rejected.
#[track_caller]
pub(crate) fn admit(handle: &BreakerHandle) -> Permit {
    handle.try_acquire().expect("a permit")
}

#[track_caller]
pub(crate) fn settle(handle: &BreakerHandle, outcome: Outcome) {
    admit(handle).settle(outcome);
}

#[track_caller]
pub(crate) fn fail(handle: &BreakerHandle, times: usize) {
    for _ in 0..times {
        settle(handle, Outcome::failure());
    }
}

#[track_caller]
pub(crate) fn succeed(handle: &BreakerHandle, times: usize) {
    for _ in 0..times {
        settle(handle, Outcome::success());
    }
}

/// Opens the circuit of a [`plain`] breaker.
#[track_caller]
pub(crate) fn trip(handle: &BreakerHandle) {
    fail(handle, 3);
    assert_eq!(handle.state(), State::Open);
}

/// Opens the circuit of a [`plain`] breaker, advances the clock by the cooldown, and takes the first probe.
pub(crate) async fn probe(handle: &BreakerHandle) -> Permit {
    trip(handle);
    pass(COOLDOWN).await;
    let probe = admit(handle);
    assert!(probe.is_probe());
    probe
}

pub(crate) async fn pass(time: Duration) {
    tokio::time::advance(time).await;
}

/// The time for which the circuit stays open.
#[track_caller]
pub(crate) fn open_for(handle: &BreakerHandle) -> Duration {
    let snapshot = handle.snapshot();
    assert_eq!(snapshot.state, State::Open);
    let now = tokio::time::Instant::now().into_std();
    snapshot.until.expect("an open circuit with an end").saturating_duration_since(now)
}

/// The transitions since the last call.
pub(crate) fn drain(events: &mut Events) -> Vec<Transition> {
    std::iter::from_fn(|| events.try_recv()).map(|event| event.expect("not lagged")).collect()
}

/// Polls a future once. Returns `None` if it is pending.
pub(crate) async fn now_or_never<T>(next: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = next => Some(done),
        () = std::future::ready(()) => None,
    }
}
