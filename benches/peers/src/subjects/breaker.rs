use breaker::{BreakerLayer, CircuitBreaker, CircuitBreakerConfig, CircuitBreakerError};
use tower_layer::Layer;

use crate::dependency::Dependency;
use crate::direct::{DirectCall, forever};
use crate::half_open::Guard;
use crate::outcome::MaybeRejection;
use crate::peer::{Limits, Peer};

const KRATE: &str = "breaker 2.0.2";

impl<E> MaybeRejection for CircuitBreakerError<E> {
    fn is_rejection(&self) -> bool {
        matches!(self, Self::CircuitOpen | Self::Rejected)
    }
}

/// Returns `CircuitBreakerConfig::standard()` with one probe instead of three, as in the other crates.
fn new(limits: Limits) -> CircuitBreaker {
    let builder = CircuitBreakerConfig::builder()
        .failure_rate_threshold(0.5)
        .sliding_window_size(10)
        .consecutive_failures(if limits.trips { 5 } else { u32::MAX })
        .wait_duration(limits.cooldown)
        .half_open_max_calls(1);
    let builder = if limits.trips { builder } else { builder.failure_rate_threshold(0.0) };
    CircuitBreaker::new(builder.build())
}

pub(super) struct Tower;

impl Peer for Tower {
    const KRATE: &str = KRATE;
    const CONFIG: &str = "standard, 1 probe";

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        BreakerLayer::new(new(limits)).layer(inner)
    }
}

pub(super) struct Call;

impl Peer for Call {
    const KRATE: &str = KRATE;
    const CONFIG: &str = "standard, 1 probe; own call, async";

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        let breaker = forever(new(limits));
        DirectCall(move |request| {
            let mut inner = inner;
            breaker.call(move || inner.call(request))
        })
    }
}
