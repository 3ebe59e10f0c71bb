//! Three crates with one configuration each.

use std::future::ready;

use circuit_breaker::CircuitBreakerError;
use circuitbreaker_rs::{BreakerError, DefaultPolicy};
use ninelives::{CircuitBreakerConfig, CircuitBreakerLayer, ResilienceError};
use tower_breaker_benches::inner::Broken;
use tower_layer::Layer;

use crate::dependency::Dependency;
use crate::half_open::Guard;
use crate::outcome::Verdict;
use crate::own::{Own, forever, plain};
use crate::peer::{Limits, Peer};
use crate::scenario::Scenario;

impl<E> Verdict for BreakerError<E> {
    fn rejected(&self) -> bool {
        matches!(self, Self::Open)
    }
}

pub(super) struct CircuitbreakerRs;

impl Peer for CircuitbreakerRs {
    const KRATE: &str = "circuitbreaker-rs 0.1.1";
    const CONFIG: &str = "default; own call, async";
    // A dropped probe never gives its slot back.
    const CANNOT: &[Scenario] = &[Scenario::HalfOpenCancelled];

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        let builder = circuitbreaker_rs::CircuitBreaker::<DefaultPolicy, Broken>::builder();
        let builder = builder.cooldown(limits.cooldown);
        let builder = match limits.trips {
            true => builder,
            false => builder.failure_threshold(2.0).consecutive_failures(u64::MAX),
        };
        let breaker = forever(builder.build());
        Own(move |request| {
            let mut inner = inner;
            breaker.call_async(move || inner.call(request))
        })
    }
}

/// Its error is a box that cannot be sent to another thread.
struct Answered {
    rejected: bool,
}

impl Verdict for Answered {
    fn rejected(&self) -> bool {
        self.rejected
    }
}

pub(super) struct CircuitBreaker;

impl Peer for CircuitBreaker {
    const KRATE: &str = "circuit_breaker 0.1.1";
    const CONFIG: &str = "5 failures; own call, sync";
    // A function is not dropped half-way, and every call is a probe.
    const CANNOT: &[Scenario] = &[Scenario::HalfOpenRejection, Scenario::HalfOpenCancelled];

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        let failures = if limits.trips { 5 } else { u32::MAX };
        let breaker = forever(circuit_breaker::CircuitBreaker::new(failures, limits.cooldown));
        Own(move |request| {
            let result = breaker.execute(|| plain(inner, request));
            ready(result.map_err(|error| Answered { rejected: error.is::<CircuitBreakerError>() }))
        })
    }
}

impl<E> Verdict for ResilienceError<E> {
    fn rejected(&self) -> bool {
        matches!(self, Self::CircuitOpen { .. })
    }
}

pub(super) struct Ninelives;

impl Peer for Ninelives {
    const KRATE: &str = "ninelives 0.2";
    const CONFIG: &str = "5 consecutive; 1 probe";
    // A dropped probe never gives its slot back.
    const CANNOT: &[Scenario] = &[Scenario::HalfOpenCancelled];

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        let failures = if limits.trips { 5 } else { usize::MAX };
        let config = CircuitBreakerConfig::new(failures, limits.cooldown, 1);
        let layer = CircuitBreakerLayer::new(config.expect("valid settings"));
        layer.expect("valid settings").layer(inner)
    }
}
