//! The guarded service, where it has to change its mind.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use tower_breaker_benches::inner::Broken;
use tower_service::Service;

/// What every guard here can be put around.
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

/// What a [`Switch`] does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Does {
    /// Answers at once.
    Works,
    /// Fails at once.
    Fails,
    /// Never ends.
    Hangs,
}

/// Works, fails or hangs, as it is told: all copies of it.
#[derive(Clone, Copy, Debug)]
pub struct Switch(&'static AtomicU8);

impl Switch {
    /// A new one, which is never freed.
    pub fn new() -> Self {
        Self(Box::leak(Box::new(AtomicU8::new(Does::Works as u8))))
    }

    /// From now on.
    pub fn set(self, does: Does) {
        self.0.store(does as u8, Ordering::SeqCst);
    }
}

impl Default for Switch {
    fn default() -> Self {
        Self::new()
    }
}

/// The future of a [`Switch`]; with `None` it never ends.
#[derive(Debug)]
pub struct Answer(Option<Result<u64, Broken>>);

impl Future for Answer {
    type Output = Result<u64, Broken>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Service<u64> for Switch {
    type Response = u64;
    type Error = Broken;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: u64) -> Answer {
        let does = self.0.load(Ordering::Relaxed);
        Answer(if does == Does::Works as u8 {
            Some(Ok(request))
        } else if does == Does::Fails as u8 {
            Some(Err(Broken))
        } else {
            None
        })
    }
}
