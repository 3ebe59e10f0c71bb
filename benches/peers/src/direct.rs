//! Breakers that are called without a tower service, as their manual says.

use std::future::Future;
use std::task::{Context, Poll};

use tower_breaker_benches::drive::drive;
use tower_breaker_benches::inner::Broken;
use tower_service::Service;

use crate::dependency::Dependency;

/// A service around a function that makes the guarded call. It is always ready.
#[derive(Clone, Copy, Debug)]
pub struct DirectCall<F>(pub F);

impl<F, Fut, E> Service<u64> for DirectCall<F>
where
    F: FnMut(u64) -> Fut,
    Fut: Future<Output = Result<u64, E>>,
{
    type Response = u64;
    type Error = E;
    type Future = Fut;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: u64) -> Fut {
        (self.0)(request)
    }
}

/// Leaks a breaker. A direct call borrows it and costs no reference count.
pub fn forever<B>(breaker: B) -> &'static B {
    Box::leak(Box::new(breaker))
}

/// Makes the guarded call as a synchronous function.
#[inline]
pub fn call_sync(mut inner: impl Dependency, request: u64) -> Result<u64, Broken> {
    drive(&mut inner, request)
}
