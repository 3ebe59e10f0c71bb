//! A call in progress.

use std::marker::PhantomData;

use crate::breaker::{InFlight, Permit};
use crate::classify::Classify;

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
    pub(super) fn new(in_flight: InFlight, classify: &C, request: &Req) -> Self {
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
