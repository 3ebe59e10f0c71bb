//! Probing in the background.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::sync::Arc;

use crate::breaker::InFlight;
use crate::breaker::handle::Guarded;
use crate::breaker::wait::Parked;
use crate::breaker::{Breaker, Handle};
use crate::outcome::Outcome;

impl Handle {
    /// Lets a canary of your own decide when the circuit closes, in place of somebody's request: a health check, a
    /// cheap query.
    ///
    /// While this runs, no call is admitted in half-open. Each time the cooldown has ended, the canary is called until
    /// the circuit closes (or its ramp begins) or opens again: `Ok` is a success, `Err` and a panic are failures, and
    /// a canary that does not end within the probe's lease has failed. It never ends by itself: spawn it, and abort
    /// the task to give the probing back to the callers.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use std::time::Duration;
    /// use tower_breaker::{Handle, Settings, State};
    ///
    /// let payments = Handle::new("payments", Settings::default());
    /// let watched = payments.clone();
    /// tokio::spawn(async move {
    ///     watched.watch_with(|| async { Ok::<_, std::io::Error>(()) /* GET /health */ }).await
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
    /// Dropping it drops a canary that is under way, gives its place back, and lets callers probe again.
    ///
    /// # Panics
    ///
    /// With the canary's panic, after it was counted. Outside a tokio runtime with time.
    pub async fn watch_with<T, E, F>(&self, mut canary: impl FnMut() -> F) -> Infallible
    where
        F: Future<Output = Result<T, E>>,
    {
        let breaker = self.shared().breaker();
        let _watching = Watching::new(Arc::clone(&breaker));
        let mut parked = Parked::new(breaker);
        loop {
            let grant = poll_fn(|cx| parked.poll_canary(cx)).await;
            let lease = self.settings().probe.lease;
            let mut call = InFlight::new(self.shared().clone(), grant);
            let future = call.run(&mut canary);
            let guarded = Guarded { future, call: &mut call };
            let outcome = match tokio::time::timeout(lease, guarded).await {
                Ok(Ok(_)) => Outcome::success(),
                Ok(Err(_)) => Outcome::failure().reason("canary"),
                Err(_) => Outcome::failure().reason("canary timed out"),
            };
            call.settle(|| outcome);
        }
    }
}

/// The callers' requests are no probes while this lives.
struct Watching(Arc<Breaker>);

impl Watching {
    fn new(breaker: Arc<Breaker>) -> Self {
        breaker.count_canary(true);
        Self(breaker)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.count_canary(false);
    }
}
