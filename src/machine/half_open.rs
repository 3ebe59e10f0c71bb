//! The probes of a half-open period, their leases, and the ramp that may follow.

use crate::machine::units::Nanos;
use crate::probe::{DecideBy, Probe, Ramp};
use crate::window::tally::{MILLION, per_million};

/// The time within which one probe must end.
#[derive(Clone, Copy, Debug)]
struct Lease {
    serial: u32,
    ends: Nanos,
}

/// The leases of the probes in flight.
///
/// The list keeps its capacity from one half-open period to the next, so that a period allocates nothing.
#[derive(Debug, Default)]
pub(super) struct Leases {
    /// Sorted by end. All leases of a period are equally long unless the settings change.
    list: Vec<Lease>,
    last_serial: u32,
}

impl Leases {
    /// Reserves capacity for all probes that may be in flight at the same time.
    pub(super) fn reserve(&mut self, probe: &Probe) {
        let more = (probe.in_flight as usize).saturating_sub(self.list.len());
        self.list.reserve(more);
    }

    /// Removes all leases and keeps the capacity.
    pub(super) fn cleared(mut self) -> Self {
        self.list.clear();
        self
    }

    pub(super) fn count(&self) -> u32 {
        self.list.len() as u32
    }

    /// Returns whether there is a lease with this number that has not ended.
    pub(super) fn is_in_time(&self, serial: u32, now: Nanos) -> bool {
        self.list.iter().any(|lease| lease.serial == serial && lease.ends > now)
    }

    /// Adds a lease and returns its number.
    fn add(&mut self, ends: Nanos) -> u32 {
        self.last_serial = self.last_serial.wrapping_add(1);
        let serial = self.last_serial;
        let at = self.list.partition_point(|lease| lease.ends <= ends);
        self.list.insert(at, Lease { serial, ends });
        serial
    }

    pub(super) fn give_back(&mut self, serial: u32) {
        self.list.retain(|lease| lease.serial != serial);
    }

    fn first_end(&self) -> Option<Nanos> {
        self.list.first().map(|lease| lease.ends)
    }

    /// Returns how many leases have ended by `now`.
    fn expired(&self, now: Nanos) -> u32 {
        self.list.iter().take_while(|lease| lease.ends <= now).count() as u32
    }

    /// Removes the leases that have ended by `now` and returns how many there were.
    fn remove_expired(&mut self, now: Nanos) -> u32 {
        let expired = self.expired(now);
        self.list.drain(..expired as usize);
        expired
    }
}

/// The state of one half-open period while its probes decide.
#[derive(Debug, Default)]
pub(super) struct HalfOpen {
    leases: Leases,
    succeeded: u32,
    failed: u32,
}

/// The decision that follows from the results of probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProbeDecision {
    /// More probes are needed.
    Undecided,
    /// The circuit opens again.
    Reopens,
    /// The circuit closes, or the ramp begins.
    Recovers,
}

impl HalfOpen {
    pub(super) fn new(leases: Leases) -> Self {
        Self { leases, succeeded: 0, failed: 0 }
    }

    pub(super) fn leases(&self) -> &Leases {
        &self.leases
    }

    pub(super) fn leases_mut(&mut self) -> &mut Leases {
        &mut self.leases
    }

    /// Returns how many more probes may start.
    pub(super) fn free(&self, probe: &Probe) -> u32 {
        let most = match probe.decision {
            DecideBy::Successes(_) => probe.in_flight,
            // A sample starts no probe whose result could not matter.
            DecideBy::Sample { calls, .. } => {
                probe.in_flight.min(calls.saturating_sub(self.succeeded + self.failed))
            }
        };
        most.saturating_sub(self.leases.count())
    }

    /// Starts a probe and returns the number of its lease.
    pub(super) fn lease(&mut self, ends: Nanos) -> u32 {
        self.leases.add(ends)
    }

    /// Returns when the first lease ends.
    pub(super) fn first_end(&self) -> Option<Nanos> {
        self.leases.first_end()
    }

    /// Returns how many leases have ended by `now`.
    pub(super) fn expired(&self, now: Nanos) -> u32 {
        self.leases.expired(now)
    }

