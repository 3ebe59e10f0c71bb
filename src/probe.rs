//! How a half-open circuit recovers: probes and the ramp.

use std::time::Duration;

/// How many probes a half-open circuit admits, and when they close or reopen it.
///
/// ```
/// use std::time::Duration;
/// use tower_breaker::Probe;
///
/// let careful = Probe::successes(3).lease(Duration::from_secs(10));
/// let sampled = Probe::sample(10, 0.3).in_flight(2); // reopens at 3 failures of 10
/// # let _ = (careful, sampled);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Probe {
    pub(crate) in_flight: u32,
    pub(crate) lease: Duration,
    pub(crate) decision: DecideBy,
}

/// The condition that ends a half-open period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum DecideBy {
    /// Closes after this number of successes; the first failure reopens.
    Successes(u32),
    /// Samples `calls` probes: reopens once `failures * 1_000_000 >= rate * calls` and closes once that is no longer
    /// possible.
    Sample { calls: u32, rate: f64 },
}

impl Probe {
    /// The largest number of probes in flight.
    pub const MAX_IN_FLIGHT: u32 = 1_000;

    /// The default lease of a probe: slightly longer than the common timeout of 30 s.
    pub const DEFAULT_LEASE: Duration = Duration::from_secs(35);

    /// Closes after `n` successful probes and reopens on the first failed one. Admits one probe at a time.
    pub const fn successes(n: u32) -> Self {
        Self { in_flight: 1, lease: Self::DEFAULT_LEASE, decision: DecideBy::Successes(n) }
    }

    /// Samples `calls` probes: reopens as soon as the share `rate` of them has failed, and closes as soon as that is no
    /// longer possible. Admits one probe at a time.
    pub const fn sample(calls: u32, rate: f64) -> Self {
        Self {
            in_flight: 1,
            lease: Self::DEFAULT_LEASE,
            decision: DecideBy::Sample { calls, rate },
        }
    }

    /// Sets how many probes may be in flight, 1 to 1 000. Default: 1.
    pub const fn in_flight(mut self, probes: u32) -> Self {
        self.in_flight = probes;
        self
    }

    /// Sets the time after which a pending probe counts as failed, above 0. Default: 35 s; 120 s in
    /// [`Settings::llm`](crate::Settings::llm).
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }
}

/// A gradual return of traffic after the probes have succeeded.
///
/// Step *i* admits `steps[i]` percent of the calls for the duration `step`. The circuit closes after the last step.
/// During a ramp the window counts calls, and the trip rules open the circuit. A single failure does not, unlike that
/// of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Ramp {
    pub(crate) steps: Vec<u8>,
    pub(crate) step: Duration,
}

impl Ramp {
    /// The largest number of steps.
    pub const MAX_STEPS: usize = 100;

    /// Creates a ramp of `steps` in percent (1 to 100, not decreasing), each of the duration `step`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_breaker::Ramp;
    ///
    /// let ramp = Ramp::new([10, 25, 50], Duration::from_secs(10));
    /// # let _ = ramp;
    /// ```
    pub fn new(steps: impl IntoIterator<Item = u8>, step: Duration) -> Self {
        Self { steps: steps.into_iter().collect(), step }
    }
}
