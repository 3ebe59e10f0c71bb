//! The data behind the machine's lock.

use std::sync::Arc;
use std::time::Instant;

use super::Phase;
use crate::backoff::Random;
use crate::machine::flags::Flags;
use crate::machine::half_open::Leases;
use crate::machine::last_error::LastErrorBits;
use crate::machine::units::{Epoch, Nanos};
use crate::settings::Settings;
use crate::state::{Cause, Mode};

/// The part of the machine that its lock protects.
#[derive(Debug)]
pub(in crate::machine) struct Locked {
    pub(super) name: Arc<str>,
    pub(super) base: Instant,
    pub(super) settings: Settings,
    pub(super) flags: Flags,
    pub(super) phase: Phase,
    pub(super) mode: Mode,
    pub(super) epoch: Epoch,
    pub(super) since: Nanos,
    pub(super) cause: Cause,
    /// The cause of the last change to Open or ForcedOpen. Rejections report it.
    pub(super) trip_cause: Cause,
    /// The end of the current open period, and the earliest end of the next one. Cooldowns, holds and waits only raise
    /// it; a close clears it.
    pub(super) open_until: Nanos,
    /// The latest end of a wait above the cap that a server asked for, before it was capped.
    pub(super) asked_until: Nanos,
    /// The number of the last cooldown; `None` before the first.
    pub(super) attempt: Option<u32>,
    pub(super) last_cooldown: Nanos,
    /// The empty list of leases, with its capacity, while the circuit is not half-open.
    pub(super) spare_leases: Leases,
    /// The number of running health checks. While one runs, calls are not used as probes.
    pub(super) health_checks: u32,
    pub(super) last_error: LastErrorBits,
    pub(super) random: Random,
    /// The latest time that was seen under the lock. Time does not go back from there.
    pub(super) seen: Nanos,
    /// Whether the user's cooldown function replaces the formula of the settings.
    pub(super) callback_cooldown: bool,
}

impl Locked {
    pub(in crate::machine) fn new(
        name: Arc<str>,
        settings: Settings,
        base: Instant,
        seed: u64,
        callback_cooldown: bool,
        flags: Flags,
    ) -> Self {
        let mut spare_leases = Leases::default();
        spare_leases.reserve(&settings.probe);
        Self {
            name,
            base,
            random: Random::new(settings.seed.unwrap_or(seed)),
            settings,
            flags,
            phase: Phase::Closed,
            mode: Mode::Normal,
            epoch: Epoch::FIRST,
            since: Nanos::ZERO,
            cause: Cause::Start,
            trip_cause: Cause::Start,
            open_until: Nanos::ZERO,
            asked_until: Nanos::ZERO,
            attempt: None,
            last_cooldown: Nanos::ZERO,
            spare_leases,
            health_checks: 0,
            last_error: LastErrorBits::default(),
            seen: Nanos::ZERO,
            callback_cooldown,
        }
    }

    /// Replaces the settings. State, epoch, waits and attempts stay.
    pub(in crate::machine) fn reconfigure(&mut self, settings: Settings, flags: Flags) {
        let leases = self.phase.leases_mut().unwrap_or(&mut self.spare_leases);
        leases.reserve(&settings.probe);
        self.settings = settings;
        self.flags = flags;
    }

    /// Returns `now`, or the latest time that was seen if that is later.
    pub(in crate::machine) fn clamp(&mut self, now: Nanos) -> Nanos {
        self.seen = self.seen.max(now);
        self.seen
    }

    /// Stores the last error, which calls record without the lock.
    pub(in crate::machine) fn set_last_error(&mut self, last_error: LastErrorBits) {
        self.last_error = last_error;
    }
}
