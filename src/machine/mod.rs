//! The machine.
mod settings;
pub use settings::{Exhausted, Settings, Throttled};
