//! Validation of settings, once, before a breaker is built.

use std::time::Duration;

use super::error::ConfigError;
use super::trip;
use crate::backoff::{Backoff, FOREVER};
use crate::probe::{DecideBy, Probe, Ramp};
use crate::settings::Settings;
use crate::window::Window;

pub(super) type Checked = Result<(), ConfigError>;

/// The shortest bucket. A window is divided into whole milliseconds at the finest.
const MIN_BUCKET: Duration = Duration::from_millis(1);

/// The smallest rate. Rates are compared in parts per million; a smaller one would round to zero, which every window
/// meets.
const MIN_RATE: f64 = 0.000_001;

pub(super) fn check(settings: &Settings) -> Checked {
    trip::check(&settings.trip)?;
    window(settings.window)?;
    cooldown(&settings.cooldown)?;
    if let Some(time) = settings.stable_for {
        bounded("stable_for", time)?;
    }
    probe(&settings.probe)?;
    if let Some(rule) = &settings.ramp {
        ramp(rule)?;
    }
    holds(settings)?;
    share("hold_jitter", settings.hold_jitter)?;
    match settings.cancelled_after {
        Some(time) => bounded("cancelled_after", time),
        None => Ok(()),
    }
}

fn window(window: Window) -> Checked {
    match window {
        Window::Time { period, buckets } => {
            positive("window.period", period)?;
            count("window.buckets", buckets, Window::MAX_BUCKETS)?;
            if period < MIN_BUCKET * buckets {
                let setting = "window.period";
                return Err(ConfigError::BucketTooShort { setting, period, buckets });
            }
            Ok(())
        }
        Window::Count { calls } => count("window.calls", calls, Window::MAX_CALLS),
    }
}

fn cooldown(cooldown: &Backoff) -> Checked {
    let Backoff { initial, multiplier, max, jitter } = *cooldown;
    positive("cooldown.initial", initial)?;
    not_below("cooldown.max", max, "cooldown.initial", initial)?;
    bounded("cooldown.max", max)?;
    if !(multiplier.is_finite() && multiplier >= 1.0) {
        return Err(ConfigError::NotAFactor { setting: "cooldown.multiplier", value: multiplier });
    }
    share("cooldown.jitter", jitter)
}

fn probe(probe: &Probe) -> Checked {
    count("probe.in_flight", probe.in_flight, Probe::MAX_IN_FLIGHT)?;
    positive("probe.lease", probe.lease)?;
    match probe.decision {
        DecideBy::Successes(successes) => not_zero("probe.successes", successes),
        DecideBy::Sample { calls, rate: share } => {
            not_zero("probe.sample.calls", calls)?;
            rate("probe.sample.rate", share)
        }
    }
}

fn ramp(ramp: &Ramp) -> Checked {
    let setting = "ramp.steps";
    if ramp.steps.is_empty() {
        return Err(ConfigError::Empty { setting });
    }
    if ramp.steps.len() > Ramp::MAX_STEPS {
        let (value, max) = (ramp.steps.len() as u64, Ramp::MAX_STEPS as u64);
        return Err(ConfigError::TooLarge { setting, value, max });
    }
    let mut before = 0;
    for (index, &value) in ramp.steps.iter().enumerate() {
        if !(1..=100).contains(&value) {
            return Err(ConfigError::NotAPercentage { setting, index, value });
        }
        if value < before {
            return Err(ConfigError::Falling { setting, index, before, value });
        }
        before = value;
    }
    positive("ramp.step", ramp.step)
}

/// Checks the holds. A default hold below `min_hold` would open no circuit, and one above its cap would be shortened.
fn holds(settings: &Settings) -> Checked {
    let Settings { throttled, exhausted, min_hold, .. } = settings;
    bounded("min_hold", *min_hold)?;

    positive("throttled.max_hold", throttled.max_hold)?;
    not_below("throttled.max_hold", throttled.max_hold, "min_hold", *min_hold)?;
    if let Some(hold) = throttled.default_hold {
        positive("throttled.default_hold", hold)?;
        not_below("throttled.default_hold", hold, "min_hold", *min_hold)?;
        not_below("throttled.max_hold", throttled.max_hold, "throttled.default_hold", hold)?;
    }

    positive("exhausted.hold", exhausted.hold)?;
    not_below("exhausted.hold", exhausted.hold, "min_hold", *min_hold)?;
    positive("exhausted.max_hold", exhausted.max_hold)?;
    not_below("exhausted.max_hold", exhausted.max_hold, "exhausted.hold", exhausted.hold)
}

pub(super) fn not_zero(setting: &'static str, value: u32) -> Checked {
    if value == 0 { Err(ConfigError::Zero { setting }) } else { Ok(()) }
}

fn count(setting: &'static str, value: u32, max: u32) -> Checked {
    not_zero(setting, value)?;
    if value > max {
        return Err(ConfigError::TooLarge { setting, value: value.into(), max: max.into() });
    }
    Ok(())
}

pub(super) fn bounded(setting: &'static str, value: Duration) -> Checked {
    if value > FOREVER { Err(ConfigError::TooLong { setting, value }) } else { Ok(()) }
}

pub(super) fn positive(setting: &'static str, value: Duration) -> Checked {
    if value.is_zero() { Err(ConfigError::Zero { setting }) } else { bounded(setting, value) }
}

fn not_below(
    setting: &'static str,
    value: Duration,
    bound_setting: &'static str,
    bound: Duration,
) -> Checked {
    if value < bound {
        return Err(ConfigError::Inverted { setting, value, bound_setting, bound });
    }
    Ok(())
}

pub(super) fn rate(setting: &'static str, value: f64) -> Checked {
    // A range check also rejects NaN, which a comparison with each end would not.
    if (MIN_RATE..=1.0).contains(&value) {
        Ok(())
    } else {
        Err(ConfigError::NotARate { setting, value })
    }
}

fn share(setting: &'static str, value: f64) -> Checked {
    if (0.0..=1.0).contains(&value) {
        Ok(())
    } else {
        Err(ConfigError::NotAShare { setting, value })
    }
}
