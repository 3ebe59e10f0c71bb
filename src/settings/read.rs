//! The getters of settings.

use std::time::Duration;

use crate::backoff::Backoff;
use crate::probe::{Probe, Ramp};
use crate::settings::{Exhausted, Settings, Throttled};
use crate::trip::Trip;
use crate::window::Window;

impl Settings {
    /// Returns the rules that trip the circuit.
    pub fn trip(&self) -> Trip {
        self.trip
    }

    /// Returns the window of the rates and of the failure count.
    pub fn window(&self) -> Window {
        self.window
    }

    /// Returns how long the circuit stays open.
    pub fn cooldown(&self) -> Backoff {
        self.cooldown
    }

    /// Returns how long a circuit must stay closed before the next trip starts with the first cooldown again. `None`
    /// means the duration of the last cooldown.
    pub fn stable_for(&self) -> Option<Duration> {
        self.stable_for
    }

    /// Returns how many probes a half-open circuit admits, and when they close it.
    pub fn probe(&self) -> Probe {
        self.probe
    }

    /// Returns the gradual return of traffic, if any.
    pub fn ramp(&self) -> Option<&Ramp> {
        self.ramp.as_ref()
    }

    /// Returns the effect of a throttled outcome.
    pub fn throttled(&self) -> Throttled {
        self.throttled
    }

    /// Returns the effect of an exhausted outcome.
    pub fn exhausted(&self) -> Exhausted {
        self.exhausted
    }

    /// Returns the shortest server wait that opens a circuit in which no rule fired.
    pub fn min_hold(&self) -> Duration {
        self.min_hold
    }

    /// Returns the share by which a server's wait is lengthened at random.
    pub fn hold_jitter(&self) -> f64 {
        self.hold_jitter
    }

    /// Returns the duration from which a dropped call is a failure. `None` means never.
    pub fn cancelled_after(&self) -> Option<Duration> {
        self.cancelled_after
    }

    /// Returns whether the calls in flight are counted even without an overdue rule.
    pub fn track_in_flight(&self) -> bool {
        self.track_in_flight
    }

    /// Returns the seed of all jitter. `None` means a different seed for each breaker.
    pub fn seed(&self) -> Option<u64> {
        self.seed
    }
}
