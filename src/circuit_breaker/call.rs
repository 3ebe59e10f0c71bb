//! The start of a call, and its end if it is dropped.
//!
//! These are functions over a breaker and a service, not methods of a middleware. A middleware that finds its breaker
//! by other means, such as a key, can use them as well.

use std::marker::PhantomData;

use tower_service::Service;

use crate::breaker::{BreakerRef, InFlight, Permit};
use crate::circuit_breaker::future::ResponseFuture;
use crate::classify::Classify;
use crate::error::CircuitOpen;
use crate::machine::PermitState;
use crate::rejection::OnRejected;

/// Makes an admitted call. `inner` must have been polled ready.
#[inline(always)]
pub(crate) fn start<S, C, R, Req>(
    breaker: BreakerRef,
    permit: PermitState,
    inner: &mut S,
    classify: &C,
    on_rejected: &R,
    request: Req,
) -> ResponseFuture<S, C, R, Req>
where
    S: Service<Req>,
    C: Classify<Req, S::Response, S::Error> + Clone,
    R: OnRejected<Req, C::Response, S::Error> + Clone,
{
    let mut call = GuardedCall::new(InFlight::new(breaker, permit), classify, &request);
    let future = call.run(|| inner.call(request));
    ResponseFuture::called(future, call, classify.clone(), on_rejected.clone())
}

/// Rejects a call.
#[inline(always)]
pub(crate) fn reject<S, C, R, Req>(
    on_rejected: &R,
    request: Req,
    open: CircuitOpen,
) -> ResponseFuture<S, C, R, Req>
where
    S: Service<Req>,
    C: Classify<Req, S::Response, S::Error>,
    R: OnRejected<Req, C::Response, S::Error>,
{
    ResponseFuture::rejected(on_rejected.rejected(request, open))
}

/// A call in progress. If it is dropped, [`Classify::dropped`] decides its outcome.
pub(super) struct GuardedCall<C, Req, Res, E>
where
    C: Classify<Req, Res, E>,
{
    in_flight: InFlight<C::RequestInfo>,
    types: PhantomData<fn(Req) -> Result<Res, E>>,
}

impl<C, Req, Res, E> GuardedCall<C, Req, Res, E>
where
    C: Classify<Req, Res, E>,
{
    #[inline(always)]
    fn new(in_flight: InFlight, classify: &C, request: &Req) -> Self {
        let in_flight = in_flight.with_info(|| classify.request(request));
        Self { in_flight, types: PhantomData }
    }

    /// Runs guarded code.
    #[inline(always)]
    pub(super) fn run<O>(&mut self, call: impl FnOnce() -> O) -> O {
        self.in_flight.run(call)
    }

    /// Ends the call and returns its permit for the classifier. Returns `None` if the call has already ended.
    #[inline(always)]
    pub(super) fn end(&mut self) -> Option<(Permit, C::RequestInfo)> {
        self.in_flight.end()
    }
}

impl<C, Req, Res, E> Drop for GuardedCall<C, Req, Res, E>
where
    C: Classify<Req, Res, E>,
{
    #[inline(always)]
    fn drop(&mut self) {
        self.in_flight.abandon(C::dropped);
    }
}
