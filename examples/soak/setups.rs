//! The settings of the rounds: every rule, every window, every way to close; once so that nothing can open the
//! circuit, and once so that everything does.

use std::time::Duration;

use tower_breaker::{
    Backoff, Class, Exhausted, Probe, Ramp, Settings, SettingsBuilder, Throttled, Trip, Window,
};

use crate::random::Random;

pub(crate) const MS: Duration = Duration::from_millis(1);

/// The most probes at once in any settings.
pub(crate) const MOST_PROBES: u32 = 4;

/// The longest lease. If one is lost, nobody who waits for the circuit to close waits that long.
const LONG: Duration = Duration::from_secs(60 * 60);

/// What the settings of a round have in common: in which class the calls end that they may move to another one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    throttled: Class,
    cancelled: Class,
}

impl Policy {
    pub(crate) fn of(round: u64) -> Self {
        Self {
            throttled: match round % 3 {
                0 => Class::Throttled,
                1 => Class::Failure,
                _ => Class::Ignored,
            },
            cancelled: if round % 5 < 3 { Class::Cancelled } else { Class::Failure },
        }
    }

    /// Where the breaker counts a call that ended like this.
    pub(crate) fn class(self, ended: Class) -> Class {
        match ended {
            Class::Throttled => self.throttled,
            Class::Cancelled => self.cancelled,
            class => class,
        }
    }

    fn apply(self, settings: SettingsBuilder, max_hold: Duration) -> Settings {
        let throttled = match self.throttled {
            Class::Failure => Throttled::count_as_failure(),
            Class::Ignored => Throttled::ignore(),
            _ => Throttled::hold(),
        };
        let settings = settings.throttled(throttled.max_hold(max_hold));
        let settings = match self.cancelled {
            Class::Failure => settings.cancelled_after(Duration::ZERO),
            _ => settings.no_cancelled_after(),
        };
        settings.build().expect("valid")
    }
}

/// Which rules and which window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Default,
    Consecutive,
    TimeWindow,
    CountWindow,
    Overdue,
    Slow,
    RampAfterSpan,
    Sample,
    OnlyHolds,
    CustomRule,
    Everything,
}

pub(crate) const SHAPES: [Shape; 11] = [
    Shape::Default,
    Shape::Consecutive,
    Shape::TimeWindow,
    Shape::CountWindow,
    Shape::Overdue,
    Shape::Slow,
    Shape::RampAfterSpan,
    Shape::Sample,
    Shape::OnlyHolds,
    Shape::CustomRule,
    Shape::Everything,
];

/// How much of a bad thing opens the circuit.
#[derive(Clone, Copy)]
struct Limits {
    calls: u32,
    rate: f64,
}

impl Shape {
    /// No call and no wait opens the circuit.
    pub(crate) fn calm(self, policy: Policy, random: &mut Random) -> Settings {
        let settings = self.rules(Limits { calls: u32::MAX, rate: 1.0 });
        let settings = settings.track_in_flight(random.one_in(2));
        policy.apply(settings.min_hold(Duration::from_secs(1)), Duration::from_secs(60))
    }

    /// Everything opens the circuit, and it closes soon.
    pub(crate) fn restless(self, policy: Policy, random: &mut Random) -> Settings {
        let calls = 3 + random.below(18) as u32;
        let lease = if random.one_in(3) { MS * 3 } else { LONG };
        let probe = match (self, random.below(4)) {
            (Self::Sample, 0 | 1) => Probe::sample(6, 0.5).in_flight(3),
            (Self::Sample, _) => Probe::sample(4, 1.0).in_flight(MOST_PROBES),
            (_, 0 | 1) => Probe::successes(1),
            _ => Probe::successes(3).in_flight(2),
        };
        // The waits of the calls are shorter than 6 ms. Where only calls that take long are to open the circuit, they
        // are no holds: nothing would be pending for long enough in one epoch.
        let (min_hold, max_hold) = match self {
            Self::Overdue | Self::Slow => (MS * 7, MS * 7),
            _ => (Duration::ZERO, MS * 3),
        };
        let settings = self
            .rules(Limits { calls, rate: 0.5 })
            .probe(probe.lease(lease))
            .cooldown(Backoff::exponential(MS, MS * 4))
            .stable_for(MS * 2)
            .min_hold(min_hold)
            .exhausted(Exhausted::hold(max_hold).max_hold(max_hold))
            .track_in_flight(random.one_in(2));
        let settings = match self {
            Self::RampAfterSpan | Self::Everything => settings.ramp(Ramp::new([20, 60], MS * 2)),
            _ => settings,
        };
        policy.apply(settings, max_hold)
    }

    /// One call in so many takes long: many where that opens the circuit.
    pub(crate) fn long(self) -> u64 {
        match self {
            Self::Overdue | Self::Slow | Self::Everything => 8,
            _ => 200,
        }
    }

    fn rules(self, Limits { calls, rate }: Limits) -> SettingsBuilder {
        let none = Trip::none();
        let trip = match self {
            Self::Default => none.consecutive(calls).failure_rate(rate, calls),
            Self::Consecutive | Self::Sample => none.consecutive(calls),
            Self::TimeWindow => none.failure_rate(rate, calls).failures(calls),
            Self::CountWindow => none.failure_rate(rate, calls),
            Self::Overdue => none.overdue(calls.div_ceil(4), MS * 10),
            Self::Slow => none.slow(MS, rate / 10.0, calls),
            Self::RampAfterSpan => none.consecutive(calls).consecutive_over(MS),
            Self::OnlyHolds | Self::CustomRule => none,
            Self::Everything => none
                .consecutive(calls)
                .consecutive_over(MS)
                .overdue(calls, MS * 12)
                .failure_rate(rate, calls)
                .failures(calls)
                .slow(MS, rate / 10.0, calls),
        };
        let window = match self {
            Self::CountWindow | Self::Sample => Window::count(50),
            Self::TimeWindow | Self::Slow => Window::time(MS * 320).buckets(32),
            _ => Window::time(MS * 500),
        };
        Settings::builder().trip(trip).window(window)
    }
}

/// What the breaker of every round has in the end: `probes` at once, all of which must succeed.
pub(crate) fn last(probes: u32) -> Settings {
    Settings::builder()
        .probe(Probe::successes(probes).in_flight(probes).lease(LONG))
        .track_in_flight(true)
        .build()
        .expect("valid")
}
