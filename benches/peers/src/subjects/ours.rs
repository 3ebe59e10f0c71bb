use std::future::ready;

use tower_breaker::{Backoff, BreakerError, BreakerHandle, Settings, Trip};
use tower_breaker_benches::ours::{NEVER, settings, with};
use tower_layer::Layer;

use crate::dependency::Dependency;
use crate::direct::{DirectCall, call_sync, forever};
use crate::half_open::Guard;
use crate::outcome::MaybeRejection;
use crate::peer::{Limits, Peer};
use crate::scenario::Scenario;

impl<E> MaybeRejection for BreakerError<E> {
    fn is_rejection(&self) -> bool {
        self.rejection().is_some()
    }
}

fn cooled(settings: Settings, limits: Limits) -> Settings {
    let cooldown = Backoff::fixed(limits.cooldown).jitter(0.0);
    settings.to_builder().cooldown(cooldown).build().expect("valid settings")
}

fn streak(limits: Limits) -> Settings {
    cooled(settings(Trip::none().consecutive(if limits.trips { 5 } else { NEVER })), limits)
}

pub(super) struct Streak;

impl Peer for Streak {
    const KRATE: &str = "tower-breaker";
    const CONFIG: &str = "5 consecutive";

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        with(streak(limits)).layer(inner)
    }
}

pub(super) struct Default;

impl Peer for Default {
    const KRATE: &str = "tower-breaker";
    const CONFIG: &str = "default";
    const SCENARIOS: &[&[Scenario]] = &[Scenario::BREAKER, Scenario::WINDOW];

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        let never = || settings(Trip::none().consecutive(NEVER).failure_rate(0.5, NEVER));
        let settings = if limits.trips { Settings::default() } else { never() };
        with(cooled(settings, limits)).layer(inner)
    }
}

pub(super) struct Call;

impl Peer for Call {
    const KRATE: &str = "tower-breaker";
    const CONFIG: &str = "5 consecutive; own call, sync";
    // A synchronous function cannot be dropped midway, and cannot hang in the background.
    const UNSUPPORTED: &[Scenario] = &[Scenario::HalfOpenRejection, Scenario::HalfOpenCancelled];

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        let breaker = forever(BreakerHandle::new("bench", streak(limits)));
        DirectCall(move |request| ready(breaker.call(|| call_sync(inner, request))))
    }
}
