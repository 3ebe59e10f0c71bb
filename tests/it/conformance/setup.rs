//! Converts the knobs of a case to our settings.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tower_breaker::{
    Backoff, BreakerHandle, CircuitBreakerLayer, Config, Probe, Settings, Throttled, Trip, Window,
};

use super::case::{CooldownForm, HalfOpen, Knobs, Rule, Step, WindowForm};

/// The attempts for which the cooldown function was called.
pub(crate) type Attempts = Arc<Mutex<Vec<u32>>>;

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

impl Knobs {
    pub(crate) fn handle(&self, name: &str, steps: &[Step], attempts: &Attempts) -> BreakerHandle {
        let settings = self.settings(steps);
        match &self.cooldown {
            // The settings allow no cooldown of zero, but a cooldown function may return it.
            Some(CooldownForm::RecordedAttempts { ms: 0 } | CooldownForm::Fixed { ms: 0, .. }) => {
                let attempts = Arc::clone(attempts);
                let config =
                    Config::default().name(name).settings(settings).cooldown_with(move |attempt| {
                        attempts.lock().expect("not poisoned").push(attempt);
                        Duration::ZERO
                    });
                CircuitBreakerLayer::new(config).handle()
            }
            _ => BreakerHandle::new(name, settings),
        }
    }

    fn settings(&self, steps: &[Step]) -> Settings {
        let mut throttled = Throttled::hold();
        if self.rate_limited.as_ref().is_some_and(|class| class["rate"] == "failure") {
            throttled = Throttled::count_as_failure();
        }
        if self.server_delay {
            throttled = throttled.max_hold(ms(24 * 60 * 60 * 1_000));
        }
        let mut settings = Settings::builder()
            .trip(self.trip())
            .window(self.window())
            .cooldown(self.cooldown())
            // In the other breakers, each close resets the attempt.
            .stable_for(Duration::ZERO)
            .throttled(throttled)
            .hold_jitter(0.0)
            .track_in_flight(true)
            .seed(1);
        if let Some(half_open) = &self.half_open {
            settings = settings.probe(self.probe(half_open, steps));
        }
        settings.build().expect("valid settings")
    }

    fn trip(&self) -> Trip {
        let min = self.min_calls.max(1);
        let Some(rules) = &self.trip else {
            // A rule that keeps the window and never fires.
            return Trip::none().failure_rate(1.0, u32::MAX);
        };
        rules.iter().fold(Trip::none(), |trip, rule| match *rule {
            Rule::ConsecutiveFailures { threshold } => trip.consecutive(threshold),
            Rule::FailureRate { threshold, .. } => trip.failure_rate(threshold, min),
            Rule::SuccessRate { threshold, .. } => trip.failure_rate(1.0 - threshold, min),
            Rule::FailureRatioOfLast { failures, .. } => trip.failures(failures),
            Rule::SlowRate { threshold, .. } => {
                trip.slow(ms(self.slow_call_ms.expect("a slow rule")), threshold, min)
            }
        })
    }

    fn window(&self) -> Window {
        if let Some([Rule::FailureRatioOfLast { capacity, .. }]) = self.trip.as_deref() {
            return Window::count(*capacity);
        }
        match self.window {
            WindowForm::None => Window::time(ms(30_000)),
            WindowForm::Count { size } => Window::count(size),
            WindowForm::Time { size_ms, buckets, .. } => Window::time(ms(size_ms)).buckets(buckets),
            // Our windows slide.
            WindowForm::Tumbling { size_ms, .. } => Window::time(ms(size_ms)).buckets(30),
        }
    }

    fn cooldown(&self) -> Backoff {
        match self.cooldown {
            Some(CooldownForm::Fixed { ms: wait @ 1.., .. }) => Backoff::fixed(ms(wait)),
            Some(CooldownForm::Exponential { base_ms, multiplier, max_ms, .. }) => {
                Backoff::exponential(ms(base_ms), ms(max_ms)).multiplier(multiplier).jitter(0.0)
            }
            _ => Backoff::fixed(ms(1)),
        }
    }

    fn probe(&self, half_open: &HalfOpen, steps: &[Step]) -> Probe {
        let HalfOpen { permits, successes, failures, capacity, calls, .. } = *half_open;
        let number = |number: Option<u32>| number.expect("a number for half-open");
        let share = |part: u32, whole: u32| f64::from(part) / f64::from(whole);
        let probe = match half_open.decide.as_str() {
            "first_outcome" => Probe::successes(1),
            "consecutive_successes" => Probe::successes(number(successes)),
            "sampled" => {
                // `most` failures are tolerated. One more reopens the circuit.
                let calls = number(calls);
                let most = half_open.max_failure_ratio.expect("a ratio") * f64::from(calls);
                Probe::sample(calls, share(most as u32 + 1, calls))
            }
            "failure_ratio" => {
                Probe::sample(number(capacity), share(number(failures), number(capacity)))
            }
            "success_ratio" => {
                // The circuit reopens with the failure after which the successes can no longer be reached.
                let calls = number(capacity);
                Probe::sample(calls, share(calls - number(successes) + 1, calls))
            }
            "failure_rate" => {
                let rate = half_open.threshold.expect("a rate");
                Probe::sample(number(half_open.executions), rate)
            }
            "rate_after_min_calls" => {
                let rate = self.failure_rate().expect("a failure rate").0;
                Probe::sample(self.min_calls.min(permits), rate)
            }
            other => panic!("unknown way to decide: {other}"),
        };
        let permits = if permits == 0 { Probe::MAX_IN_FLIGHT } else { permits };
        // Their time limit applies to all of half-open, and does not run while the duration of a call is only recorded.
        let longest = steps.iter().map(|step| step.duration_ms).max().unwrap_or(0);
        let lease =
            half_open.max_wait_ms.map_or(Probe::DEFAULT_LEASE, |most| ms(most.max(longest + 1)));
        probe.in_flight(permits).lease(lease)
    }

    /// Returns the failure rate that opens the circuit, and whether theirs opens only above it.
    pub(crate) fn failure_rate(&self) -> Option<(f64, bool)> {
        self.trip.iter().flatten().find_map(|rule| match rule {
            Rule::FailureRate { threshold, cmp } => Some((*threshold, cmp == ">")),
            Rule::SuccessRate { threshold, cmp } => Some((1.0 - threshold, cmp == "<")),
            _ => None,
        })
    }

    /// Returns whether theirs acts by a timer. Ours has a timer only while a waiter exists, so the test adds a waiter.
    pub(crate) fn eager(&self) -> bool {
        let cooldown = matches!(
            self.cooldown,
            Some(
                CooldownForm::Fixed { auto_half_open: true, .. }
                    | CooldownForm::Exponential { auto_half_open: true, .. }
            )
        );
        cooldown || self.half_open.as_ref().is_some_and(|half_open| half_open.max_wait_ms.is_some())
    }

    /// Returns the length of the first open period.
    pub(crate) fn first_cooldown(&self) -> Duration {
        match self.cooldown {
            Some(CooldownForm::Fixed { ms: wait, .. }) => ms(wait),
            Some(CooldownForm::Exponential { base_ms, .. }) => ms(base_ms),
            Some(CooldownForm::RecordedAttempts { .. }) | None => Duration::ZERO,
        }
    }
}
