//! User-defined functions that the breaker calls.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::machine::snapshot::WindowSnapshot;
use crate::outcome::Outcome;

/// A user-defined trip rule. Returns whether to open the circuit.
pub(crate) type CustomRule = Arc<dyn Fn(&WindowSnapshot) -> bool + Send + Sync>;
/// A user-defined cooldown formula. Returns the wait of an attempt.
pub(crate) type CooldownFn = Arc<dyn Fn(u32) -> Duration + Send + Sync>;
/// Notifies observers of a failed, throttled or exhausted call. Does not panic.
pub(crate) type SettledFn = Arc<dyn Fn(&Outcome) + Send + Sync>;

/// The user-defined functions. They are called without any lock.
#[derive(Clone, Default)]
pub(crate) struct Callbacks {
    pub(crate) rule: Option<CustomRule>,
    pub(crate) cooldown: Option<CooldownFn>,
    pub(crate) settled: Option<SettledFn>,
}

impl Callbacks {
    /// Calls the user's cooldown function. Returns `None` if there is none or if it panics: the circuit must open even
    /// then.
    pub(super) fn cooldown(&self, attempt: u32) -> Option<Duration> {
        let cooldown = self.cooldown.as_ref()?;
        catch_unwind(AssertUnwindSafe(|| cooldown(attempt))).ok()
    }
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callbacks")
            .field("rule", &self.rule.is_some())
            .field("cooldown", &self.cooldown.is_some())
            .field("settled", &self.settled.is_some())
            .finish()
    }
}
