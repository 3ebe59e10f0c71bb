//! The middleware.

use std::marker::PhantomData;
use std::task::{Context, Poll};

use tower_service::Service;

use super::future::{Plan, ResponseFuture};
use super::keep::{Keep, KeepNothing};
use super::lift::{AsPrimary, Lift};
use super::source::Source;
use super::trigger::Trigger;
use crate::classify::{ByResponse, Outcomes};

/// Answers in place of `S` if `S` fails, rejects the call or returns a bad response. See the [module docs](super).
///
/// Created by [`FallbackLayer`](crate::FallbackLayer).
///
/// # Errors
///
/// Returns the errors of `S`, and no others.
#[derive(Clone, Debug)]
pub struct Fallback<S, T, W = ByResponse, K = KeepNothing, L = AsPrimary> {
    inner: S,
    source: T,
    when: W,
    keep: K,
    lift: PhantomData<fn() -> L>,
}

impl<S, T, W, K, L> Fallback<S, T, W, K, L> {
    pub(super) const fn new(inner: S, source: T, when: W, keep: K) -> Self {
        Self { inner, source, when, keep, lift: PhantomData }
    }

    /// Returns a reference to the primary.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns a mutable reference to the primary.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the primary, without its fallback.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, T, W, K, L, Req> Service<Req> for Fallback<S, T, W, K, L>
where
    S: Service<Req>,
    K: Keep<Req>,
    T: Source<K::Kept, S::Response, S::Error> + Clone,
    W: Outcomes<S::Response, S::Error> + Clone,
    L: Lift<S::Response, T::Answer>,
{
    type Response = L::Response;
    type Error = S::Error;
    type Future = ResponseFuture<
        S::Future,
        Plan<K::Kept, T, W>,
        T::Future,
        Trigger<S::Response, S::Error>,
        L,
    >;

    /// Returns the primary's readiness. A backup service is polled ready only when it is needed.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let plan = self.keep.keep(&request).map(|kept| Plan {
            kept,
            source: self.source.clone(),
            when: self.when.clone(),
        });
        ResponseFuture::new(self.inner.call(request), plan)
    }
}
