//! What is wrong with a number.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// A setting that is outside its range.
///
/// `setting` is the dotted path of a settings file (`trip.failure_rate.rate`), also when the number came from the
/// builder.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ConfigError {
    /// A rate is not a number, below one millionth (the precision of rates), or above 1.0.
    NotARate {
        /// Which.
        setting: &'static str,
        /// What it was.
        value: f64,
    },
    /// A jitter is not a number, below 0.0, or above 1.0.
    NotAShare {
        /// Which.
        setting: &'static str,
        /// What it was.
        value: f64,
    },
    /// A multiplier is not a number, infinite, or below 1.0.
    NotAFactor {
        /// Which.
        setting: &'static str,
        /// What it was.
        value: f64,
    },
    /// A step of a ramp is 0 or above 100 percent.
    NotAPercentage {
        /// Which.
        setting: &'static str,
        /// Which element, from 0.
        index: usize,
        /// What it was.
        value: u8,
    },
    /// A count or a duration is zero that must not be.
    Zero {
        /// Which.
        setting: &'static str,
    },
    /// A list has no element.
    Empty {
        /// Which.
        setting: &'static str,
    },
    /// A count is above its limit.
    TooLarge {
        /// Which.
        setting: &'static str,
        /// What it was.
        value: u64,
        /// The most it can be.
        max: u64,
    },
    /// A duration is below its limit.
    TooShort {
        /// Which.
        setting: &'static str,
        /// What it was.
        value: Duration,
        /// The least it can be.
        min: Duration,
    },
    /// A duration is longer than 30 years.
    TooLong {
        /// Which.
        setting: &'static str,
        /// What it was.
        value: Duration,
    },
    /// Two durations are in the wrong order.
    Inverted {
        /// Which is too short.
        setting: &'static str,
        /// What it was.
        value: Duration,
        /// Which it must not be shorter than.
        bound_setting: &'static str,
        /// What that was.
        bound: Duration,
    },
    /// A window is shorter than its buckets: each must last at least 1 ms.
    BucketTooShort {
        /// Which.
        setting: &'static str,
        /// Length of the window.
        period: Duration,
        /// In how many parts it slides.
        buckets: u32,
    },
    /// A ramp lets fewer calls through than the step before.
    Falling {
        /// Which.
        setting: &'static str,
        /// Which element, from 0.
        index: usize,
        /// The step before, in percent.
        before: u8,
        /// This step, in percent.
        value: u8,
    },
}

impl ConfigError {
    /// Which setting is wrong, as the dotted path of a settings file: `cooldown.max`.
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
            Self::Empty { setting } => write!(f, "{setting} is empty, must have an element"),
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
