//! One stack with one set of layers, and its results.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tower::{BoxError, Service, service_fn};
use tower_breaker::{Backoff, BreakerError, CircuitOpen, Settings, Trip};

/// The columns of the table.
pub(crate) const LAYERS: [&str; 3] = ["breaker", "fallback", "both"];

#[derive(Debug, PartialEq)]
pub(crate) struct Cell {
    pub(crate) stack: &'static str,
    pub(crate) layers: &'static str,
    pub(crate) shown: String,
}

impl Cell {
    pub(crate) fn new(stack: &'static str, layers: &'static str, shown: &str) -> Self {
        Self { stack, layers, shown: shown.to_owned() }
    }
}

/// The three cells of a stack. `$calls` builds the service, with `$layer` around `$dependency`, and calls it. It is compiled
/// once for each set of layers.
macro_rules! cells {
    ($stack:literal, $breaker:expr, $fallback:expr, |$layer:ident, $dependency:ident| $calls:expr) => {{
        let breaker = || tower_breaker::CircuitBreakerLayer::new($breaker);
        let $dependency = $crate::matrix::cell::Dependency::default();
        let $layer = breaker();
        let one = $crate::matrix::cell::Cell::new($stack, $crate::matrix::cell::LAYERS[0], &$calls);
        let $dependency = $crate::matrix::cell::Dependency::default();
        let $layer = $fallback;
        let two = $crate::matrix::cell::Cell::new($stack, $crate::matrix::cell::LAYERS[1], &$calls);
        let $dependency = $crate::matrix::cell::Dependency::default();
        let $layer = tower::layer::util::Stack::new(breaker(), $fallback);
        let three =
            $crate::matrix::cell::Cell::new($stack, $crate::matrix::cell::LAYERS[2], &$calls);
        [one, two, three]
    }};
}
pub(crate) use cells;

/// Makes one call while the dependency is up, and two while it is down.
pub(crate) async fn three(
    dependency: &Dependency,
    mut call: impl AsyncFnMut() -> &'static str,
) -> String {
    let good = call().await;
    dependency.0.0.store(true, Ordering::SeqCst);
    let (failing, next) = (call().await, call().await);
    let hits = dependency.0.1.load(Ordering::SeqCst);
    format!("{good}, {failing}, {next}: {hits} calls")
}

/// Settings that open the circuit after this number of consecutive failures, for longer than any test.
pub(crate) fn settings(failures: u32) -> Settings {
    let trip = Trip::none().consecutive(failures);
    let cooldown = Backoff::fixed(Duration::from_secs(3600));
    Settings::builder().trip(trip).cooldown(cooldown).build().unwrap()
}

/// A dependency that can be down, and counts its calls.
#[derive(Clone, Default)]
pub(crate) struct Dependency(Arc<(AtomicBool, AtomicUsize)>);

impl Dependency {
    /// Counts a call. Returns whether the dependency is up.
    pub(crate) fn is_up(&self) -> bool {
        self.0.1.fetch_add(1, Ordering::SeqCst);
        !self.0.0.load(Ordering::SeqCst)
    }

    pub(crate) fn service(
        &self,
    ) -> impl Service<(), Response = &'static str, Error = BoxError, Future: Send + 'static>
    + Clone
    + Send
    + Sync
    + use<> {
        let this = self.clone();
        service_fn(move |()| {
            let answer = if this.is_up() { Ok("ok") } else { Err(BoxError::from("down")) };
            async move {
                tokio::task::yield_now().await;
                answer
            }
        })
    }
}

/// The text of a result in the table.
pub(crate) fn word<E: Shown>(result: Result<&'static str, E>) -> &'static str {
    result.unwrap_or_else(|error| error.shown())
}

/// The text of an error: a rejection, or an error of the dependency.
pub(crate) trait Shown {
    fn shown(&self) -> &'static str;
}

impl Shown for BoxError {
    fn shown(&self) -> &'static str {
        if CircuitOpen::find(&**self).is_some() { "open" } else { "down" }
    }
}

impl Shown for () {
    fn shown(&self) -> &'static str {
        "down"
    }
}

impl Shown for reqwest::Error {
    fn shown(&self) -> &'static str {
        "down"
    }
}

impl<E: Shown> Shown for BreakerError<E> {
    fn shown(&self) -> &'static str {
        match self {
            Self::Open(_) => "open",
            Self::Inner(error) => error.shown(),
        }
    }
}
