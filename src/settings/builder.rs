//! The builder of settings.

use std::time::Duration;

use super::error::ConfigError;
use super::validate;
use crate::backoff::Backoff;
use crate::probe::{Probe, Ramp};
use crate::settings::{Exhausted, Settings, Throttled};
use crate::trip::Trip;
use crate::window::Window;

#[doc = include_str!("manual.md")]
#[derive(Clone, Debug, PartialEq, Default)]
#[must_use = "the settings are validated by `build`"]
pub struct SettingsBuilder {
    settings: Settings,
}

impl Settings {
    /// Returns a builder that starts from [`Settings::default`].
    pub fn builder() -> SettingsBuilder {
        SettingsBuilder::default()
    }

    /// Returns a builder that starts from these settings, for example to change one number of a preset.
    ///
    /// ```
    /// use tower_breaker::Settings;
    ///
    /// let http = Settings::http_client();
    /// let settings = http.to_builder().trip(http.trip().consecutive(3)).build()?;
    /// # let _ = settings;
    /// # Ok::<_, tower_breaker::ConfigError>(())
    /// ```
    pub fn to_builder(&self) -> SettingsBuilder {
        SettingsBuilder { settings: self.clone() }
    }
}

impl SettingsBuilder {
    /// Sets the rules that trip the circuit. Replaces all of them; [`Settings::trip`] returns those of a preset.
    ///
    /// Default: 5 consecutive failures, or a failure rate of at least 50 % of at least 20 calls.
    pub fn trip(mut self, trip: Trip) -> Self {
        self.settings.trip = trip;
        self
    }

    /// Sets the window of the rates and of the failure count of [`trip`](Self::trip). A `min_calls` above the size of a
    /// count window is lowered to that size.
    ///
    /// Default: 30 s in 10 buckets.
    pub fn window(mut self, window: Window) -> Self {
        self.settings.window = window;
        self
    }

    /// Sets how long the circuit stays open.
    ///
    /// Default: 5 s, doubled with each failed half-open period up to 60 s, with a jitter of ±20 %.
    pub fn cooldown(mut self, cooldown: Backoff) -> Self {
        self.settings.cooldown = cooldown;
        self
    }

    /// Sets how long a circuit must stay closed before the next trip starts with the first cooldown again. An earlier
    /// trip uses the next longer one. With zero, every trip after a close starts with the first cooldown.
    ///
    /// Default: the duration of the last cooldown.
    pub fn stable_for(mut self, time: Duration) -> Self {
        self.settings.stable_for = Some(time);
        self
    }

    /// Sets how many probes a half-open circuit admits, and when they close it.
    ///
    /// Default: one successful probe, one at a time, with a lease of 35 s.
    pub fn probe(mut self, probe: Probe) -> Self {
        self.settings.probe = probe;
        self
    }

    /// Sets a gradual return of traffic after the probes have succeeded.
    ///
    /// Default: none.
    pub fn ramp(mut self, ramp: Ramp) -> Self {
        self.settings.ramp = Some(ramp);
        self
    }

    /// Removes the ramp: the circuit closes as soon as the probes have succeeded.
    pub fn no_ramp(mut self) -> Self {
        self.settings.ramp = None;
        self
    }

    /// Sets the effect of a throttled outcome.
    ///
    /// Default: [`Throttled::hold`].
    pub fn throttled(mut self, throttled: Throttled) -> Self {
        self.settings.throttled = throttled;
        self
    }

    /// Sets the effect of an exhausted outcome.
    ///
    /// Default: a hold for the server's wait, or 10 min if it gave none; at most 1 h.
    pub fn exhausted(mut self, exhausted: Exhausted) -> Self {
        self.settings.exhausted = exhausted;
        self
    }

    /// Sets the shortest server wait that opens a circuit in which no rule fired. A shorter wait opens none. Must not
    /// exceed the `max_hold` and the default holds of [`throttled`](Self::throttled) and
    /// [`exhausted`](Self::exhausted).
    ///
    /// Default: 1 s.
    pub fn min_hold(mut self, min: Duration) -> Self {
        self.settings.min_hold = min;
        self
    }

    /// Sets the share by which a server's wait is lengthened at random, 0.0 to 1.0, so that replicas do not all send
    /// their probes at the same time.
    ///
    /// Default: 0.1, which lengthens a wait by up to 10 %.
    pub fn hold_jitter(mut self, share: f64) -> Self {
        self.settings.hold_jitter = share;
        self
    }

    /// Counts a call that is dropped after running for at least `time` as a failure, so that a hung server behind an
    /// outer timeout trips the circuit. With zero, every dropped call is a failure.
    ///
    /// Default: off. 10 s in the client presets, 60 s in [`Settings::llm`].
    pub fn cancelled_after(mut self, time: Duration) -> Self {
        self.settings.cancelled_after = Some(time);
        self
    }

    /// Never counts a dropped call as a failure.
    pub fn no_cancelled_after(mut self) -> Self {
        self.settings.cancelled_after = None;
        self
    }

    /// Counts the calls in flight for snapshots. With an overdue rule they are always counted.
    ///
    /// Default: off, because it costs a counter update per call.
    pub fn track_in_flight(mut self, on: bool) -> Self {
        self.settings.track_in_flight = on;
        self
    }

    /// Sets the seed of all jitter, for tests with exact waits. Replicas with the same seed wait equally long.
    ///
    /// Default: a different seed for each breaker.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = Some(seed);
        self
    }

    /// Validates the settings and returns them.
    ///
    /// # Errors
    ///
    /// Returns an error for the first number that is outside its range. [`ConfigError::setting`] names the setting.
    pub fn build(self) -> Result<Settings, ConfigError> {
        validate::check(&self.settings)?;
        Ok(self.settings)
    }
}
