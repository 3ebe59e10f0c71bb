//! The start and the rejection of a call.
//!
//! These are functions over a breaker and a service, not methods of a middleware. A middleware that finds its breaker
//! by other means, such as a key, can use them as well.

use tower_service::Service;

use crate::breaker::{BreakerRef, InFlight};
use crate::circuit_breaker::future::ResponseFuture;
use crate::circuit_breaker::guarded_call::GuardedCall;
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
