//! Manual operations, and the record of whether the breaker is disabled.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use tower_breaker::{BreakerHandle, Settings};

/// A manual operation.
#[derive(Clone, Debug)]
pub(crate) enum Verb {
    ForceOpen(Option<Duration>),
    Release,
    ForceClosed,
    Disable,
    Shadow,
    Reset,
    HoldFor(Duration),
    Reconfigure(Box<Settings>),
}

impl Verb {
    fn apply(self, handle: &BreakerHandle) {
        match self {
            Self::ForceOpen(time) => handle.force_open(time),
            Self::Release => handle.release(),
            Self::ForceClosed => handle.force_closed(),
            Self::Disable => handle.disable(),
            Self::Shadow => handle.shadow(),
            Self::Reset => handle.reset(),
            Self::HoldFor(time) => handle.hold_for(time),
            Self::Reconfigure(settings) => handle.reconfigure(*settings),
        }
    }
}

/// The record of whether the breaker is disabled.
///
/// A disabled breaker counts nothing, and a permit does not show whether it counts. Disabling and enabling therefore
/// wait for the admissions in progress (not for the calls). Rounds that do not disable the breaker use no lock, because
/// a lock would order operations that should race.
#[derive(Debug)]
pub(crate) struct Regime {
    admissions: Option<RwLock<()>>,
    disabled: AtomicBool,
}

impl Regime {
    pub(crate) fn new(may_disable: bool) -> Self {
        Self { admissions: may_disable.then(RwLock::default), disabled: AtomicBool::new(false) }
    }

    pub(crate) fn may_disable(&self) -> bool {
        self.admissions.is_some()
    }

    /// A guard to hold while a call is admitted.
    pub(crate) fn admitting(&self) -> Option<RwLockReadGuard<'_, ()>> {
        let lock = self.admissions.as_ref()?;
        Some(lock.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the breaker is disabled. Call it only while holding the guard of [`admitting`](Self::admitting).
    pub(crate) fn is_disabled(&self) -> bool {
        self.disabled.load(Relaxed)
    }

    pub(crate) fn act(&self, handle: &BreakerHandle, verb: Verb) {
        let disables = matches!(verb, Verb::Disable);
        let enables = !matches!(verb, Verb::HoldFor(_) | Verb::Reconfigure(_));
        match &self.admissions {
            Some(lock) if disables || enables => {
                let _alone = lock.write().unwrap_or_else(PoisonError::into_inner);
                verb.apply(handle);
                self.disabled.store(disables, Relaxed);
            }
            Some(_) => verb.apply(handle),
            None => {
                assert!(
                    !disables,
                    "only a regime that may disable the breaker knows which calls count"
                );
                verb.apply(handle);
            }
        }
    }
}