    /// Returns whether the period must be evaluated although no probe ends: a lease has ended, or new settings ask for
    /// fewer probes than have finished.
    pub(super) fn is_due(&self, probe: &Probe, now: Nanos) -> bool {
        self.expired(now) > 0 || self.leases.count() == 0 && self.free(probe) == 0
    }

    /// Returns the decision after `failures` more failed probes.
    pub(super) fn after_failures(&self, probe: &Probe, failures: u32) -> ProbeDecision {
        decide(probe, self.succeeded, self.failed + failures)
    }

    /// Returns the decision after one more successful probe.
    pub(super) fn after_success(&self, probe: &Probe) -> ProbeDecision {
        decide(probe, self.succeeded + 1, self.failed)
    }

    /// Turns a success into a failure, because the body of that probe broke.
    pub(super) fn revoke_success(&mut self) {
        self.succeeded = self.succeeded.saturating_sub(1);
        self.failed += 1;
    }

    /// Counts the probes whose leases have ended as failed.
    pub(super) fn expire(&mut self, now: Nanos) {
        self.failed += self.leases.remove_expired(now);
    }

    /// Ends a probe. `success` is `None` for a result that says nothing about the dependency.
    pub(super) fn end_probe(&mut self, serial: u32, success: Option<bool>) {
        self.leases.give_back(serial);
        match success {
            Some(true) => self.succeeded += 1,
            Some(false) => self.failed += 1,
            None => {}
        }
    }
}

fn decide(probe: &Probe, succeeded: u32, failed: u32) -> ProbeDecision {
    match probe.decision {
        DecideBy::Successes(_) if failed > 0 => ProbeDecision::Reopens,
        DecideBy::Successes(needed) if succeeded >= needed => ProbeDecision::Recovers,
        DecideBy::Successes(_) => ProbeDecision::Undecided,
        DecideBy::Sample { calls, rate } => {
            let limit = per_million(rate) * u64::from(calls);
            let to_come = u64::from(calls.saturating_sub(succeeded + failed));
            if u64::from(failed) * MILLION >= limit {
                ProbeDecision::Reopens
            } else if (u64::from(failed) + to_come) * MILLION < limit || to_come == 0 {
                ProbeDecision::Recovers
            } else {
                ProbeDecision::Undecided
            }
        }
    }
}

/// The progress of a ramp.
#[derive(Debug)]
pub(super) struct RampProgress {
    since: Nanos,
    /// The number of calls so far, admitted or not.
    asked: u64,
    /// The leases of the probes that were in flight when the ramp began. A probe that ends after its lease is late here
    /// as well.
    leases: Leases,
}

impl RampProgress {
    pub(super) fn new(since: Nanos, leases: Leases) -> Self {
        Self { since, asked: 0, leases }
    }

    pub(super) fn leases(&self) -> &Leases {
        &self.leases
    }

    pub(super) fn leases_mut(&mut self) -> &mut Leases {
        &mut self.leases
    }

    /// Returns when the ramp ends. It ends at once if the settings no longer have one.
    pub(super) fn end(&self, ramp: Option<&Ramp>) -> Nanos {
        let length = ramp.map_or(Nanos::ZERO, |ramp| {
            let step = Nanos::from_duration(ramp.step).get();
            Nanos::from_u64(step.saturating_mul(ramp.steps.len() as u64))
        });
        self.since.after(length)
    }

    /// Counts one more call and returns whether it passes.
    pub(super) fn admit(&mut self, ramp: Option<&Ramp>, now: Nanos) -> bool {
        let call = self.asked;
        self.asked += 1;
        ramp_admits(call, self.percent(ramp, now))
    }

    /// Returns the share of calls that pass at `now`.
    fn percent(&self, ramp: Option<&Ramp>, now: Nanos) -> u8 {
        let Some(ramp) = ramp else { return 100 };
        let step = now.since(self.since).get() / Nanos::from_duration(ramp.step).get().max(1);
        usize::try_from(step).ok().and_then(|step| ramp.steps.get(step)).copied().unwrap_or(100)
    }
}

/// Returns whether call number `call`, counted from 0, passes at `percent`. The calls that pass are spread evenly.
fn ramp_admits(call: u64, percent: u8) -> bool {
    let passed = |calls: u64| calls.saturating_mul(u64::from(percent)) / 100;
    passed(call + 1) > passed(call)
}

#[cfg(test)]
mod tests;
