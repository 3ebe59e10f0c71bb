//! What the modules share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tower::{BoxError, Service, ServiceExt, service_fn};
use tower_breaker::{Backoff, Config, Settings, Trip};

/// The cooldown of [`settings`].
pub(crate) const COOLDOWN: Duration = Duration::from_secs(5);

/// Opens after `failures` in a row, for exactly [`COOLDOWN`].
pub(crate) fn settings(failures: u32) -> Settings {
    let trip = Trip::none().consecutive(failures);
    Settings::builder().trip(trip).cooldown(Backoff::fixed(COOLDOWN)).build().unwrap()
}

/// `Config::default()` that opens after 2 failures in a row.
pub(crate) fn config() -> Config {
    Config::default().name("db").settings(settings(2))
}

/// A dependency that can be down, and counts its calls.
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

    /// As a service that is always ready.
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

/// One call, from readiness to the end.
pub(crate) async fn call<S: Service<()>>(service: &mut S) -> Result<S::Response, S::Error> {
    service.ready().await?.call(()).await
}
