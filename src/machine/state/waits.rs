//! How long the circuit stays open: cooldowns, and waits that a server asks for.

use std::time::Duration;

use super::{Locked, Phase};
use crate::backoff::{FOREVER, server_wait};
use crate::machine::units::Nanos;
use crate::outcome::Class;
use crate::settings::Settings;
use crate::state::Cause;

/// The wait that a server asked for, and the class of the outcome that carried it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::machine) struct ServerWait {
    pub(in crate::machine) class: Class,
    pub(in crate::machine) asked: Option<Duration>,
}

impl ServerWait {
    /// No wait.
    pub(in crate::machine) const NONE: Self = Self { class: Class::Success, asked: None };

    /// Returns whether the outcome asks for a pause, by a wait or by its class.
    pub(in crate::machine) fn is_some(self) -> bool {
        self.asked.is_some() || matches!(self.class, Class::Throttled | Class::Exhausted)
    }
}

/// A request to call the user's cooldown function for this attempt, after the lock is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::machine) struct NeedsCallback(pub(in crate::machine) u32);

/// The result of the user's cooldown function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::machine) struct CallbackCooldown {
    pub(in crate::machine) attempt: u32,
    /// `None` if the function panicked. The formula of the settings is used instead.
    pub(in crate::machine) wait: Option<Duration>,
}

/// A cooldown that has been computed and not yet begun.
#[derive(Clone, Copy, Debug)]
pub(in crate::machine) struct NextCooldown {
    attempt: u32,
    wait: Duration,
}

impl Locked {
    /// Computes the next cooldown without beginning it, so that nothing has changed if the user's function must be
    /// called first.
    pub(in crate::machine) fn plan_cooldown(
        &mut self,
        now: Nanos,
        callback: Option<CallbackCooldown>,
    ) -> Result<NextCooldown, NeedsCallback> {
        self.forget_attempts_if_stable(now);
        let attempt = self.attempt.map_or(0, |last| last.saturating_add(1));
        let backoff = self.settings.cooldown;
        let nominal = match callback {
            Some(callback) if callback.attempt == attempt => {
                callback.wait.unwrap_or(backoff.nominal(attempt))
            }
            _ if self.callback_cooldown => return Err(NeedsCallback(attempt)),
            _ => backoff.nominal(attempt),
        };
        // The user's function sets its own maximum.
        let backoff = if self.callback_cooldown { backoff.max(FOREVER) } else { backoff };
        Ok(NextCooldown { attempt, wait: backoff.finish(nominal, &mut self.random) })
    }

    /// Makes the current or the next open period last for a planned cooldown.
    pub(super) fn take_cooldown(&mut self, next: NextCooldown, now: Nanos) {
        let cooldown = Nanos::from_duration(next.wait);
        self.attempt = Some(next.attempt);
        self.last_cooldown = cooldown;
        self.open_until = self.open_until.max(now.after(cooldown));
    }

    /// Resets the attempts if the circuit has been closed for long enough, regardless of what ends the period.
    pub(super) fn forget_attempts_if_stable(&mut self, now: Nanos) {
        if matches!(self.phase, Phase::Closed) && now.since(self.since) >= self.stable_for() {
            self.attempt = None;
        }
    }

    fn stable_for(&self) -> Nanos {
        self.settings.stable_for.map_or(self.last_cooldown, Nanos::from_duration)
    }

    /// Lengthens the current or the next open period by a server's wait.
    pub(super) fn raise(&mut self, wait: ServerWait, now: Nanos) {
        let Some((asked, cap)) = self.asked_and_cap(wait) else { return };
        let held = server_wait(asked, cap, self.settings.hold_jitter, &mut self.random);
        self.open_until = self.open_until.max(now.after(Nanos::from_duration(held)));
        if asked > cap {
            self.asked_until = self.asked_until.max(now.after(Nanos::from_duration(asked)));
        }
    }

    /// Applies the wait of a late result. It lengthens the current or the next open period, and never opens a closed
    /// circuit.
    ///
    /// Returns whether that period became longer. If so, a waiter may have read that it is over.
    pub(in crate::machine) fn raise_late(&mut self, wait: ServerWait, now: Nanos) -> bool {
        let until = self.open_until;
        match self.phase {
            Phase::Open | Phase::Probing(_) | Phase::Ramp(_) | Phase::ForcedOpen { .. } => {
                self.raise(wait, now);
            }
            Phase::Closed | Phase::Disabled => {}
        }
        self.open_until > until
    }

    /// Returns the wait that the server asked for, or the default of its class, and the cap on it.
    fn asked_and_cap(&self, wait: ServerWait) -> Option<(Duration, Duration)> {
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

    /// Returns the cause under which a wait opens the circuit without a rule, or `None` if it is below the minimum.
    pub(super) fn cause_of_hold(&self, wait: ServerWait) -> Option<Cause> {
        let (asked, _) = self.asked_and_cap(wait)?;
        if asked < self.settings.min_hold {
            return None;
        }
        Some(match wait.class {
            Class::Exhausted => Cause::Exhausted,
            _ => Cause::Throttled,
        })
    }
}
