//! One `tracing` event for each transition. A rejected call emits none.

use crate::event::Observer;
use crate::machine::Transition;
use crate::state::{Mode, State};

/// Emits an event of level `warn` if the circuit opens, and of level `info` otherwise.
pub(super) struct Tracing;

impl Observer for Tracing {
    fn transition(&self, transition: &Transition) {
        let opens = matches!(transition.to, State::Open | State::ForcedOpen);
        macro_rules! event {
            ($level:ident) => {
                tracing::$level!(
                    target: "tower_breaker",
                    breaker = &*transition.breaker,
                    from = transition.from.as_str(),
                    to = transition.to.as_str(),
                    cause = transition.cause.as_str(),
                    epoch = transition.epoch,
                    shadow = transition.mode == Mode::Shadow,
                    attempt = transition.attempt,
                    calls = transition.window.calls,
                    failures = transition.window.failures,
                    slow = transition.window.slow,
                    consecutive_failures = transition.window.consecutive_failures,
                    overdue = transition.window.overdue,
                    open_for = transition.open_for.map(tracing::field::debug),
                    last_error = transition.last_error.map(tracing::field::display),
                    "circuit breaker changed state"
                )
            };
        }
        if opens { event!(warn) } else { event!(info) }
    }

    fn wants_settled(&self) -> bool {
        false
    }
}
