//! Written settings are read back unchanged, and no input panics.

use std::time::Duration;

use proptest::option;
use proptest::prelude::*;

use crate::backoff::{Backoff, FOREVER};
use crate::probe::{Probe, Ramp};
use crate::settings::{Exhausted, Settings, Throttled};
use crate::trip::Trip;
use crate::window::Window;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn wait(from: Duration) -> impl Strategy<Value = Duration> {
    let from = from.as_nanos() as u64;
    prop_oneof![
        (from..=FOREVER.as_nanos() as u64).prop_map(Duration::from_nanos),
        (1_u64..=100_000).prop_map(move |ms| Duration::from_nanos(from) + MS(ms)),
    ]
}

/// Six digits, which every JSON reader reads exactly. They are the precision of rates.
fn fraction(from: u32, to: u32) -> impl Strategy<Value = f64> {
    (from..=to).prop_map(|millionths| f64::from(millionths) / 1e6)
}

fn any_trip() -> impl Strategy<Value = Trip> {
    let rate = || fraction(1, 1_000_000);
    (
        option::of((1_u32.., prop_oneof![Just(Duration::ZERO), wait(MS(1))])),
        option::of((1_u32.., wait(MS(10)))),
        option::of((rate(), 1_u32..)),
        option::of(1_u32..),
        option::of((wait(MS(1)), rate(), 1_u32..)),
    )
        .prop_map(|(consecutive, overdue, failure_rate, failures, slow)| {
            let trip = Trip::none();
            let trip = consecutive.map_or(trip, |(n, d)| trip.consecutive(n).consecutive_over(d));
            let trip = overdue.map_or(trip, |(n, d)| trip.overdue(n, d));
            let trip = failure_rate.map_or(trip, |(r, n)| trip.failure_rate(r, n));
            let trip = failures.map_or(trip, |n| trip.failures(n));
            slow.map_or(trip, |(d, r, n)| trip.slow(d, r, n))
        })
}

const THROTTLED: &[Throttled] =
    &[Throttled::hold(), Throttled::count_as_failure(), Throttled::ignore()];

prop_compose! {
    fn any_settings()(
        trip in any_trip(),
        window in prop_oneof![
            (1_u32..=1_000_000).prop_map(Window::count),
            (wait(MS(32)), 1_u32..=32).prop_map(|(d, n)| Window::time(d).buckets(n)),
        ],
        cooldown in prop_oneof![
            wait(MS(1)).prop_map(Backoff::fixed),
            (wait(MS(1)), wait(MS(1)), fraction(1_000_000, 9_000_000), fraction(0, 1_000_000))
                .prop_map(|(a, b, factor, share)| {
                    Backoff::exponential(a.min(b), a.max(b)).multiplier(factor).jitter(share)
                }),
        ],
        probe in (
            prop_oneof![
                (1_u32..).prop_map(Probe::successes),
                (1_u32.., fraction(1, 1_000_000)).prop_map(|(n, r)| Probe::sample(n, r)),
            ],
            1_u32..=1_000,
            wait(MS(1)),
        ).prop_map(|(probe, n, lease)| probe.in_flight(n).lease(lease)),
        ramp in option::of((proptest::collection::vec(1_u8..=100, 1..100), wait(MS(1)))),
        (throttled, mut holds) in (prop::sample::select(THROTTLED), [wait(MS(1)), wait(MS(1)), wait(MS(1)), wait(MS(1))]),
        (default_hold, hold_jitter, track) in (any::<bool>(), fraction(0, 1_000_000), any::<bool>()),
        (stable_for, cancelled_after) in (option::of(wait(MS(0))), option::of(wait(MS(0)))),
        seed in option::of(any::<u64>()),
    ) -> Settings {
        holds.sort();
        let throttled = throttled.max_hold(holds[2]);
        let builder = Settings::builder()
            .trip(trip).window(window).cooldown(cooldown).probe(probe)
            .throttled(if default_hold { throttled.default_hold(holds[1]) } else { throttled })
            .exhausted(Exhausted::hold(holds[1]).max_hold(holds[3]))
            .min_hold(holds[0]).hold_jitter(hold_jitter).track_in_flight(track);
        let mut settings = builder.build().expect("valid by construction");
        settings.ramp = ramp.map(|(mut steps, step)| {
            steps.sort_unstable();
            Ramp::new(steps, step)
        });
        (settings.stable_for, settings.cancelled_after) = (stable_for, cancelled_after);
        settings.seed = seed;
        settings.to_builder().build().expect("valid by construction")
    }
}

