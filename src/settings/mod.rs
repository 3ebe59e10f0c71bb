//! [`Settings`](crate::Settings): the presets, the builder, validation, and the settings file.
//!
//! Every check on a number is in this module. The rest of the crate relies on validated settings and checks nothing
//! again. The manual (every setting with its setter, default, effect and range, and the form of a settings file) is
//! `manual.md`, shown on [`SettingsBuilder`].

mod builder;
mod checks;
mod error;
mod presets;
mod read;
mod trip;
mod types;
mod validate;

#[cfg(feature = "serde")]
mod forms;
#[cfg(feature = "serde")]
mod raw;
#[cfg(feature = "serde")]
mod serde;

#[cfg(test)]
mod preset_tests;
#[cfg(all(test, feature = "serde"))]
mod round_trip_tests;
#[cfg(all(test, feature = "serde"))]
mod serde_tests;
#[cfg(test)]
mod tests;

pub use builder::SettingsBuilder;
pub use error::ConfigError;
pub(crate) use types::ThrottledAction;
pub use types::{Exhausted, Settings, Throttled};
