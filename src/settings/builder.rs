//! The builder.

use std::time::Duration;

use super::error::ConfigError;
use super::validate;
use crate::backoff::Backoff;
use crate::machine::{Exhausted, Settings, Throttled};
use crate::probe::{Probe, Ramp};
use crate::trip::Trip;
use crate::window::Window;

#[doc = include_str!("manual.md")]
#[derive(Clone, Debug, PartialEq, Default)]
#[must_use = "nothing is checked before `build`"]
pub struct SettingsBuilder {
    settings: Settings,
}

impl Settings {
    /// A builder that starts from [`Settings::default`].
    pub fn builder() -> SettingsBuilder {
        SettingsBuilder::default()
    }

    /// A builder that starts from these settings: for a preset with one number changed.
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
    /// The rules that open the circuit. Replaces all of them; [`Settings::trip`] reads those of a preset.
    ///
    /// Default: 5 failures in a row, or at least half of at least 20 calls.
    pub fn trip(mut self, trip: Trip) -> Self {
        self.settings.trip = trip;
        self
    }

    /// What the rates and the failure count of [`trip`](Self::trip) look at. A `min_calls` larger than a window of
    /// calls means that window's size.
    ///
    /// Default: 30 s in 10 buckets.
    pub fn window(mut self, window: Window) -> Self {
        self.settings.window = window;
        self
    }

    /// How long the circuit stays open.
    ///
    /// Default: 5 s, doubled by each failed half-open up to 60 s, jittered by 20 %.
    pub fn cooldown(mut self, cooldown: Backoff) -> Self {
        self.settings.cooldown = cooldown;
        self
    }

    /// How long a circuit must have been closed before its next trip starts again with the first cooldown. A trip
    /// before that goes on with the next longer one. Zero: every close starts afresh.
    ///
    /// Default: as long as the last cooldown was.
    pub fn stable_for(mut self, time: Duration) -> Self {
        self.settings.stable_for = Some(time);
        self
    }

    /// What closes a half-open circuit.
    ///
    /// Default: one successful probe, one at a time, with a lease of 35 s.
    pub fn probe(mut self, probe: Probe) -> Self {
        self.settings.probe = probe;
        self
    }

    /// A gradual return of traffic after the probes succeeded.
    ///
    /// Default: none.
    pub fn ramp(mut self, ramp: Ramp) -> Self {
        self.settings.ramp = Some(ramp);
        self
    }

    /// Without a ramp: the circuit closes as soon as the probes succeeded.
    pub fn no_ramp(mut self) -> Self {
        self.settings.ramp = None;
        self
    }

    /// What a throttled outcome does.
    ///
    /// Default: [`Throttled::hold`].
    pub fn throttled(mut self, throttled: Throttled) -> Self {
        self.settings.throttled = throttled;
        self
    }

    /// What an exhausted outcome does.
    ///
    /// Default: a hold of 10 min, or as long as the server said, at most 1 h.
    pub fn exhausted(mut self, exhausted: Exhausted) -> Self {
        self.settings.exhausted = exhausted;
        self
    }

    /// The shortest wait of a server that opens a circuit by itself; a shorter one is not worth rejecting calls for.
    /// At most the `max_hold` and the own holds of [`throttled`](Self::throttled) and [`exhausted`](Self::exhausted).
    ///
    /// Default: 1 s.
    pub fn min_hold(mut self, min: Duration) -> Self {
        self.settings.min_hold = min;
        self
    }

    /// The share by which a server's wait is lengthened at random, so that a fleet does not wake in step. 0.0 to 1.0.
    ///
    /// Default: 0.1, that is up to 10 %.
    pub fn hold_jitter(mut self, share: f64) -> Self {
        self.settings.hold_jitter = share;
        self
    }

    /// A call that is dropped after running at least this long is a failure: a hung server behind somebody's outer
    /// timeout must trip. Zero: every dropped call is one.
    ///
    /// Default: off. 10 s in the client presets, 60 s in [`Settings::llm`].
    pub fn cancelled_after(mut self, time: Duration) -> Self {
        self.settings.cancelled_after = Some(time);
        self
    }

    /// A dropped call is never a failure.
    pub fn no_cancelled_after(mut self) -> Self {
        self.settings.cancelled_after = None;
        self
    }

    /// Counts the calls in flight for snapshots. They are always counted with an overdue rule.
    ///
    /// Default: off; it costs a shared counter per call.
    pub fn track_in_flight(mut self, on: bool) -> Self {
        self.settings.track_in_flight = on;
        self
    }

    /// The seed of every jitter: for tests with exact waits. Replicas with one seed wake in step.
    ///
    /// Default: another one for each breaker.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = Some(seed);
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    ///
    /// The first number that is outside its range; [`ConfigError::setting`] says which.
    pub fn build(self) -> Result<Settings, ConfigError> {
        validate::check(&self.settings)?;
        Ok(self.settings)
    }
}
