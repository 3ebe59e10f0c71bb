//! The numbers of the presets, the getters, and the error texts.

use std::time::Duration;

use super::ConfigError;
use crate::backoff::Backoff;
use crate::probe::{Probe, Ramp};
use crate::settings::{Exhausted, Settings, Throttled};
use crate::trip::Trip;
use crate::window::Window;

const MS: fn(u64) -> Duration = Duration::from_millis;
const S: fn(u64) -> Duration = Duration::from_secs;

#[test]
fn the_default_has_the_documented_numbers() {
    let settings = Settings::default();
    assert_eq!(settings.trip(), Trip::none().consecutive(5).failure_rate(0.5, 20));
    assert_eq!(settings.window(), Window::Time { period: S(30), buckets: 10 });
    let cooldown = Backoff { initial: S(5), multiplier: 2.0, max: S(60), jitter: 0.2 };
    assert_eq!(settings.cooldown(), cooldown);
    assert_eq!(settings.stable_for(), None);
    assert_eq!(settings.probe(), Probe::successes(1).in_flight(1).lease(S(35)));
    assert_eq!(settings.ramp(), None);
    assert_eq!(settings.throttled(), Throttled::hold().max_hold(S(60)));
    assert_eq!(settings.exhausted(), Exhausted::hold(S(600)).max_hold(S(3600)));
    assert_eq!(settings.min_hold(), S(1));
    assert_eq!(settings.hold_jitter(), 0.1);
    assert_eq!(settings.cancelled_after(), None);
    assert!(!settings.track_in_flight());
    assert_eq!(settings.seed(), None);
}

#[test]
fn the_server_presets_are_the_default() {
    assert_eq!(Settings::http(), Settings::default());
    assert_eq!(Settings::grpc(), Settings::default());
    assert_eq!(Settings::builder().build(), Ok(Settings::default()));
}

#[test]
fn the_client_presets_differ_in_two_numbers() {
    let trip = Settings::default().trip().consecutive_over(MS(500));
    let client = Settings::builder().trip(trip).cancelled_after(S(10)).build().unwrap();
    assert_eq!(Settings::http_client(), client);
    assert_eq!(Settings::grpc_client(), client);
}

#[test]
fn the_llm_preset_has_the_documented_numbers() {
    let trip = Trip::none().consecutive(5).consecutive_over(MS(500)).failure_rate(0.5, 10);
    let settings = Settings::builder()
        .trip(trip)
        .window(Window::time(S(60)).buckets(10))
        .cooldown(Backoff { initial: S(30), multiplier: 2.0, max: S(300), jitter: 0.2 })
        .probe(Probe::successes(1).in_flight(1).lease(S(120)))
        .throttled(Throttled::hold().default_hold(S(30)).max_hold(S(300)))
        .cancelled_after(S(60));
    assert_eq!(Ok(Settings::llm()), settings.build());
}

#[test]
fn every_preset_is_valid_and_survives_its_builder() {
    for preset in [Settings::default(), Settings::http_client(), Settings::llm()] {
        assert_eq!(preset.to_builder().build(), Ok(preset));
    }
}

#[test]
fn every_setter_is_read_back_and_undone() {
    let ramp = Ramp::new([10, 50], S(10));
    let changed = Settings::llm()
        .to_builder()
        .ramp(ramp.clone())
        .stable_for(S(7))
        .min_hold(S(2))
        .hold_jitter(0.3)
        .cancelled_after(S(8))
        .track_in_flight(true)
        .seed(9);
    let settings = changed.clone().build().unwrap();
    assert_eq!(settings.ramp(), Some(&ramp));
    assert_eq!(settings.stable_for(), Some(S(7)));
    assert_eq!((settings.min_hold(), settings.hold_jitter()), (S(2), 0.3));
    assert_eq!(settings.cancelled_after(), Some(S(8)));
    assert_eq!((settings.track_in_flight(), settings.seed()), (true, Some(9)));

    let undone = changed.no_ramp().no_cancelled_after().build().unwrap();
    assert_eq!((undone.ramp(), undone.cancelled_after()), (None, None));
}

#[test]
fn an_error_names_the_setting_and_the_valid_range() {
    let setting = "a.b";
    let cases = [
        (ConfigError::NotARate { setting, value: 1.5 }, "a.b is 1.5, must be from 0.000001 to 1.0"),
        (
            ConfigError::NotAShare { setting, value: f64::NAN },
            "a.b is NaN, must be from 0.0 to 1.0",
        ),
        (
            ConfigError::NotAFactor { setting, value: 0.5 },
            "a.b is 0.5, must be finite and at least 1.0",
        ),
        (
            ConfigError::NotAPercentage { setting, index: 1, value: 101 },
            "a.b[1] is 101, must be from 1 to 100 percent",
        ),
        (ConfigError::Zero { setting }, "a.b is zero, must be greater than zero"),
        (ConfigError::Empty { setting }, "a.b is empty, must have at least one element"),
        (ConfigError::TooLarge { setting, value: 33, max: 32 }, "a.b is 33, must be at most 32"),
        (
            ConfigError::TooShort { setting, value: MS(9), min: MS(10) },
            "a.b is 9ms, must be at least 10ms",
        ),
        (
            ConfigError::TooLong { setting, value: S(1_000_000_000) },
            "a.b is 1000000000s, must be at most 30 years",
        ),
        (
            ConfigError::Inverted { setting, value: S(1), bound_setting: "c", bound: S(2) },
            "a.b is 1s, must be at least c (2s)",
        ),
        (
            ConfigError::BucketTooShort { setting, period: MS(3), buckets: 10 },
            "a.b is 3ms, must be at least 10ms with 10 buckets",
        ),
        (
            ConfigError::Falling { setting, index: 1, before: 20, value: 10 },
            "a.b[1] is 10, must be at least the step before (20)",
        ),
    ];
    for (error, text) in cases {
        assert_eq!(error.to_string(), text);
        assert_eq!(error.setting(), setting);
    }
}
