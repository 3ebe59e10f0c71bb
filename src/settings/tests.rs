//! The bounds of every number: the last valid and the first invalid value.

use std::time::Duration;

use super::{ConfigError, SettingsBuilder};
use crate::backoff::{Backoff, FOREVER};
use crate::probe::{Probe, Ramp};
use crate::settings::{Exhausted, Settings, Throttled};
use crate::trip::Trip;
use crate::window::Window;

const MS: fn(u64) -> Duration = Duration::from_millis;
const S: fn(u64) -> Duration = Duration::from_secs;
const NS: Duration = Duration::from_nanos(1);
const ZERO: Duration = Duration::ZERO;

fn built(change: impl FnOnce(SettingsBuilder) -> SettingsBuilder) -> Result<Settings, ConfigError> {
    change(Settings::builder()).build()
}

fn trip(trip: Trip) -> Option<ConfigError> {
    built(|b| b.trip(trip)).err()
}

fn window(window: Window) -> Option<ConfigError> {
    built(|b| b.window(window)).err()
}

fn cooldown(cooldown: Backoff) -> Option<ConfigError> {
    built(|b| b.cooldown(cooldown)).err()
}

fn probe(probe: Probe) -> Option<ConfigError> {
    built(|b| b.probe(probe)).err()
}

fn ramp(steps: impl IntoIterator<Item = u8>, step: Duration) -> Option<ConfigError> {
    built(|b| b.ramp(Ramp::new(steps, step))).err()
}

fn throttled(throttled: Throttled) -> Option<ConfigError> {
    built(|b| b.throttled(throttled)).err()
}

fn exhausted(exhausted: Exhausted) -> Option<ConfigError> {
    built(|b| b.exhausted(exhausted)).err()
}

fn zero(setting: &'static str) -> Option<ConfigError> {
    Some(ConfigError::Zero { setting })
}

fn too_long(setting: &'static str) -> Option<ConfigError> {
    Some(ConfigError::TooLong { setting, value: FOREVER + NS })
}

