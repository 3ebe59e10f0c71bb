//! Three small crates with one configuration each.

use std::future::ready;

use circuit_breaker::CircuitBreakerError;
use circuitbreaker_rs::{BreakerError, DefaultPolicy};
use ninelives::{CircuitBreakerConfig, CircuitBreakerLayer, ResilienceError};
use tower_breaker_benches::inner::Broken;
use tower_layer::Layer;

use crate::dependency::Dependency;
use crate::direct::{DirectCall, call_sync, forever};
use crate::half_open::Guard;
use crate::outcome::MaybeRejection;
use crate::peer::{Limits, Peer};
use crate::scenario::Scenario;

impl<E> MaybeRejection for BreakerError<E> {
    fn is_rejection(&self) -> bool {
        matches!(self, Self::Open)
    }
}

pub(super) struct CircuitbreakerRs;

impl Peer for CircuitbreakerRs {
    const KRATE: &str = "circuitbreaker-rs 0.1.1";
    const CONFIG: &str = "default; own call, async";
    // A dropped probe never returns its slot.
    const UNSUPPORTED: &[Scenario] = &[Scenario::HalfOpenCancelled];

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        let builder = circuitbreaker_rs::CircuitBreaker::<DefaultPolicy, Broken>::builder();
        let builder = builder.cooldown(limits.cooldown);
        let builder = match limits.trips {
            true => builder,
            false => builder.failure_threshold(2.0).consecutive_failures(u64::MAX),
        };
        let breaker = forever(builder.build());
        DirectCall(move |request| {
            let mut inner = inner;
            breaker.call_async(move || inner.call(request))
        })
    }
}

/// A `Send` error in place of the boxed error of the crate, which cannot be sent to another thread.
struct SendError {
    rejected: bool,
}

impl MaybeRejection for SendError {
    fn is_rejection(&self) -> bool {
        self.rejected
    }
}

pub(super) struct CircuitBreaker;

impl Peer for CircuitBreaker {
    const KRATE: &str = "circuit_breaker 0.1.1";
    const CONFIG: &str = "5 failures; own call, sync";
    // A synchronous function cannot be dropped midway, and every call is a probe.
    const UNSUPPORTED: &[Scenario] = &[Scenario::HalfOpenRejection, Scenario::HalfOpenCancelled];

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        let failures = if limits.trips { 5 } else { u32::MAX };
        let breaker = forever(circuit_breaker::CircuitBreaker::new(failures, limits.cooldown));
        DirectCall(move |request| {
            let result = breaker.execute(|| call_sync(inner, request));
            ready(result.map_err(|error| SendError { rejected: error.is::<CircuitBreakerError>() }))
        })
    }
}

impl<E> MaybeRejection for ResilienceError<E> {
    fn is_rejection(&self) -> bool {
        matches!(self, Self::CircuitOpen { .. })
    }
}

pub(super) struct Ninelives;

impl Peer for Ninelives {
    const KRATE: &str = "ninelives 0.2";
    const CONFIG: &str = "5 consecutive; 1 probe";
    // A dropped probe never returns its slot.
    const UNSUPPORTED: &[Scenario] = &[Scenario::HalfOpenCancelled];

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        let failures = if limits.trips { 5 } else { usize::MAX };
        let config = CircuitBreakerConfig::new(failures, limits.cooldown, 1);
        let layer = CircuitBreakerLayer::new(config.expect("valid settings"));
        layer.expect("valid settings").layer(inner)
    }
}
