//! Reading and writing settings files.

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};

use super::forms::{Human, Seed, Switch};
use super::raw::{
    Preset, RawCooldown, RawExhausted, RawProbe, RawRamp, RawSample, RawSettings, RawThrottled,
    RawWindow,
};
use super::trip::RawTrip;
use super::validate;
use crate::backoff::Backoff;
use crate::probe::{DecideBy, Probe, Ramp};
use crate::settings::{Exhausted, Settings, Throttled};
use crate::window::Window;

/// Reads the form that [`SettingsBuilder`](crate::SettingsBuilder#settings-files) describes.
impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // An empty document, or one with only comments, deserializes as null.
        let raw = Option::<RawSettings>::deserialize(deserializer)?.unwrap_or_default();
        raw.over_preset()
    }
}

/// Writes the form that [`SettingsBuilder`](crate::SettingsBuilder#settings-files) describes.
impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawSettings::from(self).serialize(serializer)
    }
}

impl RawSettings {
    fn over_preset<E: Error>(self) -> Result<Settings, E> {
        let base = match self.preset.unwrap_or_default() {
            Preset::Default => Settings::default(),
            Preset::Http => Settings::http(),
            Preset::Grpc => Settings::grpc(),
            Preset::HttpClient => Settings::http_client(),
            Preset::GrpcClient => Settings::grpc_client(),
            Preset::Llm => Settings::llm(),
        };
        let settings = Settings {
            trip: self.trip.unwrap_or_default().over(base.trip),
            window: self.window.unwrap_or_default().over(base.window)?,
            cooldown: self.cooldown.unwrap_or_default().over(base.cooldown)?,
            stable_for: self.stable_for.or(base.stable_for, |time| time.0),
            probe: self.probe.unwrap_or_default().over(base.probe)?,
            ramp: self.ramp.or(base.ramp, |ramp| Ramp::new(ramp.steps, ramp.step.0)),
            throttled: self.throttled.unwrap_or_default().over(base.throttled),
            exhausted: self.exhausted.unwrap_or_default().over(base.exhausted),
            min_hold: self.min_hold.map_or(base.min_hold, |min| min.0),
            hold_jitter: self.hold_jitter.unwrap_or(base.hold_jitter),
            cancelled_after: self.cancelled_after.or(base.cancelled_after, |time| time.0),
            track_in_flight: self.track_in_flight.unwrap_or(base.track_in_flight),
            seed: self.seed.or(base.seed, |seed| seed.0),
        };
        validate::check(&settings).map_err(E::custom)?;
        Ok(settings)
    }
}

impl From<&Settings> for RawSettings {
    fn from(settings: &Settings) -> Self {
        let ramp = settings.ramp.as_ref();
        Self {
            preset: None,
            trip: Some(RawTrip::from(&settings.trip)),
            window: Some(RawWindow::from(settings.window)),
            cooldown: Some(RawCooldown::from(settings.cooldown)),
            stable_for: Switch::rule(settings.stable_for.map(Human)),
            probe: Some(RawProbe::from(&settings.probe)),
            ramp: Switch::rule(
                ramp.map(|ramp| RawRamp { steps: ramp.steps.clone(), step: Human(ramp.step) }),
            ),
            throttled: Some(RawThrottled::from(settings.throttled)),
            exhausted: Some(RawExhausted {
                hold: Some(Human(settings.exhausted.hold)),
                max_hold: Some(Human(settings.exhausted.max_hold)),
            }),
            min_hold: Some(Human(settings.min_hold)),
            hold_jitter: Some(settings.hold_jitter),
            cancelled_after: Switch::rule(settings.cancelled_after.map(Human)),
            track_in_flight: Some(settings.track_in_flight),
            seed: Switch::rule(settings.seed.map(Seed)),
        }
    }
}

