//! The settings of the rounds. They cover every rule, window and way to close, each with values that never open the circuit
//! and with values that often do.

use std::time::Duration;

use tower_breaker::{
    Backoff, Class, Exhausted, Probe, Ramp, Settings, SettingsBuilder, Throttled, Trip, Window,
};

use crate::random::Random;

pub(crate) const MS: Duration = Duration::from_millis(1);

/// The maximum number of concurrent probes in any settings.
pub(crate) const MOST_PROBES: u32 = 4;

/// The longest lease. It exceeds every wait for the circuit to close, so that a lost lease is noticed.
const LONG: Duration = Duration::from_secs(60 * 60);

/// The part of the settings that all shapes share: the classes in which throttled and cancelled calls are counted.
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

    /// The class in which the breaker counts a call that ended in this class.
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

/// A choice of rules and window.
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

/// The limits of the rules.
#[derive(Clone, Copy)]
struct Limits {
    calls: u32,
    rate: f64,
}

impl Shape {
    /// Settings with which no call and no wait opens the circuit.
    pub(crate) fn calm(self, policy: Policy, random: &mut Random) -> Settings {
        let settings = self.rules(Limits { calls: u32::MAX, rate: 1.0 });
        let settings = settings.track_in_flight(random.one_in(2));
        policy.apply(settings.min_hold(Duration::from_secs(1)), Duration::from_secs(60))
    }

    /// Settings with which the circuit opens often and closes soon.
    pub(crate) fn restless(self, policy: Policy, random: &mut Random) -> Settings {
        let calls = 3 + random.below(18) as u32;
        let lease = if random.one_in(3) { MS * 3 } else { LONG };
        let probe = match (self, random.below(4)) {
            (Self::Sample, 0 | 1) => Probe::sample(6, 0.5).in_flight(3),
            (Self::Sample, _) => Probe::sample(4, 1.0).in_flight(MOST_PROBES),
            (_, 0 | 1) => Probe::successes(1),
            _ => Probe::successes(3).in_flight(2),
        };
        // The waits of the calls are shorter than 6 ms. If only long calls are to open the circuit, these waits must not
        // become holds: no call would be pending for long enough in one epoch.
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

    /// One call in this number of calls is long. Long calls are frequent if a rule depends on them.
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

/// The settings at the end of every round: `probes` concurrent probes, all of which must succeed.
pub(crate) fn last(probes: u32) -> Settings {
    Settings::builder()
        .probe(Probe::successes(probes).in_flight(probes).lease(LONG))
        .track_in_flight(true)
        .build()
        .expect("valid")
}
