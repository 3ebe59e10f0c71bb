//! The one place where atomics, locks and thread-locals come from, so that a model checker can replace them.
//!
//! In unit tests under `--cfg loom` or `--cfg shuttle` they are the checker's; the rest of the crate does not notice.

#[cfg(all(test, any(loom, shuttle)))]
mod checked;
#[cfg(not(all(test, any(loom, shuttle))))]
mod plain;

#[cfg(all(test, any(loom, shuttle)))]
pub(crate) use checked::*;
#[cfg(not(all(test, any(loom, shuttle))))]
pub(crate) use plain::*;