fn inverted(
    (setting, value): (&'static str, Duration),
    (bound_setting, bound): (&'static str, Duration),
) -> Option<ConfigError> {
    Some(ConfigError::Inverted { setting, value, bound_setting, bound })
}

#[test]
fn every_count_has_its_bounds() {
    let too_large = |setting, value, max| Some(ConfigError::TooLarge { setting, value, max });
    let none = Trip::none();
    let cases = [
        (trip(none.consecutive(1)), None),
        (trip(none.consecutive(0)), zero("trip.consecutive")),
        (trip(none.consecutive(u32::MAX)), None),
        (trip(none.failures(1)), None),
        (trip(none.failures(0)), zero("trip.failures")),
        (trip(none.overdue(1, S(1))), None),
        (trip(none.overdue(0, S(1))), zero("trip.overdue.calls")),
        (trip(none.failure_rate(0.5, 1)), None),
        (trip(none.failure_rate(0.5, 0)), zero("trip.failure_rate.min_calls")),
        (trip(none.slow(S(1), 0.5, 1)), None),
        (trip(none.slow(S(1), 0.5, 0)), zero("trip.slow.min_calls")),
        (window(Window::count(1)), None),
        (window(Window::count(0)), zero("window.calls")),
        (window(Window::count(1_000_000)), None),
        (window(Window::count(1_000_001)), too_large("window.calls", 1_000_001, 1_000_000)),
        (window(Window::time(S(1)).buckets(1)), None),
        (window(Window::time(S(1)).buckets(0)), zero("window.buckets")),
        (window(Window::time(S(1)).buckets(32)), None),
        (window(Window::time(S(1)).buckets(33)), too_large("window.buckets", 33, 32)),
        (probe(Probe::successes(1)), None),
        (probe(Probe::successes(0)), zero("probe.successes")),
        (probe(Probe::sample(1, 0.5)), None),
        (probe(Probe::sample(0, 0.5)), zero("probe.sample.calls")),
        (probe(Probe::successes(1).in_flight(0)), zero("probe.in_flight")),
        (probe(Probe::successes(1).in_flight(1_000)), None),
        (probe(Probe::successes(1).in_flight(1_001)), too_large("probe.in_flight", 1_001, 1_000)),
        (ramp([50; 100], S(1)), None),
        (ramp([50; 101], S(1)), too_large("ramp.steps", 101, 100)),
        (ramp([], S(1)), Some(ConfigError::Empty { setting: "ramp.steps" })),
    ];
    for (at, (got, expected)) in cases.into_iter().enumerate() {
        assert_eq!(got, expected, "case {at}");
    }
}

#[test]
fn every_duration_has_its_bounds() {
    let none = Trip::none();
    let consecutive = |over| trip(none.consecutive(5).consecutive_over(over));
    let overdue = |after| trip(none.overdue(5, after));
    let slow = |after| trip(none.slow(after, 0.5, 5));
    let period = |period| window(Window::time(period));
    let initial = |initial| cooldown(Backoff::exponential(initial, initial));
    let max = |max| cooldown(Backoff::exponential(S(5), max));
    let fixed = |wait| cooldown(Backoff::fixed(wait));
    let lease = |lease| probe(Probe::successes(1).lease(lease));
    let stable_for = |time| built(|b| b.stable_for(time)).err();
    let cancelled_after = |time| built(|b| b.cancelled_after(time)).err();
    let step = |step| ramp([50], step);
    let short = |setting, value, min| Some(ConfigError::TooShort { setting, value, min });
    let cases = [
        (consecutive(ZERO), None),
        (consecutive(FOREVER), None),
        (consecutive(FOREVER + NS), too_long("trip.consecutive.over")),
        (overdue(MS(10)), None),
        (overdue(MS(10) - NS), short("trip.overdue.after", MS(10) - NS, MS(10))),
        (overdue(FOREVER), None),
        (overdue(FOREVER + NS), too_long("trip.overdue.after")),
        (slow(NS), None),
        (slow(ZERO), zero("trip.slow.after")),
        (slow(FOREVER), None),
        (slow(FOREVER + NS), too_long("trip.slow.after")),
        (period(ZERO), zero("window.period")),
        (period(FOREVER), None),
        (period(FOREVER + NS), too_long("window.period")),
        (initial(NS), None),
        (initial(ZERO), zero("cooldown.initial")),
        (initial(FOREVER), None),
        (initial(FOREVER + NS), too_long("cooldown.initial")),
        (max(FOREVER), None),
        (max(FOREVER + NS), too_long("cooldown.max")),
        (fixed(NS), None),
        (fixed(ZERO), zero("cooldown.initial")),
        (lease(NS), None),
        (lease(ZERO), zero("probe.lease")),
        (lease(FOREVER), None),
        (lease(FOREVER + NS), too_long("probe.lease")),
        (stable_for(ZERO), None),
        (stable_for(FOREVER), None),
        (stable_for(FOREVER + NS), too_long("stable_for")),
        (cancelled_after(ZERO), None),
        (cancelled_after(FOREVER), None),
        (cancelled_after(FOREVER + NS), too_long("cancelled_after")),
        (step(NS), None),
        (step(ZERO), zero("ramp.step")),
        (step(FOREVER), None),
        (step(FOREVER + NS), too_long("ramp.step")),
    ];
    for (at, (got, expected)) in cases.into_iter().enumerate() {
        assert_eq!(got, expected, "case {at}");
    }
}

#[test]
fn every_hold_has_its_bounds() {
    let min = |min| built(|b| b.min_hold(min)).err();
    let max = |max| throttled(Throttled::hold().max_hold(max));
    let default = |hold| throttled(Throttled::hold().default_hold(hold));
    let free = |throttle| built(|b| b.min_hold(ZERO).throttled(throttle)).err();
    let second = ("min_hold", S(1));
    let cases = [
        (min(ZERO), None),
        (min(S(60)), None),
        (min(S(60) + NS), inverted(("throttled.max_hold", S(60)), ("min_hold", S(60) + NS))),
        (min(FOREVER + NS), too_long("min_hold")),
        (max(S(1)), None),
        (max(S(1) - NS), inverted(("throttled.max_hold", S(1) - NS), second)),
        (max(FOREVER), None),
        (max(FOREVER + NS), too_long("throttled.max_hold")),
        (free(Throttled::hold().max_hold(NS)), None),
        (free(Throttled::hold().max_hold(ZERO)), zero("throttled.max_hold")),
        (default(S(1)), None),
        (default(S(1) - NS), inverted(("throttled.default_hold", S(1) - NS), second)),
        (default(S(60)), None),
        (
            default(S(61)),
            inverted(("throttled.max_hold", S(60)), ("throttled.default_hold", S(61))),
        ),
        (default(FOREVER + NS), too_long("throttled.default_hold")),
        (free(Throttled::hold().default_hold(ZERO)), zero("throttled.default_hold")),
        (exhausted(Exhausted::hold(S(1))), None),
        (exhausted(Exhausted::hold(S(1) - NS)), inverted(("exhausted.hold", S(1) - NS), second)),
        (exhausted(Exhausted::hold(ZERO)), zero("exhausted.hold")),
        (exhausted(Exhausted::hold(S(3600))), None),
        (
            exhausted(Exhausted::hold(S(3601))),
            inverted(("exhausted.max_hold", S(3600)), ("exhausted.hold", S(3601))),
        ),
        (exhausted(Exhausted::hold(FOREVER + NS)), too_long("exhausted.hold")),
        (exhausted(Exhausted::hold(S(9)).max_hold(S(9))), None),
        (exhausted(Exhausted::hold(S(9)).max_hold(ZERO)), zero("exhausted.max_hold")),
        (exhausted(Exhausted::hold(S(9)).max_hold(FOREVER)), None),
        (exhausted(Exhausted::hold(S(9)).max_hold(FOREVER + NS)), too_long("exhausted.max_hold")),
    ];
    for (at, (got, expected)) in cases.into_iter().enumerate() {
        assert_eq!(got, expected, "case {at}");
    }
}

#[test]
fn every_fraction_has_its_bounds() {
    let none = Trip::none();
    let rates: [(_, &dyn Fn(f64) -> Option<ConfigError>); 3] = [
        ("trip.failure_rate.rate", &|rate| trip(none.failure_rate(rate, 1))),
        ("trip.slow.rate", &|rate| trip(none.slow(S(1), rate, 1))),
        ("probe.sample.rate", &|rate| probe(Probe::sample(1, rate))),
    ];
    let shares: [(_, &dyn Fn(f64) -> Option<ConfigError>); 2] = [
        ("cooldown.jitter", &|share| cooldown(Backoff::fixed(S(1)).jitter(share))),
        ("hold_jitter", &|share| built(|b| b.hold_jitter(share)).err()),
    ];
    let factor = |value| cooldown(Backoff::exponential(S(1), S(9)).multiplier(value));

    for (name, rate) in rates {
        assert_eq!([rate(0.000_001), rate(1.0)], [None, None], "{name}");
        for value in [0.0, -0.1, 0.000_000_999, 1.000_001, f64::NAN, f64::INFINITY] {
            let error = rate(value).expect(name);
            assert!(matches!(error, ConfigError::NotARate { setting, .. } if setting == name));
        }
    }
    for (name, share) in shares {
        assert_eq!([share(0.0), share(1.0)], [None, None], "{name}");
        for value in [-f64::EPSILON, 1.0 + f64::EPSILON, f64::NAN, f64::INFINITY] {
            let error = share(value).expect(name);
            assert!(matches!(error, ConfigError::NotAShare { setting, .. } if setting == name));
        }
    }
    assert_eq!([factor(1.0), factor(f64::MAX)], [None, None]);
    for value in [1.0 - f64::EPSILON, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = factor(value).expect("a factor below 1");
        assert!(matches!(error, ConfigError::NotAFactor { setting: "cooldown.multiplier", .. }));
    }
}

#[test]
fn a_window_is_at_least_a_millisecond_long_per_bucket() {
    assert_eq!(window(Window::time(MS(32)).buckets(32)), None);
    let (setting, period, buckets) = ("window.period", MS(32) - NS, 32);
    let error = ConfigError::BucketTooShort { setting, period, buckets };
    assert_eq!(window(Window::time(period).buckets(32)), Some(error));
}

#[test]
fn a_cooldown_never_ends_below_its_start() {
    assert_eq!(cooldown(Backoff::exponential(S(5), S(5))), None);
    assert_eq!(
        cooldown(Backoff::exponential(S(5), S(5) - NS)),
        inverted(("cooldown.max", S(5) - NS), ("cooldown.initial", S(5)))
    );
}

#[test]
fn a_ramp_rises_within_1_to_100_percent() {
    let setting = "ramp.steps";
    let percentage = |index, value| Some(ConfigError::NotAPercentage { setting, index, value });
    assert_eq!(ramp([1, 1, 100], S(1)), None);
    assert_eq!(ramp([0], S(1)), percentage(0, 0));
    assert_eq!(ramp([10, 101], S(1)), percentage(1, 101));
    let falling = ConfigError::Falling { setting, index: 2, before: 20, value: 19 };
    assert_eq!(ramp([10, 20, 19], S(1)), Some(falling));
}

#[test]
fn no_rules_and_a_min_calls_above_the_window_are_valid() {
    assert_eq!(trip(Trip::none()), None);
    let wide = Trip::none().failure_rate(0.5, 1_000);
    assert!(built(|b| b.trip(wide).window(Window::count(10))).is_ok());
}
