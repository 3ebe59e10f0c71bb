//! The service.

use std::fmt;
use std::task::{Context, Poll, ready};

use tower_service::Service;

use crate::breaker::{BreakerHandle, BreakerRef, InFlight, Waiter};
use crate::circuit_breaker::future::{ResponseFuture, Token};
use crate::circuit_breaker::ready::{Ready, Unready};
use crate::classify::{Classify, ErrorsAsFailures};
use crate::error::CircuitOpen;
use crate::machine::PermitState;
use crate::rejection::{OnRejected, RejectWithBoxError};

/// A service behind a circuit breaker. See the [module docs](crate::circuit_breaker).
///
/// # Clone
///
/// Clones share the breaker. A clone is not ready: readiness belongs to the one that was polled.
pub struct CircuitBreaker<S, C = ErrorsAsFailures, R = RejectWithBoxError> {
    inner: S,
    breaker: BreakerRef,
    classify: C,
    on_rejected: R,
    pending: bool,
    ready: Ready,
    /// Whether there is more to do than to ask the gate: someone to stop_waiting, or a call to count.
    care: bool,
    /// For how many nanoseconds the call was to be rejected, where `ready` says so.
    wait: u64,
    calls: Calls,
    /// Only while `poll_ready` is pending.
    waiter: Option<Box<Waiter>>,
}

/// How many calls went through this clone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Calls {
    None,
    One,
    Many,
}

impl<S, C, R> CircuitBreaker<S, C, R> {
    pub(super) fn new(
        inner: S,
        breaker: BreakerRef,
        classify: C,
        on_rejected: R,
        pending: bool,
    ) -> Self {
        Self {
            inner,
            breaker,
            classify,
            on_rejected,
            pending,
            ready: Ready::NO,
            care: true,
            wait: 0,
            calls: Calls::None,
            waiter: None,
        }
    }

    /// The view and the control of the breaker.
    pub fn handle(&self) -> BreakerHandle {
        BreakerHandle::from_shared(self.breaker.clone())
    }

    /// The guarded service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The guarded service. Polling or calling it goes past the breaker.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The guarded service, without the breaker.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// The first call of a clone uses the count of references that it was made with, because many clones live for
    /// one call only; the second makes a count of the clone's own.
    fn count_call(&mut self) {
        match self.calls {
            Calls::None => self.calls = Calls::One,
            Calls::One => {
                self.breaker = self.breaker.own();
                self.calls = Calls::Many;
                self.care = false;
            }
            Calls::Many => {}
        }
    }

    /// Waits where it has to; for how long the call would be rejected, if it would.
    #[inline]
    fn poll_would_reject(&mut self, cx: &mut Context<'_>) -> Poll<Option<u64>> {
        match self.breaker.would_reject() {
            Some(_) if self.pending => self.park().poll_admits(cx).map(|()| None),
            refuses => Poll::Ready(refuses),
        }
    }

    #[cold]
    #[inline(never)]
    fn ready_slow(&mut self) {
        self.ready = Ready::INNER;
        self.stop_waiting();
    }

    fn stop_waiting(&mut self) {
        if self.waiter.take().is_some() && self.calls == Calls::Many {
            self.care = false;
        }
    }

    fn park(&mut self) -> &mut Waiter {
        self.care = true;
        self.waiter.get_or_insert_with(|| Box::new(Waiter::new(self.breaker.breaker())))
    }
}

impl<S: Clone, C: Clone, R: Clone> Clone for CircuitBreaker<S, C, R> {
    fn clone(&self) -> Self {
        Self::new(
            self.inner.clone(),
            self.breaker.clone(),
            self.classify.clone(),
            self.on_rejected.clone(),
            self.pending,
        )
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
    type Future = Guarded<S, C, R, Req>;

    /// Ready at once, without polling the inner service, while calls would be rejected; else when the inner service
    /// is. Never an error of its own. With [`pending_while_open`](crate::Config::pending_while_open) it waits
    /// instead of being ready for a rejection.
    // Always, as `call` and the future's `poll`: a few instructions each, which a caller of some size would leave out.
    #[inline(always)]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), R::Error>> {
        if let Some(seen) = self.breaker.free() {
            match self.poll_inner(cx) {
                Poll::Ready(Ok(())) => {
                    self.ready = Ready(seen);
                    if self.care {
                        self.ready_slow();
                    }
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.on_rejected.error(error))),
                Poll::Pending if self.parks(cx) => return Poll::Pending,
                Poll::Pending => {}
            }
        }
        match self.breaker.would_reject_for() {
            Some(wait) if !self.pending => {
                self.ready = Ready::SHED;
                self.wait = wait;
                if self.waiter.is_some() {
                    self.stop_waiting();
                }
                Poll::Ready(Ok(()))
            }
            _ => self.poll_ready_slow(cx),
        }
    }

    /// # Panics
    ///
    /// If `poll_ready` was not called, or did not return ready: the inner service must not be called then.
    #[inline(always)]
    fn call(&mut self, request: Req) -> Self::Future {
        let grant = match self.breaker.admit_again(self.ready.0) {
            Some(grant) => grant.to_raw(),
            None if self.ready == Ready::SHED => {
                self.ready = Ready::NO;
                let open = self.breaker.reject(self.wait);
                return ResponseFuture::rejected(self.on_rejected.rejected(request, open));
            }
            None => match self.admit_slow() {
                Ok(grant) => grant.to_raw(),
                Err(open) => {
                    self.ready = Ready::NO;
                    return ResponseFuture::rejected(self.on_rejected.rejected(request, open));
                }
            },
        };
        self.ready = Ready::NO;
        self.start(PermitState::from_raw(grant), request)
    }
}

