//! The structure of a settings file. Every key is optional.

use serde::{Deserialize, Serialize};

use super::forms::{Human, Seed, Switch};
use super::trip::RawTrip;
use super::types::ThrottledAction;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, expecting = "the settings of a circuit breaker")]
pub(super) struct RawSettings {
    /// Never written, because the written form is complete relative to the default.
    #[serde(skip_serializing)]
    pub(super) preset: Option<Preset>,
    pub(super) trip: Option<RawTrip>,
    pub(super) window: Option<RawWindow>,
    pub(super) cooldown: Option<RawCooldown>,
    #[serde(skip_serializing_if = "Switch::is_kept")]
    pub(super) stable_for: Switch<Human>,
    pub(super) probe: Option<RawProbe>,
    #[serde(skip_serializing_if = "Switch::is_kept")]
    pub(super) ramp: Switch<RawRamp>,
    pub(super) throttled: Option<RawThrottled>,
    pub(super) exhausted: Option<RawExhausted>,
    pub(super) min_hold: Option<Human>,
    pub(super) hold_jitter: Option<f64>,
    #[serde(skip_serializing_if = "Switch::is_kept")]
    pub(super) cancelled_after: Switch<Human>,
    pub(super) track_in_flight: Option<bool>,
    #[serde(skip_serializing_if = "Switch::is_kept")]
    pub(super) seed: Switch<Seed>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Preset {
    #[default]
    Default,
    Http,
    Grpc,
    HttpClient,
    GrpcClient,
    Llm,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, expecting = "{ period, buckets }, or { calls }")]
pub(super) struct RawWindow {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) period: Option<Human>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) buckets: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) calls: Option<u32>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(
    default,
    deny_unknown_fields,
    expecting = "{ initial, multiplier, max, jitter }, or { fixed }"
)]
pub(super) struct RawCooldown {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fixed: Option<Human>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) initial: Option<Human>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) multiplier: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max: Option<Human>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) jitter: Option<f64>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, expecting = "{ successes or sample, in_flight, lease }")]
pub(super) struct RawProbe {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) successes: Option<u32>,
    pub(super) in_flight: Option<u32>,
    pub(super) lease: Option<Human>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sample: Option<RawSample>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, expecting = "{ calls, rate }")]
pub(super) struct RawSample {
    pub(super) calls: u32,
    pub(super) rate: f64,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, expecting = "{ steps, step }, or off")]
pub(super) struct RawRamp {
    pub(super) steps: Vec<u8>,
    pub(super) step: Human,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, expecting = "{ action, max_hold, default_hold }")]
pub(super) struct RawThrottled {
    pub(super) action: Option<ThrottledAction>,
    pub(super) max_hold: Option<Human>,
    #[serde(skip_serializing_if = "Switch::is_kept")]
    pub(super) default_hold: Switch<Human>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, expecting = "{ hold, max_hold }")]
pub(super) struct RawExhausted {
    pub(super) hold: Option<Human>,
    pub(super) max_hold: Option<Human>,
}
