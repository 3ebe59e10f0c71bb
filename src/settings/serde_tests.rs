//! Settings files: their forms and their errors.

use std::time::Duration;

use crate::backoff::Backoff;
use crate::probe::{Probe, Ramp};
use crate::settings::{Exhausted, Settings, Throttled};
use crate::trip::Trip;
use crate::window::Window;

const MS: fn(u64) -> Duration = Duration::from_millis;
const S: fn(u64) -> Duration = Duration::from_secs;

fn yaml(text: &str) -> Settings {
    serde_norway::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn yaml_error(text: &str) -> String {
    serde_norway::from_str::<Settings>(text).expect_err(text).to_string()
}

#[test]
fn an_empty_file_is_the_default() {
    for text in ["", "# nothing\n", "~", "{}", "trip:\nwindow: {}\ncooldown:\nprobe:\n"] {
        assert_eq!(yaml(text), Settings::default(), "{text:?}");
    }
    assert_eq!(toml::from_str::<Settings>("").unwrap(), Settings::default());
    assert_eq!(serde_json::from_str::<Settings>("{}").unwrap(), Settings::default());
}

#[test]
fn a_missing_key_comes_from_the_preset() {
    for (name, preset) in [
        ("default", Settings::default()),
        ("http", Settings::http()),
        ("grpc", Settings::grpc()),
        ("http_client", Settings::http_client()),
        ("grpc_client", Settings::grpc_client()),
        ("llm", Settings::llm()),
    ] {
        assert_eq!(yaml(&format!("preset: {name}")), preset);
    }
    let changed = yaml("{ preset: llm, trip: { consecutive: 3 }, probe: { successes: 2 } }");
    let llm = Settings::llm();
    assert_eq!(changed.trip(), llm.trip().consecutive(3));
    assert_eq!(changed.probe(), Probe::successes(2).lease(S(120)));
    assert_eq!(changed.throttled(), llm.throttled());
}

#[test]
fn every_rule_has_its_forms() {
    let base = Settings::default().trip();
    for (text, trip) in [
        ("consecutive: 7", base.consecutive(7)),
        ("consecutive: { failures: 7, over: 1s }", base.consecutive(7).consecutive_over(S(1))),
        ("consecutive: { over: 1s }", base.consecutive_over(S(1))),
        ("failure_rate: { rate: 0.3 }", base.failure_rate(0.3, 20)),
        ("failure_rate: { rate: 1, min_calls: 9 }", base.failure_rate(1.0, 9)),
        ("failures: 50", base.failures(50)),
        ("slow: { after: 2s, rate: 0.8, min_calls: 20 }", base.slow(S(2), 0.8, 20)),
        ("overdue: { calls: 5, after: 5s }", base.overdue(5, S(5))),
    ] {
        assert_eq!(yaml(&format!("trip: {{ {text} }}")).trip(), trip, "{text}");
    }
    let builder = Settings::builder;
    for (text, expected) in [
        ("window: { calls: 100 }", builder().window(Window::count(100))),
        ("window: { period: 1m }", builder().window(Window::time(S(60)))),
        ("window: { buckets: 30 }", builder().window(Window::time(S(30)).buckets(30))),
        ("cooldown: { fixed: 9s }", builder().cooldown(Backoff::fixed(S(9)))),
        ("cooldown: { max: 2m }", builder().cooldown(Backoff::exponential(S(5), S(120)))),
        ("probe: { sample: { calls: 10, rate: 0.3 } }", builder().probe(Probe::sample(10, 0.3))),
        ("ramp: { steps: [10, 25], step: 9s }", builder().ramp(Ramp::new([10, 25], S(9)))),
        ("throttled: { action: ignore }", builder().throttled(Throttled::ignore())),
        (
            "throttled: { action: count_as_failure, max_hold: 9s }",
            builder().throttled(Throttled::count_as_failure().max_hold(S(9))),
        ),
        (
            "exhausted: { hold: 1h, max_hold: 2h }",
            builder().exhausted(Exhausted::hold(S(3600)).max_hold(S(7200))),
        ),
        ("seed: 42", builder().seed(42)),
        ("seed: '18446744073709551615'", builder().seed(u64::MAX)),
        ("seed: 18446744073709551615", builder().seed(u64::MAX)),
    ] {
        assert_eq!(yaml(text), expected.build().unwrap(), "{text}");
    }
}

#[test]
fn a_duration_is_text_or_a_number_of_seconds() {
    for (text, expected) in [
        ("30s", S(30)),
        ("5m", S(300)),
        ("500ms", MS(500)),
        ("1m 30s", S(90)),
        ("2", S(2)),
        ("0.25", MS(250)),
        ("0", S(0)),
    ] {
        let over = Settings::default().trip().consecutive_over(expected);
        let settings = yaml(&format!(
            "{{ trip: {{ consecutive: {{ over: {text} }} }}, cancelled_after: {text} }}"
        ));
        assert_eq!((settings.trip(), settings.cancelled_after()), (over, Some(expected)));
    }
    let from_toml: Settings = toml::from_str("min_hold = 2\nstable_for = 0.5").unwrap();
    assert_eq!((from_toml.min_hold(), from_toml.stable_for()), (S(2), Some(MS(500))));
    let overflow = "18446744073709551615s 9999999999ns";
    for text in ["5 parsecs", "-1", "-0.5", ".nan", ".inf", "1e40", "true", "[1]", overflow] {
        let error = yaml_error(&format!("stable_for: {text}"));
        assert!(error.starts_with("stable_for: invalid "), "{error}");
    }
    for text in ["31y", "1e10", "18446744073709551615"] {
        let error = yaml_error(&format!("stable_for: {text}"));
        assert!(error.contains("must be at most 30 years"), "{error}");
    }
}

#[test]
fn off_null_and_false_switch_a_rule_off() {
    let bare = Settings::llm()
        .to_builder()
        .trip(Trip::none())
        .throttled(Throttled::hold().max_hold(S(300)))
        .no_cancelled_after()
        .build()
        .unwrap();
    for off in ["off", "~", "null", "false", "'OFF'"] {
        let text = format!(
            "{{ preset: llm, trip: {{ consecutive: {off}, failure_rate: {off}, failures: {off}, \
             slow: {off}, overdue: {off} }}, throttled: {{ default_hold: {off} }}, \
             cancelled_after: {off}, ramp: {off}, stable_for: {off}, seed: {off} }}"
        );
        assert_eq!(yaml(&text), bare);
    }
    let text = "preset = 'llm'\ncancelled_after = 'off'\nthrottled = { default_hold = 'off' }\n\
                trip = { consecutive = 'off', failure_rate = 'off' }";
    assert_eq!(toml::from_str::<Settings>(text).unwrap(), bare);
    let json = serde_json::json!({
        "preset": "llm", "cancelled_after": null, "throttled": { "default_hold": null },
        "trip": { "consecutive": null, "failure_rate": null },
    });
    assert_eq!(serde_json::from_value::<Settings>(json).unwrap(), bare);
}

#[test]
fn an_error_names_the_key_and_the_mistake() {
    for (text, key, what) in [
        ("trip: { failure_rate: { rate: 50 } }", "trip.failure_rate.rate", "is 50, must be from"),
        ("cooldown: { initial: 2m }", "cooldown.max", "at least cooldown.initial (120s)"),
        ("window: { period: 5ms }", "window.period", "at least 10ms with 10 buckets"),
        ("window: { period: soon }", "window.period", "expected a duration such as 500ms"),
        ("trip: { consecutive: -1 }", "trip.consecutive", "integer `-1`, expected u32"),
        ("trip: { consecutive: true }", "trip.consecutive", "a setting, or off"),
        ("trip: { slow: { after: 1s } }", "trip.slow", "missing field `rate`"),
        ("trip: { slow: 1s }", "trip.slow", "expected { after, rate, min_calls }, or off"),
        ("window: { calls: 9, period: 1s }", "window", "must have only one of the two forms"),
        ("cooldown: { fixed: 9s, jitter: 0.1 }", "cooldown", "must have only one of the two forms"),
        (
            "probe: { successes: 1, sample: { calls: 1, rate: 1 } }",
            "probe",
            "must have only one of",
        ),
        ("throttled: { action: maybe }", "throttled.action", "unknown variant `maybe`"),
        ("preset: htp", "preset", "unknown variant `htp`, expected one of `default`, `http`"),
        ("trip: { consequtive: 5 }", "trip", "unknown field `consequtive`, expected one of"),
        ("colldown: 5s", "colldown", "unknown field `colldown`, expected one of"),
        ("seed: -1", "seed", "expected an integer from 0"),
        ("5", "5", "expected the settings of a circuit breaker"),
    ] {
        let error = yaml_error(text);
        assert!(error.contains(key) && error.contains(what), "{text}: {error}");
    }
    let error = toml::from_str::<Settings>("[trip.failure_rate]\nrate = 2.0").unwrap_err();
    assert!(error.to_string().contains("trip.failure_rate.rate is 2, must be"), "{error}");
    let error = toml::from_str::<Settings>("[window]\nperiod = 'soon'").unwrap_err();
    assert!(error.to_string().contains("period = 'soon'"), "{error}");
    let error = serde_json::from_str::<Settings>("{\n\"min_hold\": \"soon\"}").unwrap_err();
    assert!(error.to_string().contains("a duration such as") && error.line() == 2, "{error}");
}

#[test]
fn a_rule_of_the_default_that_is_off_is_written_as_off() {
    let bare = Settings::builder().trip(Trip::none()).build().unwrap();
    let text = serde_norway::to_string(&bare).unwrap();
    assert!(text.starts_with("trip:\n  consecutive: off\n  failure_rate: off\nwindow:"), "{text}");
    assert!(text.contains("period: 30s") && text.contains("max_hold: 1h"), "{text}");
}
