//! The types of a model checker. Loom tries every interleaving, shuttle random ones. Statics and thread-locals belong
//! to one execution.

#[cfg(loom)]
use loom as checker;
#[cfg(not(loom))]
use shuttle as checker;

use std::cell::Cell;
use std::sync::PoisonError;

use checker::sync::MutexGuard;
pub(crate) use checker::sync::atomic::{AtomicU32, AtomicU64, Ordering};
pub(crate) use checker::{lazy_static, thread_local as checker_local};

/// A lock that a panic does not poison, as in `plain`.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(checker::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(checker::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A `OnceLock`, which the checkers lack. A standard one holds the value, and the checker's types order the accesses.
#[derive(Debug)]
pub(crate) struct OnceLock<T> {
    value: std::sync::OnceLock<T>,
    ready: AtomicU32,
    init: Mutex<()>,
}

impl<T> OnceLock<T> {
    pub(crate) fn new() -> Self {
        Self { value: std::sync::OnceLock::new(), ready: AtomicU32::new(0), init: Mutex::new(()) }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        // Pairs with the Release store below: a thread that reads 1 sees the value.
        (self.ready.load(Ordering::Acquire) == 1)
            .then(|| self.value.get().expect("initialised before `ready`"))
    }

    pub(crate) fn get_or_init(&self, init: impl FnOnce() -> T) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        let _initialising = self.init.lock();
        let value = self.value.get_or_init(init);
        // Written after the value, by the thread that holds `init`.
        self.ready.store(1, Ordering::Release);
        value
    }
}

/// A thread-local with the methods of the standard one.
///
/// A standard thread-local without a destructor can be used until its thread ends. This one has its initial value again
/// after the checker has dropped it.
pub(crate) struct LocalKey<T: 'static>(pub(crate) &'static checker::thread::LocalKey<T>);

impl<T> LocalKey<T> {
    pub(crate) fn try_with<R>(&self, with: impl FnOnce(&T) -> R) -> Result<R, ()> {
        self.0.try_with(with).map_err(|_gone| ())
    }
}

impl<T: Copy> LocalKey<Cell<T>> {
    pub(crate) fn get(&self) -> T {
        self.with_or_new(|cell| cell.get())
    }

    pub(crate) fn set(&self, value: T) {
        self.with_or_new(|cell| cell.set(value));
    }

    pub(crate) fn replace(&self, value: T) -> T {
        self.with_or_new(|cell| cell.replace(value))
    }

    fn with_or_new<R>(&self, with: impl Fn(&Cell<T>) -> R) -> R {
        self.0.try_with(&with).unwrap_or_else(|_gone| with(&(self.0.init)()))
    }
}

macro_rules! checked_local {
    ($($(#[$meta:meta])* static $name:ident: $type:ty = const $init:block;)*) => {$(
        $(#[$meta])*
        static $name: $crate::sync::LocalKey<$type> = {
            $crate::sync::checker_local! { static KEY: $type = $init; }
            $crate::sync::LocalKey(&KEY)
        };
    )*};
}
pub(crate) use checked_local as thread_local;

macro_rules! global {
    ($(#[$meta:meta])* static $name:ident: $type:ty = $init:expr;) => {
        $crate::sync::lazy_static! { $(#[$meta])* static ref $name: $type = $init; }
    };
}
pub(crate) use global;
