//! How [`Settings`](crate::Settings) come to be: the presets, the builder that checks them once, the settings file.
//!
//! Everything that a number can be wrong in is found here. What [`build`](SettingsBuilder::build) has returned, no
//! later part of the crate checks again. The manual (every setting, its setter, default, effect and range, and the
//! form of a settings file) is `manual.md`, shown on [`SettingsBuilder`].

mod builder;
mod error;
mod presets;
mod read;
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
