//! What a breaker is made of.

use std::sync::Arc;
use std::time::Duration;

use crate::classify::{ClassifyFn, ErrorsAsFailures};
use crate::error::CircuitOpen;
use crate::event::{Observer, Observers};
use crate::machine::{Callbacks, Settings, WindowSnapshot};
use crate::outcome::Outcome;
use crate::rejection::{RejectWithBoxError, RejectWithFn};

/// The numbers, what a result means, and what a rejection becomes.
///
/// A preset picks all three, and each can be replaced:
///
/// ```
/// use tower_breaker::{Config, Outcome, Settings, Trip};
///
/// let config = Config::default()
///     .name("search")
///     .settings(Settings::builder().trip(Trip::none().consecutive(3)).build()?)
///     .classify_fn(|result: Result<&u32, &std::io::Error>| match result {
///         Ok(_) => Outcome::success(),
///         Err(error) if error.kind() == std::io::ErrorKind::NotFound => Outcome::ignored(),
///         Err(_) => Outcome::failure(),
///     });
/// # let _ = config;
/// # Ok::<_, tower_breaker::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Config<C = ErrorsAsFailures, R = RejectWithBoxError> {
    pub(super) name: Arc<str>,
    pub(super) settings: Settings,
    pub(super) callbacks: Callbacks,
    pub(super) observers: Observers,
    pub(super) classify: C,
    pub(super) on_rejected: R,
    pub(super) pending: bool,
}

impl<C, R> Config<C, R> {
    pub(super) fn of(name: &str, settings: Settings, classify: C, on_rejected: R) -> Self {
        Self {
            name: Arc::from(name),
            settings,
            callbacks: Callbacks::default(),
            observers: Observers::default(),
            classify,
            on_rejected,
            pending: false,
        }
    }

    #[cfg(test)]
    pub(crate) fn classifier(&self) -> &C {
        &self.classify
    }

    /// The name of the breaker in errors, headers, events and logs. Default: that of the preset (`http_client`).
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = name.into();
        self
    }

    /// The numbers. Replaces those of the preset; to change one of them, start from
    /// [`Settings::to_builder`].
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// What a finished call meant. See [`Classify`](crate::classify::Classify). Rules that were given before are replaced with
    /// it: give them after.
    pub fn classify<C2>(self, classify: C2) -> Config<C2, R> {
        let Self { name, settings, callbacks, observers, classify: _, on_rejected, pending } = self;
        Config { name, settings, callbacks, observers, classify, on_rejected, pending }
    }

    /// What a finished call meant, as a function of its whole result.
    ///
    /// The response of the guarded service is then the inner one as it is, and `RejectWithHttp` or `RejectWithGrpc` need a body
    /// that has a `Default`.
    pub fn classify_fn<Res, E, F>(self, classify: F) -> Config<ClassifyFn<F>, R>
    where
        F: Fn(Result<&Res, &E>) -> Outcome,
    {
        self.classify(ClassifyFn::new(classify))
    }

    /// What a rejected call becomes. See [`OnRejected`](crate::rejection::OnRejected).
    pub fn on_rejected<R2>(self, on_rejected: R2) -> Config<C, R2> {
        let Self { name, settings, callbacks, observers, classify, on_rejected: _, pending } = self;
        Config { name, settings, callbacks, observers, classify, on_rejected, pending }
    }

    /// Answers a rejected call with a response made from the request (by value, uncopied) and the rejection. The
    /// error type stays the inner one.
    pub fn reject_with<Req, A, F>(self, answer: F) -> Config<C, RejectWithFn<F>>
    where
        F: Fn(Req, CircuitOpen) -> A,
    {
        self.on_rejected(RejectWithFn::new(answer))
    }

    /// A trip rule of your callbacks, beside those of the settings: asked whenever a failure or a slow call was counted
    /// and no other rule fired, and when overdue calls are looked for.
    ///
    /// It runs outside every lock, and opens the circuit only if its epoch has not ended meanwhile.
    ///
    /// ```
    /// use tower_breaker::Config;
    ///
    /// // Tolerate less when there is more traffic.
    /// let config = Config::default().trip_when(|window| {
    ///     let tolerated = if window.calls > 1_000 { 0.05 } else { 0.5 };
    ///     window.calls >= 20 && window.failures as f64 >= tolerated * window.calls as f64
    /// });
    /// # let _ = config;
    /// ```
    pub fn trip_when(
        mut self,
        rule: impl Fn(&WindowSnapshot) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.callbacks.rule = Some(Arc::new(rule));
        self
    }

    /// A cooldown of your callbacks, from the number of the attempt (0 for the first trip, one more for each failed
    /// half-open), in place of the settings' formula. The settings' jitter applies; their maximum does not.
    ///
    /// It runs outside every lock. If it panics, the panic is reported by the panic hook and ends there, and the
    /// settings' formula stands in: the circuit opens all the same.
    pub fn cooldown_with(
        mut self,
        cooldown: impl Fn(u32) -> Duration + Send + Sync + 'static,
    ) -> Self {
        self.callbacks.cooldown = Some(Arc::new(cooldown));
        self
    }

    /// Notifies `observer` of every transition of the breaker, and of calls that went wrong. See [`Observer`].
    ///
    /// Observers are notified in the order in which they are given here. Listeners can be added later:
    /// [`BreakerHandle::add_listener`](crate::BreakerHandle::add_listener).
    pub fn observe(mut self, observer: impl Observer + 'static) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// Lets `poll_ready` wait while calls would be rejected, instead of letting `call` reject.
    ///
    /// For balancers, which skip an endpoint that is not ready: in the default mode an endpoint that rejects at once
    /// looks like the fastest one. In a [`Ramp`](crate::Ramp), `call` still rejects its share. Needs a tokio runtime
    /// with time.
    pub fn pending_while_open(mut self) -> Self {
        self.pending = true;
        self
    }
}
