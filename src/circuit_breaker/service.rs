//! The service.

use std::fmt;
use std::task::{Context, Poll};

use tower_service::Service;

use crate::breaker::{BreakerHandle, BreakerRef};
use crate::circuit_breaker::call;
use crate::circuit_breaker::future::ResponseFuture;
use crate::circuit_breaker::readiness::{Decision, Readiness};
use crate::classify::{Classify, ErrorsAsFailures};
use crate::rejection::{OnRejected, RejectWithBoxError};

/// A service behind a circuit breaker. See the [module docs](crate::circuit_breaker).
///
/// # Clone
///
/// Clones share the breaker. A clone is not ready, because readiness belongs to the service that was polled.
#[derive(Clone)]
pub struct CircuitBreaker<S, C = ErrorsAsFailures, R = RejectWithBoxError> {
    inner: S,
    breaker: BreakerRef,
    classify: C,
    on_rejected: R,
    readiness: Readiness,
}

impl<S, C, R> CircuitBreaker<S, C, R> {
    pub(super) fn new(
        inner: S,
        breaker: BreakerRef,
        classify: C,
        on_rejected: R,
        pending_while_open: bool,
    ) -> Self {
        let readiness = Readiness::new(pending_while_open);
        Self { inner, breaker, classify, on_rejected, readiness }
    }

    /// Returns the handle of the breaker, for its state, its events and manual control.
    pub fn handle(&self) -> BreakerHandle {
        BreakerHandle::from_shared(self.breaker.clone())
    }

    /// Returns a reference to the guarded service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns a mutable reference to the guarded service. Polls and calls of it bypass the breaker.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the guarded service without the breaker.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, C, R, Req> Service<Req> for CircuitBreaker<S, C, R>
where
    S: Service<Req>,
    C: Classify<Req, S::Response, S::Error> + Clone,
    R: OnRejected<Req, C::Response, S::Error> + Clone,
{
    type Response = C::Response;
    type Error = R::Error;
    type Future = ResponseFuture<S, C, R, Req>;

    /// While calls would be rejected, returns ready without polling the inner service. Otherwise, returns the readiness
    /// of the inner service. The only errors are those of the inner service.
    ///
    /// With [`pending_while_open`](crate::Config::pending_while_open), returns pending while calls would be rejected.
    // `poll_ready`, `call` and the future's `poll` are always inlined, with what they call on a closed circuit. Each is a
    // few instructions long, which the compiler would leave out of line in a large caller. `benches/instructions.sh`
    // counts them.
    #[inline(always)]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), R::Error>> {
        let polled = self.readiness.poll(&self.breaker, cx, |cx| self.inner.poll_ready(cx));
        polled.map_err(|error| self.on_rejected.error(error))
    }

    /// # Panics
    ///
    /// Panics unless `poll_ready` returned ready before. The inner service must not be called then.
    #[inline(always)]
    fn call(&mut self, request: Req) -> Self::Future {
        let Self { inner, breaker, classify, on_rejected, readiness } = self;
        match readiness.admit(breaker) {
            Decision::Admit(permit) => {
                call::start(breaker.clone(), permit, inner, classify, on_rejected, request)
            }
            Decision::RejectAsPromised(wait) => {
                call::reject(on_rejected, request, breaker.reject(wait))
            }
            Decision::Reject(open) => call::reject(on_rejected, request, open),
        }
    }
}

impl<S: fmt::Debug, C, R> fmt::Debug for CircuitBreaker<S, C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("inner", &self.inner)
            .field("breaker", &self.breaker.name())
            .finish_non_exhaustive()
    }
}
