//! The types of the standard library.

pub(crate) use std::sync::OnceLock;
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
pub(crate) use std::thread_local;

use std::sync::{MutexGuard, PoisonError};

/// A lock that a panic does not poison.
///
/// No user code runs under a lock of this crate, so the guarded value is consistent at every point where a panic can
/// occur.
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

/// Defines a static that holds one of the types above.
macro_rules! global {
    ($(#[$meta:meta])* static $name:ident: $type:ty = $init:expr;) => {
        $(#[$meta])*
        static $name: $type = $init;
    };
}
pub(crate) use global;
