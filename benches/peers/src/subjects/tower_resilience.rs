use std::time::Duration;

use tower_layer::Layer;
use tower_resilience_circuitbreaker::{
    CircuitBreakerConfigBuilder, CircuitBreakerError, CircuitBreakerLayer, SlidingWindowType,
};

use crate::dependency::Dependency;
use crate::half_open::Guard;
use crate::outcome::MaybeRejection;
use crate::peer::{Limits, Peer};
use crate::scenario::Scenario;

const KRATE: &str = "tower-resilience-circuitbreaker 0.14";

impl<E> MaybeRejection for CircuitBreakerError<E> {
    fn is_rejection(&self) -> bool {
        self.is_circuit_open()
    }
}

fn builder(limits: Limits) -> CircuitBreakerConfigBuilder {
    CircuitBreakerLayer::builder().wait_duration_in_open(limits.cooldown)
}

fn finish<S: Dependency>(builder: CircuitBreakerConfigBuilder, inner: S) -> impl Guard {
    builder.build().expect("valid settings").layer(inner)
}

pub(super) struct Count;

impl Peer for Count {
    const KRATE: &str = KRATE;
    const CONFIG: &str = "default (count)";
    const WAITS: bool = true;

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        let builder = builder(limits);
        let never =
            |builder: CircuitBreakerConfigBuilder| builder.minimum_number_of_calls(usize::MAX);
        finish(if limits.trips { builder } else { never(builder) }, inner)
    }
}

pub(super) struct Streak;

impl Peer for Streak {
    const KRATE: &str = KRATE;
    const CONFIG: &str = "5 consecutive";
    const WAITS: bool = true;

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        let failures = if limits.trips { 5 } else { usize::MAX };
        finish(builder(limits).consecutive_failures(failures), inner)
    }
}

pub(super) struct Time;

impl Peer for Time {
    const KRATE: &str = KRATE;
    const CONFIG: &str = "time, 1 h";
    // The cost of the other scenarios would depend on the number of calls before.
    const SCENARIOS: &[&[Scenario]] = &[Scenario::WINDOW];
    const WAITS: bool = true;

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        let builder = builder(limits).sliding_window_type(SlidingWindowType::TimeBased);
        finish(builder.sliding_window_duration(Duration::from_secs(3600)), inner)
    }
}
