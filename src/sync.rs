//! The one place where atomics and locks come from, so that a model checker can replace them.

pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use std::sync::{MutexGuard, PoisonError};

/// A lock that a panic does not poison: no user code runs under any lock of this crate, so that what it guards
/// is whole at every point where a panic could pass.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