/// Few under miri, where each case takes seconds.
fn cases() -> ProptestConfig {
    match cfg!(miri) {
        true => ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1) },
        false => ProptestConfig::default(),
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn written_settings_are_read_back_unchanged(settings in any_settings()) {
        let text = serde_norway::to_string(&settings).unwrap();
        prop_assert_eq!(&serde_norway::from_str::<Settings>(&text).unwrap(), &settings, "{}", text);
        let text = toml::to_string(&settings).unwrap();
        prop_assert_eq!(&toml::from_str::<Settings>(&text).unwrap(), &settings, "{}", text);
        let text = serde_json::to_string(&settings).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Settings>(&text).unwrap(), &settings, "{}", text);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>()) {
        read(&text)?;
    }

    #[test]
    fn no_wrong_value_makes_the_reader_panic(
        settings in any_settings(),
        line in any::<prop::sample::Index>(),
        value in prop::sample::select(VALUES),
    ) {
        let text = serde_norway::to_string(&settings).unwrap();
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        let line = line.get_mut(&mut lines);
        let key = line.split(':').next().unwrap_or_default();
        *line = format!("{key}: {value}");
        read(&lines.join("\n"))?;
    }

    #[test]
    fn no_mix_of_keys_and_values_makes_the_reader_panic(text in document()) {
        read(&text)?;
    }
}

/// Accepted settings are valid and can be written. Rejected ones give an error with a text.
fn read(text: &str) -> Result<(), TestCaseError> {
    match serde_norway::from_str::<Settings>(text) {
        Ok(settings) => {
            prop_assert!(settings.to_builder().build().is_ok());
            let written = serde_norway::to_string(&settings).unwrap();
            prop_assert_eq!(serde_norway::from_str::<Settings>(&written).unwrap(), settings);
        }
        Err(error) => prop_assert!(!error.to_string().is_empty()),
    }
    let _ = toml::from_str::<Settings>(text);
    let _ = serde_json::from_str::<Settings>(text);
    Ok(())
}

const KEYS: &[&str] = &[
    "preset",
    "trip",
    "consecutive",
    "failures",
    "over",
    "overdue",
    "calls",
    "after",
    "failure_rate",
    "rate",
    "min_calls",
    "slow",
    "window",
    "period",
    "buckets",
    "cooldown",
    "fixed",
    "initial",
    "multiplier",
    "max",
    "jitter",
    "stable_for",
    "probe",
    "successes",
    "sample",
    "in_flight",
    "lease",
    "ramp",
    "steps",
    "step",
    "throttled",
    "action",
    "max_hold",
    "default_hold",
    "exhausted",
    "hold",
    "min_hold",
    "hold_jitter",
    "cancelled_after",
    "track_in_flight",
    "seed",
];

const VALUES: &[&str] = &[
    "0",
    "1",
    "5",
    "-1",
    "0.5",
    "2.0",
    "1e-9",
    "1e400",
    ".nan",
    ".inf",
    "-.inf",
    "~",
    "off",
    "true",
    "false",
    "''",
    "30s",
    "5m",
    "1ns",
    "100y",
    "18446744073709551615",
    "llm",
    "99999999999999999999",
    "18446744073709551615s 999999999999ns",
    "584942417355y",
    "hold",
    "[]",
    "[10, 20]",
    "[300]",
    "{}",
    "!tag x",
    "4294967296",
];

/// Maps of known keys, three deep, with values that fit or do not.
fn document() -> impl Strategy<Value = String> {
    let value = prop::sample::select(VALUES).prop_map(str::to_owned);
    let map = value.prop_recursive(3, 32, 5, |inner| {
        prop::collection::btree_map(prop::sample::select(KEYS), inner, 1..5).prop_map(|map| {
            let entries: Vec<_> =
                map.iter().map(|(key, value)| format!("{key}: {value}")).collect();
            format!("{{ {} }}", entries.join(", "))
        })
    });
    prop::collection::btree_map(prop::sample::select(KEYS), map, 1..4)
        .prop_map(|map| map.iter().map(|(key, value)| format!("{key}: {value}\n")).collect())
}
