//! Probes by a health check in the background.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::sync::Arc;

use crate::breaker::call::Guarded;
use crate::breaker::wait::Waiter;
use crate::breaker::{Breaker, BreakerHandle, InFlight};
use crate::outcome::Outcome;

impl BreakerHandle {
    /// Probes the dependency with a health check in place of callers' requests.
    ///
    /// As with the active health checks of Envoy or the readiness probes of Kubernetes, no user request is used as a
    /// probe. A cheap query or `GET /health` is a good check. It should fail when the guarded calls would fail.
    ///
    /// While this future runs, no call is admitted in half-open. When the cooldown ends, `check` is called, one call at
    /// a time, until the circuit closes, begins its ramp, or opens again. `Ok` is a success. `Err`, a panic, and a
    /// check that does not end within the [lease](crate::Probe::lease) of the probe are failures. In every other state
    /// `check` is not called.
    ///
    /// The future never completes: spawn it. Abort the task to let callers probe again.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use std::time::Duration;
    /// use tower_breaker::{BreakerHandle, Settings, State};
    ///
    /// let payments = BreakerHandle::new("payments", Settings::default());
    /// let checked = payments.clone();
    /// tokio::spawn(async move {
    ///     checked.health_check(|| async { Ok::<_, std::io::Error>(()) /* GET /health */ }).await
    /// });
    ///
    /// payments.hold_for(Duration::from_secs(30));
    /// let mut states = payments.watch();
    /// assert_eq!(states.changed().await, State::HalfOpen);
    /// assert_eq!(states.changed().await, State::Closed); // no user request was used as a probe
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops a check in progress, returns its lease, and lets callers probe again.
    ///
    /// # Panics
    ///
    /// Continues a panic of `check` after counting it as a failure. Panics outside a tokio runtime with time.
    pub async fn health_check<T, E, F>(&self, mut check: impl FnMut() -> F) -> Infallible
    where
        F: Future<Output = Result<T, E>>,
    {
        let breaker = self.shared().breaker();
        let _registered = HealthCheckGuard::new(Arc::clone(&breaker));
        let mut waiter = Waiter::new(breaker);
        loop {
            let permit = poll_fn(|cx| waiter.poll_health_check(cx)).await;
            let lease = self.settings().probe.lease;
            let mut call = InFlight::new(self.shared().clone(), permit);
            let future = call.run(&mut check);
            let guarded = Guarded { future, call: &mut call };
            let outcome = match tokio::time::timeout(lease, guarded).await {
                Ok(Ok(_)) => Outcome::success(),
                Ok(Err(_)) => Outcome::failure().reason("health check failed"),
                Err(_) => Outcome::failure().reason("health check timed out"),
            };
            call.settle(|| outcome);
        }
    }
}

/// Keeps callers' requests from being probes while it is alive.
struct HealthCheckGuard(Arc<Breaker>);

impl HealthCheckGuard {
    fn new(breaker: Arc<Breaker>) -> Self {
        breaker.count_health_check(true);
        Self(breaker)
    }
}

impl Drop for HealthCheckGuard {
    fn drop(&mut self) {
        self.0.count_health_check(false);
    }
}
