//! Reading changes nothing.

use std::sync::Arc;
use std::time::Instant;

use crate::machine::Machine;
use crate::machine::gate::{NEVER, Phase};
use crate::machine::settings::Settings;
use crate::machine::view::Snapshot;
use crate::state::{Mode, State};

impl Machine {
    /// The state as the next call meets it. Changes nothing.
    pub(crate) fn state(&self, now: impl FnOnce() -> Instant) -> State {
        let word = self.gate.word();
        match (word.phase(), self.gate.until(word)) {
            (phase @ (Phase::Closed | Phase::Disabled | Phase::Probing), Some(_)) => phase.state(),
            _ => {
                let now = self.nanos_at(now());
                self.core.lock().state_at(now)
            }
        }
    }

    /// Epoch and state at one moment.
    pub(crate) fn reading(&self, now: Instant) -> (u64, State) {
        let now = self.nanos_at(now);
        let core = self.core.lock();
        (core.epoch, core.state_at(now))
    }

    pub(crate) fn mode(&self) -> Mode {
        self.core.lock().mode
    }

    pub(crate) fn settings(&self) -> Settings {
        self.core.lock().settings.clone()
    }

    /// The number of the current epoch.
    pub(crate) fn epoch(&self) -> u64 {
        self.gate.word().epoch()
    }

    pub(crate) fn snapshot(&self, now: Instant) -> Snapshot {
        let nanos = self.nanos_at(now);
        // Settled before in flight, see `Counters`.
        let flags = self.gate.word().flags();
        let totals = self.counters.totals(flags.tracks());
        let last_error = self.last_error.load().error();
        let core = self.core.lock();
        let until = match core.phase {
            Phase::Open => Some(core.open_until),
            // Past its expiry it reads as the Open that follows.
            Phase::ForcedOpen if nanos >= core.forced_until => {
                Some(core.open_until.max(core.forced_until))
            }
            Phase::ForcedOpen => (core.forced_until != NEVER).then_some(core.forced_until),
            _ => None,
        };
        Snapshot {
            breaker: Arc::clone(&core.name),
            state: core.state_at(nanos),
            mode: core.mode,
            epoch: core.epoch,
            since: core.instant(core.since),
            until: until.map(|until| core.instant(until)),
            asked_until: (core.asked_until > nanos).then(|| core.instant(core.asked_until)),
            cause: core.cause,
            attempt: core.attempt.unwrap_or(0),
            probes: core.half_open.in_flight(),
            window: self.window_at(core.epoch, nanos),
            in_flight: totals.admitted.map(|admitted| admitted - totals.settled()),
            totals,
            last_error,
        }
    }
}
