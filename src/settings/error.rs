//! The error of settings that are out of range.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// A setting that is outside its range.
///
/// `setting` is the dotted path in a settings file (`trip.failure_rate.rate`), even if the number came from the
/// builder.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ConfigError {
    /// A rate is not a number, below one millionth (the precision of rates), or above 1.0.
    NotARate {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: f64,
    },
    /// A jitter is not a number, below 0.0, or above 1.0.
    NotAShare {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: f64,
    },
    /// A multiplier is not a number, infinite, or below 1.0.
    NotAFactor {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: f64,
    },
    /// A step of a ramp is 0 or above 100 percent.
    NotAPercentage {
        /// The setting.
        setting: &'static str,
        /// The index of the element, from 0.
        index: usize,
        /// Its value.
        value: u8,
    },
    /// A count or a duration that must not be zero is zero.
    Zero {
        /// The setting.
        setting: &'static str,
    },
    /// A list is empty.
    Empty {
        /// The setting.
        setting: &'static str,
    },
    /// A count is above its limit.
    TooLarge {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: u64,
        /// The largest allowed value.
        max: u64,
    },
    /// A duration is below its limit.
    TooShort {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: Duration,
        /// The smallest allowed value.
        min: Duration,
    },
    /// A duration is longer than 30 years.
    TooLong {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: Duration,
    },
    /// Two durations are in the wrong order.
    Inverted {
        /// The setting that is too short.
        setting: &'static str,
        /// Its value.
        value: Duration,
        /// The setting that it must not be shorter than.
        bound_setting: &'static str,
        /// The value of that setting.
        bound: Duration,
    },
    /// A window is shorter than its buckets: each must last at least 1 ms.
    BucketTooShort {
        /// The setting.
        setting: &'static str,
        /// The length of the window.
        period: Duration,
        /// The number of buckets.
        buckets: u32,
    },
    /// A step of a ramp admits fewer calls than the step before.
    Falling {
        /// The setting.
        setting: &'static str,
        /// The index of the element, from 0.
        index: usize,
        /// The step before, in percent.
        before: u8,
        /// This step, in percent.
        value: u8,
    },
}

impl ConfigError {
    /// Returns the invalid setting as the dotted path in a settings file, for example `cooldown.max`.
    pub fn setting(&self) -> &'static str {
        match self {
            Self::NotARate { setting, .. }
            | Self::NotAShare { setting, .. }
            | Self::NotAFactor { setting, .. }
            | Self::NotAPercentage { setting, .. }
            | Self::Zero { setting }
            | Self::Empty { setting }
            | Self::TooLarge { setting, .. }
            | Self::TooShort { setting, .. }
            | Self::TooLong { setting, .. }
            | Self::Inverted { setting, .. }
            | Self::BucketTooShort { setting, .. }
            | Self::Falling { setting, .. } => setting,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotARate { setting, value } => {
                write!(f, "{setting} is {value}, must be from 0.000001 to 1.0")
            }
            Self::NotAShare { setting, value } => {
                write!(f, "{setting} is {value}, must be from 0.0 to 1.0")
            }
            Self::NotAFactor { setting, value } => {
                write!(f, "{setting} is {value}, must be finite and at least 1.0")
            }
            Self::NotAPercentage { setting, index, value } => {
                write!(f, "{setting}[{index}] is {value}, must be from 1 to 100 percent")
            }
            Self::Zero { setting } => write!(f, "{setting} is zero, must be greater than zero"),
            Self::Empty { setting } => {
                write!(f, "{setting} is empty, must have at least one element")
            }
            Self::TooLarge { setting, value, max } => {
                write!(f, "{setting} is {value}, must be at most {max}")
            }
            Self::TooShort { setting, value, min } => {
                write!(f, "{setting} is {value:?}, must be at least {min:?}")
            }
            Self::TooLong { setting, value } => {
                write!(f, "{setting} is {value:?}, must be at most 30 years")
            }
            Self::Inverted { setting, value, bound_setting, bound } => {
                write!(f, "{setting} is {value:?}, must be at least {bound_setting} ({bound:?})")
            }
            Self::BucketTooShort { setting, period, buckets } => write!(
                f,
                "{setting} is {period:?}, must be at least {buckets}ms with {buckets} buckets"
            ),
            Self::Falling { setting, index, before, value } => write!(
                f,
                "{setting}[{index}] is {value}, must be at least the step before ({before})"
            ),
        }
    }
}

impl Error for ConfigError {}