impl RawWindow {
    fn over<E: Error>(self, base: Window) -> Result<Window, E> {
        let Self { period, buckets, calls } = self;
        match (calls, base) {
            (Some(_), _) if period.is_some() || buckets.is_some() => Err(E::custom(
                "window has both calls and period or buckets; it must have only one of the two forms",
            )),
            (Some(calls), _) => Ok(Window::count(calls)),
            (None, Window::Time { period: base_period, buckets: base_buckets }) => {
                let period = period.map_or(base_period, |period| period.0);
                Ok(Window::time(period).buckets(buckets.unwrap_or(base_buckets)))
            }
            // No preset counts calls.
            (None, count @ Window::Count { .. }) => Ok(count),
        }
    }
}

impl From<Window> for RawWindow {
    fn from(window: Window) -> Self {
        match window {
            Window::Time { period, buckets } => {
                Self { period: Some(Human(period)), buckets: Some(buckets), calls: None }
            }
            Window::Count { calls } => Self { calls: Some(calls), ..Self::default() },
        }
    }
}

impl RawCooldown {
    fn over<E: Error>(self, base: Backoff) -> Result<Backoff, E> {
        let Self { fixed, initial, multiplier, max, jitter } = self;
        if let Some(wait) = fixed {
            if initial.is_some() || multiplier.is_some() || max.is_some() || jitter.is_some() {
                return Err(E::custom(
                    "cooldown has both fixed and another key; it must have only one of the two forms",
                ));
            }
            return Ok(Backoff::fixed(wait.0));
        }
        Ok(Backoff {
            initial: initial.map_or(base.initial, |initial| initial.0),
            multiplier: multiplier.unwrap_or(base.multiplier),
            max: max.map_or(base.max, |max| max.0),
            jitter: jitter.unwrap_or(base.jitter),
        })
    }
}

impl From<Backoff> for RawCooldown {
    fn from(cooldown: Backoff) -> Self {
        if cooldown == Backoff::fixed(cooldown.initial) {
            return Self { fixed: Some(Human(cooldown.initial)), ..Self::default() };
        }
        Self {
            fixed: None,
            initial: Some(Human(cooldown.initial)),
            multiplier: Some(cooldown.multiplier),
            max: Some(Human(cooldown.max)),
            jitter: Some(cooldown.jitter),
        }
    }
}

impl RawProbe {
    fn over<E: Error>(self, base: Probe) -> Result<Probe, E> {
        let decision = match (self.successes, self.sample) {
            (Some(_), Some(_)) => {
                return Err(E::custom(
                    "probe has both successes and sample; it must have only one of them",
                ));
            }
            (Some(successes), None) => DecideBy::Successes(successes),
            (None, Some(sample)) => DecideBy::Sample { calls: sample.calls, rate: sample.rate },
            (None, None) => base.decision,
        };
        Ok(Probe {
            in_flight: self.in_flight.unwrap_or(base.in_flight),
            lease: self.lease.map_or(base.lease, |lease| lease.0),
            decision,
        })
    }
}

impl From<&Probe> for RawProbe {
    fn from(probe: &Probe) -> Self {
        let (successes, sample) = match probe.decision {
            DecideBy::Successes(successes) => (Some(successes), None),
            DecideBy::Sample { calls, rate } => (None, Some(RawSample { calls, rate })),
        };
        Self {
            successes,
            in_flight: Some(probe.in_flight),
            lease: Some(Human(probe.lease)),
            sample,
        }
    }
}

impl RawThrottled {
    fn over(self, base: Throttled) -> Throttled {
        Throttled {
            action: self.action.unwrap_or(base.action),
            default_hold: self.default_hold.or(base.default_hold, |hold| hold.0),
            max_hold: self.max_hold.map_or(base.max_hold, |max| max.0),
        }
    }
}

impl From<Throttled> for RawThrottled {
    fn from(throttled: Throttled) -> Self {
        Self {
            action: Some(throttled.action),
            max_hold: Some(Human(throttled.max_hold)),
            default_hold: Switch::rule(throttled.default_hold.map(Human)),
        }
    }
}

impl RawExhausted {
    fn over(self, base: Exhausted) -> Exhausted {
        Exhausted {
            hold: self.hold.map_or(base.hold, |hold| hold.0),
            max_hold: self.max_hold.map_or(base.max_hold, |max| max.0),
        }
    }
}
