//! A dependency that a test can take down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tower::{BoxError, Service, service_fn};

pub(crate) use crate::support::doubles::{COOLDOWN, call, config, opening_after};

/// A dependency that can be taken down and counts its calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dependency(Arc<Inside>);

#[derive(Debug, Default)]
struct Inside {
    down: AtomicBool,
    hits: AtomicUsize,
}

impl Dependency {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn down(&self, down: bool) {
        self.0.down.store(down, Ordering::Relaxed);
    }

    pub(crate) fn hits(&self) -> usize {
        self.0.hits.load(Ordering::Relaxed)
    }

    fn answer(&self) -> Result<&'static str, BoxError> {
        self.0.hits.fetch_add(1, Ordering::Relaxed);
        if self.0.down.load(Ordering::Relaxed) { Err("down".into()) } else { Ok("ok") }
    }

    /// Returns the dependency as a service that is always ready.
    pub(crate) fn service(
        &self,
    ) -> impl Service<(), Response = &'static str, Error = BoxError, Future: Send + Unpin + 'static>
    + Clone
    + Send
    + Sync
    + use<> {
        let this = self.clone();
        service_fn(move |()| std::future::ready(this.answer()))
    }
}
