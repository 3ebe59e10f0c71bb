//! What closes a circuit again.

use std::time::Duration;

/// How a half-open circuit is judged.
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
    pub(crate) verdict: Verdict,
}

/// When half-open ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Closes after so many successes; the first failure reopens.
    Successes(u32),
    /// Judges `calls` probes: reopens once `failures * 1_000_000 >= rate * calls`, closes once that can no longer
    /// happen.
    Sample { calls: u32, rate: f64 },
}

impl Probe {
    /// The most probes in flight.
    pub const MAX_IN_FLIGHT: u32 = 1_000;

    /// The lease of a probe when nothing else is said: a little more than the usual 30 s timeout.
    pub const DEFAULT_LEASE: Duration = Duration::from_secs(35);

    /// Closes after `n` successful probes, reopens on the first failed one. One probe at a time.
    pub const fn successes(n: u32) -> Self {
        Self { in_flight: 1, lease: Self::DEFAULT_LEASE, verdict: Verdict::Successes(n) }
    }

    /// Judges `calls` probes together: reopens as soon as a share of `rate` of them has failed, closes as soon as
    /// that can no longer happen. One probe at a time.
    pub const fn sample(calls: u32, rate: f64) -> Self {
        Self { in_flight: 1, lease: Self::DEFAULT_LEASE, verdict: Verdict::Sample { calls, rate } }
    }

    /// How many probes may run at the same time, 1 to 1 000. Default 1.
    pub const fn in_flight(mut self, probes: u32) -> Self {
        self.in_flight = probes;
        self
    }

    /// After how long a probe that has not ended counts as failed. Default 35 s; 120 s in the LLM presets.
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }
}

/// A gradual return of traffic after the probes succeeded.
///
/// Step *i* lets `steps[i]` percent of the calls through for `step` long; then the circuit closes. During a ramp the
/// window counts and the circuit opens by the trip rules, not by a single failure.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Ramp {
    pub(crate) steps: Vec<u8>,
    pub(crate) step: Duration,
}

impl Ramp {
    /// The most steps.
    pub const MAX_STEPS: usize = 100;

    /// `steps` in percent (1 to 100, never falling), each `step` long.
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
