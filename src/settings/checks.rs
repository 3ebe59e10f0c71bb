//! Checks of single numbers.

use std::time::Duration;

use super::error::ConfigError;
use crate::backoff::FOREVER;

pub(super) type Checked = Result<(), ConfigError>;

/// The smallest rate. Rates are compared in parts per million; a smaller one would round to zero, which every window
/// meets.
const MIN_RATE: f64 = 0.000_001;

pub(super) fn not_zero(setting: &'static str, value: u32) -> Checked {
    if value == 0 { Err(ConfigError::Zero { setting }) } else { Ok(()) }
}

pub(super) fn count(setting: &'static str, value: u32, max: u32) -> Checked {
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

pub(super) fn not_below(
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

pub(super) fn share(setting: &'static str, value: f64) -> Checked {
    if (0.0..=1.0).contains(&value) {
        Ok(())
    } else {
        Err(ConfigError::NotAShare { setting, value })
    }
}
