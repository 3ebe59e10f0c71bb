//! The trip rules in settings: their ranges and their form in a file.

use std::time::Duration;

use super::checks::{Checked, bounded, not_zero, positive, rate};
use super::error::ConfigError;
use crate::trip::Trip;

#[cfg(feature = "serde")]
pub(super) use self::file::RawTrip;

/// The shortest overdue time. It is divided into tenths of at least 1 ms each.
const MIN_OVERDUE: Duration = Duration::from_millis(10);

/// Checks the numbers of every rule.
pub(super) fn check(trip: &Trip) -> Checked {
    if let Some(rule) = trip.consecutive {
        not_zero("trip.consecutive", rule.failures)?;
        bounded("trip.consecutive.over", rule.over)?;
    }
    if let Some(rule) = trip.overdue {
        not_zero("trip.overdue.calls", rule.calls)?;
        let setting = "trip.overdue.after";
        if rule.after < MIN_OVERDUE {
            return Err(ConfigError::TooShort { setting, value: rule.after, min: MIN_OVERDUE });
        }
        bounded(setting, rule.after)?;
    }
    if let Some(rule) = trip.failure_rate {
        rate("trip.failure_rate.rate", rule.rate)?;
        not_zero("trip.failure_rate.min_calls", rule.min_calls)?;
    }
    if let Some(failures) = trip.failures {
        not_zero("trip.failures", failures)?;
    }
    if let Some(rule) = trip.slow {
        positive("trip.slow.after", rule.after)?;
        rate("trip.slow.rate", rule.rate)?;
        not_zero("trip.slow.min_calls", rule.min_calls)?;
    }
    Ok(())
}

#[cfg(feature = "serde")]
mod file {
    use std::fmt;

    use serde::de::value::MapAccessDeserializer;
    use serde::de::{Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
    use serde::{Deserialize, Serialize, Serializer};

    use crate::settings::forms::{Human, Switch};
    use crate::trip::Trip;

    #[derive(Debug, Default, Deserialize, Serialize)]
    #[serde(default, deny_unknown_fields, expecting = "trip rules")]
    pub(in crate::settings) struct RawTrip {
        #[serde(skip_serializing_if = "Switch::is_kept")]
        pub(in crate::settings) consecutive: Switch<RawConsecutive>,
        #[serde(skip_serializing_if = "Switch::is_kept")]
        pub(in crate::settings) overdue: Switch<RawOverdue>,
        #[serde(skip_serializing_if = "Switch::is_kept")]
        pub(in crate::settings) failure_rate: Switch<RawFailureRate>,
        #[serde(skip_serializing_if = "Switch::is_kept")]
        pub(in crate::settings) failures: Switch<u32>,
        #[serde(skip_serializing_if = "Switch::is_kept")]
        pub(in crate::settings) slow: Switch<RawSlow>,
    }

    /// `5`, or `{ failures: 5, over: 500ms }`.
    #[derive(Debug, Default)]
    pub(in crate::settings) struct RawConsecutive {
        pub(in crate::settings) failures: Option<u32>,
        pub(in crate::settings) over: Option<Human>,
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
    pub(in crate::settings) struct RawOverdue {
        pub(in crate::settings) calls: u32,
        pub(in crate::settings) after: Human,
    }

    #[derive(Debug, Default, Deserialize, Serialize)]
    #[serde(default, deny_unknown_fields, expecting = "{ rate, min_calls }, or off")]
    pub(in crate::settings) struct RawFailureRate {
        pub(in crate::settings) rate: Option<f64>,
        pub(in crate::settings) min_calls: Option<u32>,
    }

    #[derive(Debug, Deserialize, Serialize)]
    #[serde(deny_unknown_fields, expecting = "{ after, rate, min_calls }, or off")]
    pub(in crate::settings) struct RawSlow {
        pub(in crate::settings) after: Human,
        pub(in crate::settings) rate: f64,
        pub(in crate::settings) min_calls: u32,
    }

    impl RawTrip {
        pub(in crate::settings) fn over(self, base: Trip) -> Trip {
            let mut trip = base;
            match self.consecutive {
                Switch::Keep => {}
                Switch::Off => trip = trip.no_consecutive(),
                Switch::On(rule) => {
                    // A bare number keeps the preset's `over`, as the setter does.
                    let failures = rule.failures.or(base.consecutive.map(|rule| rule.failures));
                    trip = trip.consecutive(failures.unwrap_or_default());
                    if let Some(over) = rule.over {
                        trip = trip.consecutive_over(over.0);
                    }
                }
            }
            match self.overdue {
                Switch::Keep => {}
                Switch::Off => trip = trip.no_overdue(),
                Switch::On(rule) => trip = trip.overdue(rule.calls, rule.after.0),
            }
            match self.failure_rate {
                Switch::Keep => {}
                Switch::Off => trip = trip.no_failure_rate(),
                Switch::On(rule) => {
                    let rate = rule.rate.or(base.failure_rate.map(|rule| rule.rate));
                    let min_calls = rule.min_calls.or(base.failure_rate.map(|rule| rule.min_calls));
                    trip =
                        trip.failure_rate(rate.unwrap_or_default(), min_calls.unwrap_or_default());
                }
            }
            match self.failures {
                Switch::Keep => {}
                Switch::Off => trip = trip.no_failures(),
                Switch::On(failures) => trip = trip.failures(failures),
            }
            match self.slow {
                Switch::Keep => trip,
                Switch::Off => trip.no_slow(),
                Switch::On(rule) => trip.slow(rule.after.0, rule.rate, rule.min_calls),
            }
        }
    }

    impl From<&Trip> for RawTrip {
        fn from(trip: &Trip) -> Self {
            Self {
                consecutive: Switch::default_rule(trip.consecutive.map(|rule| RawConsecutive {
                    failures: Some(rule.failures),
                    over: (!rule.over.is_zero()).then_some(Human(rule.over)),
                })),
                overdue: Switch::rule(
                    trip.overdue
                        .map(|rule| RawOverdue { calls: rule.calls, after: Human(rule.after) }),
                ),
                failure_rate: Switch::default_rule(trip.failure_rate.map(|rule| RawFailureRate {
                    rate: Some(rule.rate),
                    min_calls: Some(rule.min_calls),
                })),
                failures: Switch::rule(trip.failures),
                slow: Switch::rule(trip.slow.map(|rule| RawSlow {
                    after: Human(rule.after),
                    rate: rule.rate,
                    min_calls: rule.min_calls,
                })),
            }
        }
    }
}
