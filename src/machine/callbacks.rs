//! The user's own functions.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::machine::view::WindowSnapshot;

/// A rule of the user's: whether to open, from what the window shows.
pub(crate) type CustomRule = Arc<dyn Fn(&WindowSnapshot) -> bool + Send + Sync>;
/// A cooldown of the user's, from the attempt.
pub(crate) type CooldownFn = Arc<dyn Fn(u32) -> Duration + Send + Sync>;

/// The user's own functions. They are called outside every lock.
#[derive(Clone, Default)]
pub(crate) struct Callbacks {
    pub(crate) rule: Option<CustomRule>,
    pub(crate) cooldown: Option<CooldownFn>,
}

impl Callbacks {
    /// What the user's function says, `None` if it panics: a circuit must open all the same.
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
            .finish()
    }
}
