//! The configuration of a breaker.

use std::sync::Arc;
use std::time::Duration;

use crate::classify::{ClassifyFn, ErrorsAsFailures};
use crate::error::CircuitOpen;
use crate::event::{Observer, Observers};
use crate::machine::{Callbacks, WindowSnapshot};
use crate::outcome::Outcome;
use crate::rejection::{RejectWithBoxError, RejectWithFn};
use crate::settings::Settings;

/// The configuration of a breaker: its [`Settings`], its classifier and its rejection policy.
///
/// A preset chooses all three, and each can be replaced:
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
    pub(super) parts: Parts,
    pub(super) classify: C,
    pub(super) on_rejected: R,
}

/// The parts of a [`Config`] that do not depend on its type parameters.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) name: Arc<str>,
    pub(super) settings: Settings,
    pub(super) callbacks: Callbacks,
    pub(super) observers: Observers,
    pub(super) pending: bool,
}

impl<C, R> Config<C, R> {
    pub(super) fn of(name: &str, settings: Settings, classify: C, on_rejected: R) -> Self {
        let parts = Parts {
            name: Arc::from(name),
            settings,
            callbacks: Callbacks::default(),
            observers: Observers::default(),
            pending: false,
        };
        Self { parts, classify, on_rejected }
    }

    #[cfg(test)]
    pub(crate) fn classifier(&self) -> &C {
        &self.classify
    }

    /// Sets the name of the breaker in errors, headers, events and logs. Default: the name of the preset
    /// (`http_client`).
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.parts.name = name.into();
        self
    }

    /// Replaces the settings of the preset. To change some of them, start from [`Settings::to_builder`].
    pub fn settings(mut self, settings: Settings) -> Self {
        self.parts.settings = settings;
        self
    }

    /// Sets the classifier, see [`Classify`](crate::classify::Classify). It also replaces all overrides, so call this
    /// method before you add them.
    pub fn classify<C2>(self, classify: C2) -> Config<C2, R> {
        let Self { parts, on_rejected, .. } = self;
        Config { parts, classify, on_rejected }
    }

    /// Sets a closure as the classifier. It sees the whole result of a call.
    ///
    /// The response type of the guarded service is then that of the inner service, and the policies `RejectWithHttp` and
    /// `RejectWithGrpc` require a body that implements `Default`.
    pub fn classify_fn<Res, E, F>(self, classify: F) -> Config<ClassifyFn<F>, R>
    where
        F: Fn(Result<&Res, &E>) -> Outcome,
    {
        self.classify(ClassifyFn::new(classify))
    }

    /// Sets the rejection policy, see [`OnRejected`](crate::rejection::OnRejected).
    pub fn on_rejected<R2>(self, on_rejected: R2) -> Config<C, R2> {
        let Self { parts, classify, .. } = self;
        Config { parts, classify, on_rejected }
    }

    /// Answers a rejected call with a response made from the request and the rejection. The closure takes the request
    /// by value, so nothing is cloned. The error type stays that of the inner service.
    pub fn reject_with<Req, A, F>(self, answer: F) -> Config<C, RejectWithFn<F>>
    where
        F: Fn(Req, CircuitOpen) -> A,
    {
        self.on_rejected(RejectWithFn::new(answer))
    }

    /// Adds a trip rule to those of the settings.
    ///
    /// The closure runs after each failure or slow call on which no other rule fires, and whenever the breaker checks for
    /// overdue calls. It runs outside all locks. The circuit opens only if the epoch has not ended in the meantime.
    ///
    /// ```
    /// use tower_breaker::Config;
    ///
    /// // Tolerate fewer failures under more traffic.
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
        self.parts.callbacks.rule = Some(Arc::new(rule));
        self
    }

    /// Sets a closure that computes the cooldown, in place of the [`Backoff`](crate::Backoff) of the settings.
    ///
    /// Its argument is the number of the attempt: 0 for the first trip, one more after each failed half-open period. The
    /// jitter of the settings applies to the result. Their maximum does not.
    ///
    /// The closure runs outside all locks. If it panics, the panic hook reports the panic, which does not propagate. The
    /// circuit still opens, with the backoff of the settings.
    pub fn cooldown_with(
        mut self,
        cooldown: impl Fn(u32) -> Duration + Send + Sync + 'static,
    ) -> Self {
        self.parts.callbacks.cooldown = Some(Arc::new(cooldown));
        self
    }

    /// Adds an observer, which is notified of every transition of the breaker, and of calls that went wrong. See
    /// [`Observer`].
    ///
    /// Observers are notified in the order in which they are given here. Listeners can be added later:
    /// [`BreakerHandle::add_listener`](crate::BreakerHandle::add_listener).
    pub fn observe(mut self, observer: impl Observer + 'static) -> Self {
        self.parts.observers.push(Arc::new(observer));
        self
    }

    /// Makes `poll_ready` wait while calls would be rejected, so that `call` does not reject them.
    ///
    /// Use it with balancers, which skip an endpoint that is not ready. By default, an endpoint that rejects at once
    /// looks like the fastest one. In a [`Ramp`](crate::Ramp), `call` still rejects its share of the calls. Requires a
    /// tokio runtime with time enabled.
    pub fn pending_while_open(mut self) -> Self {
        self.parts.pending = true;
        self
    }
}
