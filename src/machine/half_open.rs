//! Probes, their leases, and the verdict.

use crate::probe::{DecideBy, Probe};
use crate::window::tally::{MILLION, per_million};

/// A probe that is under way.
#[derive(Clone, Copy, Debug)]
struct Lease {
    serial: u32,
    ends: u64,
}

/// One half-open period.
#[derive(Debug, Default)]
pub(crate) struct HalfOpen {
    /// In the order in which they end: all leases of a period are equally long, unless settings change.
    leases: Vec<Lease>,
    serial: u32,
    succeeded: u32,
    failed: u32,
    /// Since when traffic returns step by step, and how many calls asked.
    pub(crate) ramp: Option<Ramping>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Ramping {
    pub(crate) since: u64,
    pub(crate) asked: u64,
}

/// What a finished probe did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProbeDecision {
    /// Nothing is decided yet.
    Undecided,
    /// The circuit opens again.
    Reopens,
    /// The circuit closes.
    Recovers,
}

impl HalfOpen {
    pub(crate) fn reserve(&mut self, probe: &Probe) {
        let more = (probe.in_flight as usize).saturating_sub(self.leases.len());
        self.leases.reserve(more);
    }

    /// A new period.
    pub(crate) fn clear(&mut self) {
        self.leases.clear();
        self.succeeded = 0;
        self.failed = 0;
        self.ramp = None;
    }

    /// Whether a lease of this number has not ended.
    pub(crate) fn is_in_time(&self, serial: u32, now: u64) -> bool {
        self.leases.iter().any(|lease| lease.serial == serial && lease.ends > now)
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.leases.len() as u32
    }

    /// How many more probes may start.
    pub(crate) fn free(&self, probe: &Probe) -> u32 {
        let most = match probe.decision {
            DecideBy::Successes(_) => probe.in_flight,
            // No more than can still matter.
            DecideBy::Sample { calls, .. } => {
                probe.in_flight.min(calls.saturating_sub(self.succeeded + self.failed))
            }
        };
        most.saturating_sub(self.in_flight())
    }

    /// Starts a probe.
    pub(crate) fn lease(&mut self, ends: u64) -> u32 {
        self.serial = self.serial.wrapping_add(1);
        let serial = self.serial;
        let at = self.leases.partition_point(|lease| lease.ends <= ends);
        self.leases.insert(at, Lease { serial, ends });
        serial
    }

    /// When the first lease ends.
    pub(crate) fn first_end(&self) -> Option<u64> {
        self.leases.first().map(|lease| lease.ends)
    }

    /// How many leases have ended by `now`.
    pub(crate) fn expired(&self, now: u64) -> u32 {
        self.leases.iter().take_while(|lease| lease.ends <= now).count() as u32
    }

    /// Whether the verdict is due although no probe ends: a lease is over, or new settings ask for fewer probes than
    /// were judged.
    pub(crate) fn is_due(&self, probe: &Probe, now: u64) -> bool {
        self.expired(now) > 0 || self.leases.is_empty() && self.free(probe) == 0
    }

    /// What `failures` more failed probes would decide.
    pub(crate) fn after_failures(&self, probe: &Probe, failures: u32) -> ProbeDecision {
        self.evaluate(probe, self.succeeded, self.failed + failures)
    }

    /// What one more successful probe would decide.
    pub(crate) fn after_success(&self, probe: &Probe) -> ProbeDecision {
        self.evaluate(probe, self.succeeded + 1, self.failed)
    }

    fn evaluate(&self, probe: &Probe, succeeded: u32, failed: u32) -> ProbeDecision {
        match probe.decision {
            DecideBy::Successes(_) if failed > 0 => ProbeDecision::Reopens,
            DecideBy::Successes(needed) if succeeded >= needed => ProbeDecision::Recovers,
            DecideBy::Successes(_) => ProbeDecision::Undecided,
            DecideBy::Sample { calls, rate } => {
                let limit = per_million(rate) * u64::from(calls);
                let open = u64::from(calls.saturating_sub(succeeded + failed));
                if u64::from(failed) * MILLION >= limit {
                    ProbeDecision::Reopens
                } else if (u64::from(failed) + open) * MILLION < limit || open == 0 {
                    ProbeDecision::Recovers
                } else {
                    ProbeDecision::Undecided
                }
            }
        }
    }

    /// One of the probes that succeeded has failed.
    pub(crate) fn take_back(&mut self) {
        self.succeeded = self.succeeded.saturating_sub(1);
        self.failed += 1;
    }

    /// Ends the leases that are over; they count as failed.
    pub(crate) fn expire(&mut self, now: u64) {
        let expired = self.expired(now);
        self.leases.drain(..expired as usize);
        self.failed += expired;
    }

    /// Gives a lease back; `success` is `None` for a neutral end.
    pub(crate) fn give_back(&mut self, serial: u32, success: Option<bool>) {
        self.leases.retain(|lease| lease.serial != serial);
        match success {
            Some(true) => self.succeeded += 1,
            Some(false) => self.failed += 1,
            None => {}
        }
    }
}

/// Whether call number `asked` (from 0) passes at `percent`: the passes are spread evenly.
pub(crate) fn ramp_admits(asked: u64, percent: u8) -> bool {
    let passed = |calls: u64| calls.saturating_mul(u64::from(percent)) / 100;
    passed(asked + 1) > passed(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_decided_as_soon_as_it_can_be() {
        let probe = Probe::sample(10, 0.3).in_flight(10);
        let mut period = HalfOpen::default();
        for failed in 0..2 {
            assert_eq!(period.after_failures(&probe, 1), ProbeDecision::Undecided, "{failed}");
            let serial = period.lease(1);
            period.give_back(serial, Some(false));
        }
        assert_eq!(period.after_failures(&probe, 1), ProbeDecision::Reopens);
        for succeeded in 0..7 {
            assert_eq!(period.after_success(&probe), ProbeDecision::Undecided, "{succeeded}");
            let serial = period.lease(1);
            period.give_back(serial, Some(true));
        }
        assert_eq!(period.after_success(&probe), ProbeDecision::Recovers);
    }

    #[test]
    fn a_sample_starts_no_probe_that_cannot_matter() {
        let probe = Probe::sample(3, 0.5).in_flight(2);
        let mut period = HalfOpen::default();
        assert_eq!(period.free(&probe), 2);
        for _ in 0..2 {
            let serial = period.lease(1);
            period.give_back(serial, Some(true));
        }
        assert_eq!(period.free(&probe), 1);
    }

    #[test]
    fn a_ramp_spreads_its_calls_evenly() {
        for percent in [1, 10, 25, 33, 50, 99, 100] {
            let passed = (0..1_000).filter(|asked| ramp_admits(*asked, percent)).count();
            assert_eq!(passed, usize::from(percent) * 10);
            // Miri takes its time.
            for start in (0..900).step_by(if cfg!(miri) { 99 } else { 1 }) {
                let some =
                    (start..start + 100).filter(|asked| ramp_admits(*asked, percent)).count();
                assert!(
                    some.abs_diff(usize::from(percent)) <= 1,
                    "{percent} % from {start}: {some}"
                );
            }
        }
    }

    #[test]
    fn leases_end_in_order_also_when_their_length_changes() {
        let mut period = HalfOpen::default();
        let long = period.lease(100);
        let short = period.lease(50);
        assert_eq!((period.first_end(), period.expired(50)), (Some(50), 1));
        period.expire(50);
        assert!(period.is_in_time(long, 50) && !period.is_in_time(short, 50));
    }
}
