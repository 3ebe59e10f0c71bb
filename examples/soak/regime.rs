//! Whether a person has disabled the breaker, known for certain at every admission.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use tower_breaker::{BreakerHandle, Settings};

/// What a person or a program does to the running breaker.
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

/// A disabled breaker counts nothing and nobody can ask a permit whether it counts. So whoever disables or enables
/// waits for the admissions that are under way, and not for the calls. Where nobody disables, nobody waits: the lock
/// would order what should race.
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

    /// To be held while a call is admitted.
    pub(crate) fn admitting(&self) -> Option<RwLockReadGuard<'_, ()>> {
        let lock = self.admissions.as_ref()?;
        Some(lock.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Only while [`admitting`](Self::admitting).
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
                assert!(!disables, "nobody would know which calls count");
                verb.apply(handle);
            }
        }
    }
}
