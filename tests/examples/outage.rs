//! The claims of the example `outage` hold, and do not hold without an outage or without a breaker.

use std::process::Output;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::support::program::{Program, stderr};

const EXAMPLE: Program = Program { example: "outage", build: "cargo build --example outage" };

/// Held by each run, because a run uses the whole machine.
static MACHINE: Mutex<()> = Mutex::new(());

fn outage(arguments: &[&str]) -> Output {
    let _machine = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    EXAMPLE.run(arguments)
}

fn scenarios(output: &Output) -> Vec<Value> {
    let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    document["scenarios"].as_array().expect("a list of scenarios").clone()
}

fn figure(scenario: &Value, client: &str, figure: &str) -> u64 {
    let value = &scenario[client][figure];
    value.as_u64().unwrap_or_else(|| panic!("{client}.{figure} is {value}"))
}

#[test]
fn the_protected_client_survives_three_outages() {
    let output = outage(&["--json"]);
    assert_eq!((output.status.code(), &*stderr(&output)), (Some(0), ""));
    let [five, ten, storm] = &scenarios(&output)[..] else { panic!("three scenarios") };
    for (scenario, name) in
        [(five, "five_minute_outage"), (ten, "ten_thousand_requests"), (storm, "retry_storm")]
    {
        assert_eq!(scenario["name"], name);
        assert_eq!(figure(scenario, "protected", "user_visible_errors"), 0, "{name}");
        assert_eq!(figure(scenario, "protected_no_overdue", "user_visible_errors"), 0, "{name}");
        assert!(scenario["naive"]["recovery_to_closed_ms"].is_null(), "{name}");
        assert!(figure(scenario, "protected", "recovery_to_closed_ms") <= 95_000, "{name}");
        assert_eq!(
            figure(scenario, "naive", "requests"),
            figure(scenario, "protected", "requests"),
            "{name}"
        );
    }

    assert_eq!(figure(five, "naive", "requests"), 500);
    assert!(figure(five, "naive", "user_visible_errors") >= 400);
    assert!(figure(five, "naive", "provider_calls") >= 800);
    assert!(figure(five, "naive", "mean_ms") > 30_000);
    assert!(figure(five, "protected", "provider_calls") <= 40);
    assert!(figure(five, "protected", "mean_ms") < 2_000);
    assert!(
        figure(five, "protected", "provider_calls")
            < figure(five, "protected_no_overdue", "provider_calls")
    );

    assert_eq!(figure(ten, "naive", "provider_calls"), 20_000);
    assert_eq!(figure(ten, "naive", "user_visible_errors"), 10_000);
    // Five calls that open the circuit, 49 in flight at that time, and a probe for each cooldown that ended.
    let probes = figure(ten, "protected", "probes");
    assert!(figure(ten, "protected", "provider_calls") <= 5 + 49 + probes);

    assert_eq!(figure(storm, "naive", "provider_calls"), 4 * figure(storm, "naive", "requests"));
    assert!(figure(storm, "protected", "provider_calls") < figure(storm, "protected", "requests"));
}

#[test]
fn without_an_outage_the_claims_fail() {
    let output = outage(&["--json", "--healthy", "--only", "retry_storm"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("retry_storm: naive.user_visible_errors is 0"));
    let [storm] = &scenarios(&output)[..] else { panic!("one scenario") };
    assert_eq!(figure(storm, "naive", "user_visible_errors"), 0);
    assert_eq!(
        figure(storm, "protected", "provider_calls"),
        figure(storm, "protected", "requests")
    );
    assert!(storm["protected"]["recovery_to_closed_ms"].is_null());
}

#[test]
fn without_a_breaker_the_claims_fail() {
    let output = outage(&["--json", "--no-breaker", "--only", "ten_thousand_requests"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("protected.user_visible_errors is 10000"));
    assert!(stderr(&output).contains("protected.provider_calls is 20000"));
    let [ten] = &scenarios(&output)[..] else { panic!("one scenario") };
    assert_eq!(figure(ten, "protected", "user_visible_errors"), 10_000);
}

#[test]
fn an_unknown_argument_is_refused() {
    for arguments in [&["--jsno"][..], &["--only"], &["--only", "flood"]] {
        EXAMPLE.refuses(arguments);
    }
}
