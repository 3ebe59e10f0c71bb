//! Probing in the background.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::sync::Arc;

use crate::breaker::InFlight;
use crate::breaker::handle::Guarded;
use crate::breaker::wait::Waiter;
use crate::breaker::{Breaker, BreakerHandle};
use crate::outcome::Outcome;

impl BreakerHandle {
    /// Lets a health_check of your own decide when the circuit closes, in place of somebody's request: a health check, a
    /// cheap query.
    ///
    /// While this runs, no call is admitted in half-open. Each time the cooldown has ended, the health_check is called until
    /// the circuit closes (or its ramp begins) or opens again: `Ok` is a success, `Err` and a panic are failures, and
    /// a health_check that does not end within the probe's lease has failed. It never ends by itself: spawn it, and abort
    /// the task to give the probing back to the callers.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use std::time::Duration;
    /// use tower_breaker::{BreakerHandle, Settings, State};
    ///
    /// let payments = BreakerHandle::new("payments", Settings::default());
    /// let watched = payments.clone();
    /// tokio::spawn(async move {
    ///     watched.health_check(|| async { Ok::<_, std::io::Error>(()) /* GET /health */ }).await
    /// });
    ///
    /// payments.hold_for(Duration::from_secs(30));
    /// let mut states = payments.watch();
    /// assert_eq!(states.changed().await, State::HalfOpen);
    /// assert_eq!(states.changed().await, State::Closed); // and no user was the probe
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops a health_check that is under way, gives its place back, and lets callers probe again.
    ///
    /// # Panics
    ///
    /// With the health_check's panic, after it was counted. Outside a tokio runtime with time.
    pub async fn health_check<T, E, F>(&self, mut health_check: impl FnMut() -> F) -> Infallible
    where
        F: Future<Output = Result<T, E>>,
    {
        let breaker = self.shared().breaker();
        let _watching = HealthCheckGuard::new(Arc::clone(&breaker));
        let mut waiter = Waiter::new(breaker);
        loop {
            let grant = poll_fn(|cx| waiter.poll_health_check(cx)).await;
            let lease = self.settings().probe.lease;
            let mut call = InFlight::new(self.shared().clone(), grant);
            let future = call.run(&mut health_check);
            let guarded = Guarded { future, call: &mut call };
            let outcome = match tokio::time::timeout(lease, guarded).await {
                Ok(Ok(_)) => Outcome::success(),
                Ok(Err(_)) => Outcome::failure().reason("health_check"),
                Err(_) => Outcome::failure().reason("health_check timed out"),
            };
            call.settle(|| outcome);
        }
    }
}

/// The callers' requests are no probes while this lives.
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
