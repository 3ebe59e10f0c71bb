//! The atomics, locks and thread-locals of the crate, in one place so that a model checker can replace them.
//!
//! In unit tests under `--cfg loom` or `--cfg shuttle` they are those of the checker.

#[cfg(all(test, any(loom, shuttle)))]
mod checked;
#[cfg(not(all(test, any(loom, shuttle))))]
mod plain;

#[cfg(all(test, any(loom, shuttle)))]
pub(crate) use checked::*;
#[cfg(not(all(test, any(loom, shuttle))))]
pub(crate) use plain::*;
