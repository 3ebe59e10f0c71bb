//! Breakers with plain numbers, and short words for what tests do with them.

use std::time::Duration;

use tower_breaker::{
    Backoff, BreakerHandle, Outcome, Permit, Settings, SettingsBuilder, State, Transition, Trip,
    handle::Events,
};

pub(crate) const S: fn(u64) -> Duration = Duration::from_secs;
pub(crate) const MS: fn(u64) -> Duration = Duration::from_millis;

/// The cooldown of [`plain`].
pub(crate) const COOLDOWN: Duration = Duration::from_secs(10);

/// 3 failures in a row; open for exactly 10 s; no jitter anywhere; calls in flight are counted.
pub(crate) fn plain() -> SettingsBuilder {
    Settings::builder()
        .trip(Trip::none().consecutive(3))
        .cooldown(Backoff::fixed(COOLDOWN))
        .hold_jitter(0.0)
        .track_in_flight(true)
}

/// No rule but `trip`.
pub(crate) fn ruled(trip: Trip) -> SettingsBuilder {
    plain().trip(trip)
}

pub(crate) fn breaker(settings: SettingsBuilder) -> BreakerHandle {
    BreakerHandle::new("test", settings.build().expect("valid settings"))
}

/// A permit that has to be given.
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

/// Opens a [`plain`] breaker.
#[track_caller]
pub(crate) fn trip(handle: &BreakerHandle) {
    fail(handle, 3);
    assert_eq!(handle.state(), State::Open);
}

/// Opens a [`plain`] breaker, waits for its cooldown, and takes the first probe.
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

/// How long the Open lasts from now on.
#[track_caller]
pub(crate) fn open_for(handle: &BreakerHandle) -> Duration {
    let snapshot = handle.snapshot();
    assert_eq!(snapshot.state, State::Open);
    let now = tokio::time::Instant::now().into_std();
    snapshot.until.expect("an open circuit knows").saturating_duration_since(now)
}

/// Everything that happened since the last look.
pub(crate) fn drain(events: &mut Events) -> Vec<Transition> {
    std::iter::from_fn(|| events.try_recv()).map(|event| event.expect("not lagged")).collect()
}

/// What `next` is worth when nothing else can happen any more; `None` if it still waits.
pub(crate) async fn now_or_never<T>(next: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = next => Some(done),
        () = std::future::ready(()) => None,
    }
}
