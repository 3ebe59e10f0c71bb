//! A guarded service whose behavior can change.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use tower_breaker_benches::inner::Broken;
use tower_service::Service;

/// A service that every guard can wrap.
pub trait Dependency:
    Service<u64, Response = u64, Error = Broken, Future: Send + 'static> + Copy + Send + Sync + 'static
{
}

impl<S> Dependency for S where
    S: Service<u64, Response = u64, Error = Broken, Future: Send + 'static>
        + Copy
        + Send
        + Sync
        + 'static
{
}

/// The behavior of a [`Switch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Behavior {
    /// Responds immediately.
    Works,
    /// Fails immediately.
    Fails,
    /// Never ends.
    Hangs,
}

/// A service that works, fails or hangs. All copies change together.
#[derive(Clone, Copy, Debug)]
pub struct Switch(&'static AtomicU8);

impl Switch {
    /// Creates a switch that works. It is never freed.
    pub fn new() -> Self {
        Self(Box::leak(Box::new(AtomicU8::new(Behavior::Works as u8))))
    }

    /// Sets the behavior of future calls.
    pub fn set(self, behavior: Behavior) {
        self.0.store(behavior as u8, Ordering::SeqCst);
    }
}

impl Default for Switch {
    fn default() -> Self {
        Self::new()
    }
}

/// The future of a [`Switch`]. With `None`, it never ends.
#[derive(Debug)]
pub struct SwitchFuture(Option<Result<u64, Broken>>);

impl Future for SwitchFuture {
    type Output = Result<u64, Broken>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Service<u64> for Switch {
    type Response = u64;
    type Error = Broken;
    type Future = SwitchFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: u64) -> SwitchFuture {
        let behavior = self.0.load(Ordering::Relaxed);
        SwitchFuture(if behavior == Behavior::Works as u8 {
            Some(Ok(request))
        } else if behavior == Behavior::Fails as u8 {
            Some(Err(Broken))
        } else {
            None
        })
    }
}
