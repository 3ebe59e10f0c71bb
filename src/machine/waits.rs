//! Waits that a server asked for.

use std::time::Duration;

use crate::backoff::server_wait;
use crate::machine::core::Core;
use crate::machine::gate::Phase;
use crate::machine::settings::Settings;
use crate::machine::view::{Transition, WindowSnapshot};
use crate::outcome::Class;
use crate::state::Cause;
use crate::trip::rules::nanos;

/// A wait that a server asked for, and in what kind of answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerWait {
    pub(crate) class: Class,
    pub(crate) asked: Option<Duration>,
}

impl ServerWait {
    /// Nobody asked for anything.
    pub(super) const NONE: Self = Self { class: Class::Success, asked: None };
}

impl Core {
    /// Lets a server's wait lengthen the Open that is or that comes.
    pub(crate) fn raise(&mut self, wait: ServerWait, now: u64) {
        let Some((asked, cap)) = self.obeyed(wait) else { return };
        let held = server_wait(asked, cap, self.settings.hold_jitter, &mut self.random);
        self.open_until = self.open_until.max(now.saturating_add(nanos(held)));
        if asked > cap {
            self.asked_until = self.asked_until.max(now.saturating_add(nanos(asked)));
        }
    }

    /// A wait from an older epoch, or from a probe whose lease has ended. It never opens a Closed. Whether the next
    /// Open, or the one that is, became longer: somebody may have read that it was over.
    pub(crate) fn raise_late(&mut self, wait: ServerWait, now: u64) -> bool {
        let until = self.open_until;
        match self.phase {
            Phase::Open | Phase::Probing | Phase::Ramp | Phase::ForcedOpen => self.raise(wait, now),
            Phase::Closed | Phase::Disabled => {}
        }
        self.open_until > until
    }

    /// What a server asked for (or what stands for it) and the cap on it.
    pub(crate) fn obeyed(&self, wait: ServerWait) -> Option<(Duration, Duration)> {
        let Settings { throttled, exhausted, .. } = &self.settings;
        match wait.class {
            Class::Failure => wait.asked.map(|asked| (asked, throttled.max_hold)),
            Class::Throttled => {
                wait.asked.or(throttled.default_hold).map(|asked| (asked, throttled.max_hold))
            }
            Class::Exhausted => Some((wait.asked.unwrap_or(exhausted.hold), exhausted.max_hold)),
            Class::Success | Class::Ignored | Class::Cancelled => None,
        }
    }

    /// Opens a circuit in which no rule fired, because the server asked for it. `None` where the wait is too short
    /// to be worth it.
    pub(crate) fn hold(
        &mut self,
        wait: ServerWait,
        now: u64,
        window: impl FnOnce() -> WindowSnapshot,
    ) -> Option<Transition> {
        let (asked, _) = self.obeyed(wait)?;
        if asked < self.settings.min_hold {
            return None;
        }
        self.forget_attempts_if_stable(now);
        self.raise(wait, now);
        let cause = match wait.class {
            Class::Exhausted => Cause::Exhausted,
            _ => Cause::Throttled,
        };
        Some(self.begin(Phase::Open, cause, now, window()))
    }
}
