//! The format of `tests/data/behaviours.json`. An unknown field in a replayed case is an error.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A case. Its configuration and its steps are parsed when it is replayed.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) notes: String,
    config: Value,
    steps: Vec<Value>,
}

impl Case {
    pub(crate) fn all() -> Vec<Self> {
        serde_json::from_str(include_str!("../../data/behaviours.json")).expect("a list of cases")
    }

    pub(crate) fn config(&self) -> Knobs {
        let read = Knobs::deserialize(&self.config);
        read.unwrap_or_else(|error| panic!("{}: config: {error}", self.id))
    }

    pub(crate) fn steps(&self) -> Vec<Step> {
        let read = |(at, step)| {
            let read = Step::deserialize(step);
            read.unwrap_or_else(|error| panic!("{}, step {at}: {error}", self.id))
        };
        self.steps.iter().enumerate().map(read).collect()
    }
}

/// The configuration of a breaker, and the knobs in which breakers differ.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Knobs {
    /// `None` if the case concerns only the window.
    pub(crate) trip: Option<Vec<Rule>>,
    pub(crate) evaluate_on: Option<String>,
    #[serde(rename = "evaluate_every_ms")]
    _evaluate_every_ms: Option<u64>,
    pub(crate) window: WindowForm,
    pub(crate) min_calls: u32,
    pub(crate) slow_call_ms: Option<u64>,
    pub(crate) slow_cmp: Option<String>,
    pub(crate) cooldown: Option<CooldownForm>,
    pub(crate) cooldown_boundary: Option<String>,
    pub(crate) half_open: Option<HalfOpen>,
    pub(crate) half_open_overflow: Option<String>,
    pub(crate) ignored: Option<String>,
    pub(crate) stale: Option<String>,
    #[serde(default)]
    pub(crate) server_delay: bool,
    pub(crate) rate_limited: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(crate) breakers: Vec<String>,
    #[serde(rename = "shared_manual_control")]
    _shared_manual_control: Option<bool>,
    pub(crate) bulkhead: Option<usize>,
    #[serde(rename = "store")]
    _store: Option<BTreeMap<String, String>>,
    #[serde(rename = "background_probe")]
    _background_probe: Option<BTreeMap<String, u64>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Rule {
    ConsecutiveFailures { threshold: u32 },
    FailureRate { threshold: f64, cmp: String },
    SuccessRate { threshold: f64, cmp: String },
    SlowRate { threshold: f64, cmp: String },
    FailureRatioOfLast { failures: u32, capacity: u32 },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum WindowForm {
    None,
    Count {
        size: u32,
    },
    Time {
        size_ms: u64,
        buckets: u32,
        #[serde(rename = "align")]
        _align: String,
    },
    Tumbling {
        size_ms: u64,
        #[serde(rename = "start")]
        _start: Option<String>,
    },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum CooldownForm {
    Fixed {
        ms: u64,
        #[serde(default)]
        auto_half_open: bool,
    },
    Exponential {
        base_ms: u64,
        multiplier: f64,
        max_ms: u64,
        #[serde(default)]
        auto_half_open: bool,
    },
    RecordedAttempts {
        ms: u64,
    },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HalfOpen {
    pub(crate) permits: u32,
    pub(crate) permit_scope: String,
    pub(crate) decide: String,
    pub(crate) successes: Option<u32>,
    pub(crate) failures: Option<u32>,
    pub(crate) capacity: Option<u32>,
    pub(crate) calls: Option<u32>,
    pub(crate) max_failure_ratio: Option<f64>,
    pub(crate) executions: Option<u32>,
    pub(crate) threshold: Option<f64>,
    pub(crate) max_wait_ms: Option<u64>,
    #[serde(rename = "on_max_wait")]
    _on_max_wait: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) at_ms: u64,
    pub(crate) op: String,
    pub(crate) outcome: String,
    pub(crate) duration_ms: u64,
    pub(crate) server_delay_ms: Option<u64>,
    pub(crate) for_ms: Option<u64>,
    /// The name of a call that overlaps other calls.
    pub(crate) call: String,
    pub(crate) breaker: Option<String>,
    pub(crate) instance: Option<String>,
    pub(crate) ok: u32,
    pub(crate) fail: u32,
    /// Whether the call is neither admitted nor rejected, because its caller waits.
    pub(crate) expect_later: bool,
    expect: Value,
}

impl Step {
    /// Returns the expected values by field name, such as `state` or `metrics.failed`.
    pub(crate) fn expected(&self) -> BTreeMap<String, String> {
        let mut flat = BTreeMap::new();
        flatten("", &self.expect, &mut flat);
        if self.expect_later {
            flat.insert("admission".into(), "waits".into());
        }
        flat
    }
}

fn flatten(name: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (field, value) in fields {
                let dot = if name.is_empty() { "" } else { "." };
                flatten(&format!("{name}{dot}{field}"), value, into);
            }
        }
        value => {
            into.insert(name.into(), text(value));
        }
    }
}

/// Formats a value for comparison. Numbers have no trailing `.0`, and list elements are separated by spaces.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_f64().expect("a finite number").to_string(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}
