//! The layer.

use tower_layer::Layer;

use crate::breaker::{Breaker, BreakerHandle, BreakerRef};
use crate::circuit_breaker::config::Config;
use crate::circuit_breaker::service::CircuitBreaker;
use crate::classify::ErrorsAsFailures;
use crate::registry::{Retain, Retention};
use crate::rejection::RejectWithBoxError;

/// Guards services with one circuit breaker. See the [module docs](crate::circuit_breaker).
///
/// The breaker lives in the layer: every service that it makes and every clone of either share it. (axum calls
/// `layer` once per route and even once per connection.)
#[derive(Clone, Debug)]
pub struct CircuitBreakerLayer<C = ErrorsAsFailures, R = RejectWithBoxError> {
    breaker: BreakerRef,
    classify: C,
    on_rejected: R,
    pending: bool,
}

impl<C, R> CircuitBreakerLayer<C, R> {
    /// A layer with a breaker of its callbacks. Cannot fail: the settings were checked when they were built.
    pub fn new(config: Config<C, R>) -> Self {
        let Config { name, settings, callbacks, classify, on_rejected, pending } = config;
        let breaker = BreakerRef::new(Breaker::new(name, settings, callbacks));
        Self { breaker, classify, on_rejected, pending }
    }

    /// A layer that joins an existing breaker. Of `config` only the classification, the answer to a rejection and
    /// the readiness mode are used; name, numbers and functions stay those of the breaker.
    pub fn join(handle: &BreakerHandle, config: Config<C, R>) -> Self {
        let Config { classify, on_rejected, pending, .. } = config;
        Self { breaker: handle.shared().clone(), classify, on_rejected, pending }
    }

    /// The view and the control of the breaker.
    pub fn handle(&self) -> BreakerHandle {
        BreakerHandle::from_shared(self.breaker.clone())
    }
}

impl<C, R> Retain for CircuitBreakerLayer<C, R> {
    fn retention(&self) -> Retention {
        self.breaker.retention()
    }
}

impl<S, C: Clone, R: Clone> Layer<S> for CircuitBreakerLayer<C, R> {
    type Service = CircuitBreaker<S, C, R>;

    fn layer(&self, inner: S) -> Self::Service {
        CircuitBreaker::new(
            inner,
            self.breaker.clone(),
            self.classify.clone(),
            self.on_rejected.clone(),
            self.pending,
        )
    }
}
