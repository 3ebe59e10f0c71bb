//! Waiting for a circuit instead of giving up.

use std::time::Duration;

/// How long, and how often, one request waits for an open circuit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) up_to: Option<Duration>,
    pub(super) waits: u32,
}

impl Patience {
    /// Gives up at once; once it is told a time, waits once.
    pub(super) const NONE: Self = Self { up_to: None, waits: 1 };

    /// How long to wait for a circuit that admits calls after `retry_after`, if it is worth it.
    pub(super) fn wait(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        let wait = retry_after.filter(|wait| Some(*wait) <= self.up_to)?;
        self.waits = self.waits.checked_sub(1)?;
        Some(wait)
    }
}
