//! The structure of a settings file. Every key is optional.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::forms::{Human, Seed, Switch};
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
#[serde(default, deny_unknown_fields, expecting = "trip rules")]
pub(super) struct RawTrip {
    #[serde(skip_serializing_if = "Switch::is_kept")]
    pub(super) consecutive: Switch<RawConsecutive>,
    #[serde(skip_serializing_if = "Switch::is_kept")]
    pub(super) overdue: Switch<RawOverdue>,
    #[serde(skip_serializing_if = "Switch::is_kept")]
    pub(super) failure_rate: Switch<RawFailureRate>,
    #[serde(skip_serializing_if = "Switch::is_kept")]
    pub(super) failures: Switch<u32>,
    #[serde(skip_serializing_if = "Switch::is_kept")]
    pub(super) slow: Switch<RawSlow>,
}

/// `5`, or `{ failures: 5, over: 500ms }`.
#[derive(Debug, Default)]
pub(super) struct RawConsecutive {
    pub(super) failures: Option<u32>,
    pub(super) over: Option<Human>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ConsecutiveMap {
    #[serde(default)]
    failures: Option<u32>,
    #[serde(default)]
    over: Option<Human>,
}

impl Serialize for RawConsecutive {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.failures, self.over) {
            (Some(failures), None) => serializer.serialize_u32(failures),
            (failures, over) => ConsecutiveMap { failures, over }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for RawConsecutive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ConsecutiveVisitor)
    }
}

struct ConsecutiveVisitor;

impl<'de> Visitor<'de> for ConsecutiveVisitor {
    type Value = RawConsecutive;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of failures, { failures, over }, or off")
    }

    fn visit_u64<E: Error>(self, failures: u64) -> Result<RawConsecutive, E> {
        let failures = u32::deserialize(failures.into_deserializer())?;
        Ok(RawConsecutive { failures: Some(failures), over: None })
    }

    fn visit_i64<E: Error>(self, failures: i64) -> Result<RawConsecutive, E> {
        let failures = u32::deserialize(failures.into_deserializer())?;
        Ok(RawConsecutive { failures: Some(failures), over: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawConsecutive, A::Error> {
        let map = ConsecutiveMap::deserialize(MapAccessDeserializer::new(map))?;
        Ok(RawConsecutive { failures: map.failures, over: map.over })
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, expecting = "{ calls, after }, or off")]
pub(super) struct RawOverdue {
    pub(super) calls: u32,
    pub(super) after: Human,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, expecting = "{ rate, min_calls }, or off")]
pub(super) struct RawFailureRate {
    pub(super) rate: Option<f64>,
    pub(super) min_calls: Option<u32>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, expecting = "{ after, rate, min_calls }, or off")]
pub(super) struct RawSlow {
    pub(super) after: Human,
    pub(super) rate: f64,
    pub(super) min_calls: u32,
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
