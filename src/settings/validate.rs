//! Validation of settings, once, before a breaker is built.

use std::time::Duration;

use super::checks::{Checked, bounded, count, not_below, not_zero, positive, rate, share};
use super::error::ConfigError;
use super::trip;
use crate::backoff::Backoff;
use crate::probe::{DecideBy, Probe, Ramp};
use crate::settings::Settings;
use crate::window::Window;

/// The shortest bucket. A window is divided into whole milliseconds at the finest.
const MIN_BUCKET: Duration = Duration::from_millis(1);

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
