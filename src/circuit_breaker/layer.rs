//! The layer.

use tower_layer::Layer;

use crate::breaker::{Breaker, BreakerHandle, BreakerRef};
use crate::circuit_breaker::config::{Config, Parts};
use crate::circuit_breaker::service::CircuitBreaker;
use crate::classify::ErrorsAsFailures;
use crate::registry::{Retain, Retention};
use crate::rejection::RejectWithBoxError;

/// Guards services with one circuit breaker. See the [module docs](crate::circuit_breaker).
///
/// The breaker lives in the layer. All services that the layer makes share it, and so do all clones of the layer and of
/// the services.
#[derive(Clone, Debug)]
pub struct CircuitBreakerLayer<C = ErrorsAsFailures, R = RejectWithBoxError> {
    breaker: BreakerRef,
    classify: C,
    on_rejected: R,
    pending: bool,
}

impl<C, R> CircuitBreakerLayer<C, R> {
    /// Creates a layer with a new breaker. It cannot fail, because settings are checked when they are built.
    pub fn new(config: Config<C, R>) -> Self {
        let Config { parts, classify, on_rejected } = config;
        let Parts { name, settings, callbacks, observers, pending } = parts;
        let breaker = BreakerRef::new(Breaker::new(name, settings, callbacks, observers));
        Self { breaker, classify, on_rejected, pending }
    }

    /// Creates a layer that joins an existing breaker. Only the classifier, the rejection policy and
    /// [`pending_while_open`](Config::pending_while_open) of `config` are used. Name, settings and callbacks remain those of
    /// the breaker.
    pub fn join(handle: &BreakerHandle, config: Config<C, R>) -> Self {
        let Config { parts, classify, on_rejected } = config;
        let breaker = handle.shared().clone();
        Self { breaker, classify, on_rejected, pending: parts.pending }
    }

    /// Returns the handle of the breaker, for its state, its events and manual control.
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
