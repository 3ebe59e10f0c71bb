use std::time::Duration;

use failsafe::failure_policy::{consecutive_failures, success_rate_over_time_window};
use failsafe::futures::CircuitBreaker;
use failsafe::{Config, Error, FailurePolicy, backoff};

use crate::dependency::Dependency;
use crate::direct::{DirectCall, forever};
use crate::half_open::Guard;
use crate::outcome::MaybeRejection;
use crate::peer::{Limits, Peer};
use crate::scenario::Scenario;

const KRATE: &str = "failsafe 1.3";
/// Every call is a probe.
const UNSUPPORTED: &[Scenario] = &[Scenario::HalfOpenRejection];
/// The backoffs of failsafe have whole seconds.
const COOLDOWN: Duration = Duration::from_secs(1);

impl<E> MaybeRejection for Error<E> {
    fn is_rejection(&self) -> bool {
        matches!(self, Self::Rejected)
    }
}

fn guard<S: Dependency>(
    inner: S,
    policy: impl FailurePolicy + Send + Sync + std::fmt::Debug + 'static,
) -> impl Guard {
    let breaker = forever(Config::new().failure_policy(policy).build());
    DirectCall(move |request| {
        let mut inner = inner;
        breaker.call(inner.call(request))
    })
}

fn streak(limits: Limits) -> impl FailurePolicy + Send + Sync + std::fmt::Debug + 'static {
    let failures = if limits.trips { 5 } else { u32::MAX };
    consecutive_failures(failures, backoff::constant(limits.cooldown))
}

pub(super) struct Streak;

impl Peer for Streak {
    const KRATE: &str = KRATE;
    const CONFIG: &str = "5 consecutive; own call, async";
    const UNSUPPORTED: &[Scenario] = UNSUPPORTED;
    const COOLDOWN: Duration = COOLDOWN;

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        guard(inner, streak(limits))
    }
}

pub(super) struct Default;

impl Peer for Default {
    const KRATE: &str = KRATE;
    const CONFIG: &str = "default; own call, async";
    const SCENARIOS: &[&[Scenario]] = &[Scenario::BREAKER, Scenario::WINDOW];
    const UNSUPPORTED: &[Scenario] = UNSUPPORTED;
    const COOLDOWN: Duration = COOLDOWN;

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        let requests = if limits.trips { 5 } else { u32::MAX };
        let backoff = backoff::constant(limits.cooldown);
        let window = Duration::from_secs(30);
        let rate = success_rate_over_time_window(0.8, requests, window, backoff);
        guard(inner, rate.or_else(streak(limits)))
    }
}
