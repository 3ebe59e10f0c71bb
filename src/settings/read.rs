//! Reading the numbers back.

use std::time::Duration;

use crate::backoff::Backoff;
use crate::machine::{Exhausted, Settings, Throttled};
use crate::probe::{Probe, Ramp};
use crate::trip::Trip;
use crate::window::Window;

impl Settings {
    /// The rules that open the circuit.
    pub fn trip(&self) -> Trip {
        self.trip
    }

    /// What the rates and the failure count look at.
    pub fn window(&self) -> Window {
        self.window
    }

    /// How long the circuit stays open.
    pub fn cooldown(&self) -> Backoff {
        self.cooldown
    }

    /// How long a circuit must have been closed before its cooldown starts again from the first. `None`: as long as
    /// the last cooldown was.
    pub fn stable_for(&self) -> Option<Duration> {
        self.stable_for
    }

    /// What closes a half-open circuit.
    pub fn probe(&self) -> Probe {
        self.probe
    }

    /// The gradual return of traffic, if there is one.
    pub fn ramp(&self) -> Option<&Ramp> {
        self.ramp.as_ref()
    }

    /// What a throttled outcome does.
    pub fn throttled(&self) -> Throttled {
        self.throttled
    }

    /// What an exhausted outcome does.
    pub fn exhausted(&self) -> Exhausted {
        self.exhausted
    }

    /// The shortest wait of a server that opens a circuit by itself.
    pub fn min_hold(&self) -> Duration {
        self.min_hold
    }

    /// The share by which a server's wait is lengthened at random.
    pub fn hold_jitter(&self) -> f64 {
        self.hold_jitter
    }

    /// From which running time on a dropped call is a failure. `None`: never.
    pub fn cancelled_after(&self) -> Option<Duration> {
        self.cancelled_after
    }

    /// Whether the calls in flight are counted without an overdue rule, too.
    pub fn track_in_flight(&self) -> bool {
        self.track_in_flight
    }

    /// The seed of every jitter. `None`: another one for each breaker.
    pub fn seed(&self) -> Option<u64> {
        self.seed
    }
}