impl<S, C, R> CircuitBreaker<S, C, R> {
    /// Polls the inner service; unless it is ready, nothing is promised any more. A readiness that fails, by error or
    /// by panic, has failed as if the call had.
    #[inline(always)]
    fn poll_inner<Req>(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>>
    where
        S: Service<Req>,
    {
        let unready = Unready::new(&self.breaker, &mut self.ready);
        let polled = self.inner.poll_ready(cx);
        match polled {
            Poll::Ready(Ok(())) => unready.succeeded(),
            Poll::Ready(Err(_)) => drop(unready),
            Poll::Pending => unready.waits(),
        }
        polled
    }

    /// Everything but a Closed whose inner service is ready.
    #[cold]
    #[inline(never)]
    fn poll_ready_slow<Req>(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), R::Error>>
    where
        S: Service<Req>,
        C: Classify<Req, S::Response, S::Error>,
        R: OnRejected<Req, C::Response, S::Error>,
    {
        loop {
            self.ready = Ready::NO;
            if let Some(wait) = ready!(self.poll_would_reject(cx)) {
                self.ready = Ready::SHED;
                self.wait = wait;
                self.stop_waiting();
                return Poll::Ready(Ok(()));
            }
            match self.poll_inner(cx) {
                Poll::Ready(result) => {
                    self.stop_waiting();
                    if result.is_ok() {
                        self.ready = Ready::INNER;
                    }
                    return Poll::Ready(result.map_err(|error| self.on_rejected.error(error)));
                }
                Poll::Pending if self.parks(cx) => return Poll::Pending,
                Poll::Pending => {}
            }
        }
    }

    /// Waits for the inner service, and for the circuit to open: that may have happened just now.
    fn parks(&mut self, cx: &Context<'_>) -> bool {
        self.park().register(cx);
        self.breaker.would_reject().is_none()
    }

    /// Everything but what [`Service::call`] asks in a few instructions. Only the permit comes back, not the future:
    /// a caller that polls at once keeps that in registers.
    #[cold]
    #[inline(never)]
    fn admit_slow(&mut self) -> Result<PermitState, CircuitOpen> {
        assert!(self.ready != Ready::NO, "`CircuitBreaker::call` without a ready `poll_ready`");
        let grant = self.breaker.admit()?;
        self.count_call();
        Ok(grant)
    }

    /// Makes an admitted call.
    #[inline(always)]
    fn start<Req>(&mut self, grant: PermitState, request: Req) -> Guarded<S, C, R, Req>
    where
        S: Service<Req>,
        C: Classify<Req, S::Response, S::Error> + Clone,
        R: OnRejected<Req, C::Response, S::Error> + Clone,
    {
        let call = InFlight::new(self.breaker.clone(), grant);
        let mut call = call.ask(|| Token::<C, _, _, _>::new(self.classify.request(&request)));
        let future = call.run(|| self.inner.call(request));
        ResponseFuture::called(future, call, self.classify.clone(), self.on_rejected.clone())
    }
}

/// The future of a guarded `S`.
type Guarded<S, C, R, Req> = ResponseFuture<
    <S as Service<Req>>::Future,
    Req,
    C,
    Token<C, Req, <S as Service<Req>>::Response, <S as Service<Req>>::Error>,
    <C as Classify<Req, <S as Service<Req>>::Response, <S as Service<Req>>::Error>>::Deferred,
    R,
    <R as OnRejected<
        Req,
        <C as Classify<Req, <S as Service<Req>>::Response, <S as Service<Req>>::Error>>::Response,
        <S as Service<Req>>::Error,
    >>::Future,
>;

impl<S: fmt::Debug, C, R> fmt::Debug for CircuitBreaker<S, C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("inner", &self.inner)
            .field("breaker", &self.breaker.name())
            .finish_non_exhaustive()
    }
}
