//! Fallback layers.

use std::future::{Ready, ready};
use std::task::{Context, Poll};

use seatbelt::ResilienceContext;
use tower_breaker::{FallbackLayer, fallback::OnError};
use tower_breaker_benches::inner::Broken;
use tower_layer::Layer;
use tower_resilience_fallback::FallbackError;
use tower_service::Service;

use super::seatbelt::clock;
use crate::dependency::Dependency;
use crate::half_open::Guard;
use crate::outcome::{MaybeRejection, REPLACED};
use crate::peer::{Limits, Peer};
use crate::scenario::Scenario;

/// The backup service.
#[derive(Clone, Copy)]
struct Backup;

impl Service<u64> for Backup {
    type Response = u64;
    type Error = Broken;
    type Future = Ready<Result<u64, Broken>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: u64) -> Self::Future {
        ready(Ok(REPLACED))
    }
}

impl<E, B> MaybeRejection for FallbackError<E, B> {
    fn is_rejection(&self) -> bool {
        false
    }
}

macro_rules! fallback {
    ($name:ident, $krate:literal, $config:literal, waits $waits:literal, |$inner:ident| $guard:expr) => {
        pub(super) struct $name;

        impl Peer for $name {
            const KRATE: &str = $krate;
            const CONFIG: &str = $config;
            const SCENARIOS: &[&[Scenario]] = &[Scenario::FALLBACK];
            const WAITS: bool = $waits;

            fn guard<S: Dependency>($inner: S, _: Limits) -> impl Guard {
                $guard
            }
        }
    };
}

fallback!(OursValue, "tower-breaker", "FallbackLayer::value", waits false, |inner| {
    FallbackLayer::value(REPLACED).when(OnError).layer(inner)
});
fallback!(OursService, "tower-breaker", "FallbackLayer::service", waits false, |inner| {
    FallbackLayer::service(Backup).when(OnError).layer(inner)
});
fallback!(ResilienceValue, "tower-resilience-fallback 0.14", "value", waits false, |inner| {
    tower_resilience_fallback::FallbackLayer::value(REPLACED).layer(inner)
});
fallback!(ResilienceClosure, "tower-resilience-fallback 0.14", "service (closure)", waits false, |inner| {
    tower_resilience_fallback::FallbackLayer::service(|_| ready(Ok(REPLACED))).layer(inner)
});
fallback!(ResilienceService, "tower-resilience-fallback 0.14", "tower_service", waits true, |inner| {
    tower_resilience_fallback::FallbackLayer::tower_service(Backup).layer(inner)
});
fallback!(Seatbelt, "seatbelt 0.11", "fallback_output", waits false, |inner| {
    layered::Layer::layer(
        &seatbelt::fallback::Fallback::layer("bench", &ResilienceContext::new(clock()))
            .should_fallback(|output: &Result<u64, Broken>| output.is_err())
            .fallback_output(Ok(REPLACED)),
        inner,
    )
});
fallback!(TowerFallback, "tower-fallback 0.2.43", "service", waits false, |inner| {
    tower_fallback::Fallback::new(inner, Backup)
});
