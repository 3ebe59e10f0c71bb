use std::time::Duration;

use failsafe::failure_policy::{consecutive_failures, success_rate_over_time_window};
use failsafe::futures::CircuitBreaker;
use failsafe::{Config, Error, FailurePolicy, backoff};

use crate::dependency::Dependency;
use crate::half_open::Guard;
use crate::outcome::Verdict;
use crate::own::{Own, forever};
use crate::peer::{Limits, Peer};
use crate::scenario::Scenario;

const KRATE: &str = "failsafe 1.3";
/// Every call is a probe.
const CANNOT: &[Scenario] = &[Scenario::HalfOpenRejection];
/// Its backoffs have whole seconds.
const COOLDOWN: Duration = Duration::from_secs(1);

impl<E> Verdict for Error<E> {
    fn rejected(&self) -> bool {
        matches!(self, Self::Rejected)
    }
}

fn guard<S: Dependency>(
    inner: S,
    policy: impl FailurePolicy + Send + Sync + std::fmt::Debug + 'static,
) -> impl Guard {
    let breaker = forever(Config::new().failure_policy(policy).build());
    Own(move |request| {
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
    const CANNOT: &[Scenario] = CANNOT;
    const COOLDOWN: Duration = COOLDOWN;

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        guard(inner, streak(limits))
    }
}

pub(super) struct Default;

impl Peer for Default {
    const KRATE: &str = KRATE;
    const CONFIG: &str = "default; own call, async";
    const ASKED: &[&[Scenario]] = &[Scenario::BREAKER, Scenario::WINDOW];
    const CANNOT: &[Scenario] = CANNOT;
    const COOLDOWN: Duration = COOLDOWN;

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        let requests = if limits.trips { 5 } else { u32::MAX };
        let backoff = backoff::constant(limits.cooldown);
        let window = Duration::from_secs(30);
        let rate = success_rate_over_time_window(0.8, requests, window, backoff);
        guard(inner, rate.or_else(streak(limits)))
    }
}
