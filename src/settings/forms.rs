//! The forms of values in a settings file.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A duration: `30s`, `1m 30s`, or a number of seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Human(pub(super) Duration);

impl Serialize for Human {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(self.0))
    }
}

impl<'de> Deserialize<'de> for Human {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HumanVisitor).map(Human)
    }
}

struct HumanVisitor;

impl Visitor<'_> for HumanVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as 500ms, 30s, 5m, or a number of seconds")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        humantime::parse_duration(text)
            .map_err(|_| Error::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Duration, E> {
        Ok(Duration::from_secs(seconds))
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Duration, E> {
        u64::try_from(seconds)
            .map(Duration::from_secs)
            .map_err(|_| Error::invalid_value(Unexpected::Signed(seconds), &self))
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Duration, E> {
        Duration::try_from_secs_f64(seconds)
            .map_err(|_| Error::invalid_value(Unexpected::Float(seconds), &self))
    }
}

/// A setting that can be set, switched off, or left at the value of the preset.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Switch<T> {
    /// The key is absent.
    #[default]
    Keep,
    /// `off`, `false` or null.
    Off,
    On(T),
}

impl<T> Switch<T> {
    /// Converts a rule that is off by default. It is not written if it is off.
    pub(super) fn rule(value: Option<T>) -> Self {
        value.map_or(Self::Keep, Self::On)
    }

    /// Converts a rule that is on by default. It is written as `off` if it is off.
    pub(super) fn default_rule(value: Option<T>) -> Self {
        value.map_or(Self::Off, Self::On)
    }

    pub(super) fn is_kept(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// Returns the resulting value if the preset has `base`.
    pub(super) fn or<U>(self, base: Option<U>, map: impl FnOnce(T) -> U) -> Option<U> {
        match self {
            Self::Keep => base,
            Self::Off => None,
            Self::On(value) => Some(map(value)),
        }
    }
}

impl<T: Serialize> Serialize for Switch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // Unreachable from `RawSettings`, which skips such fields.
            Self::Keep => serializer.serialize_none(),
            Self::Off => serializer.serialize_str("off"),
            Self::On(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Switch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SwitchVisitor(PhantomData))
    }
}

struct SwitchVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for SwitchVisitor<T> {
    type Value = Switch<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a setting, or off")
    }

    fn visit_unit<E: Error>(self) -> Result<Switch<T>, E> {
        Ok(Switch::Off)
    }

    fn visit_none<E: Error>(self) -> Result<Switch<T>, E> {
        Ok(Switch::Off)
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<Switch<T>, D::Error> {
        value.deserialize_any(self)
    }

    fn visit_bool<E: Error>(self, on: bool) -> Result<Switch<T>, E> {
        if on { Err(E::invalid_type(Unexpected::Bool(on), &self)) } else { Ok(Switch::Off) }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Switch<T>, E> {
        if text.eq_ignore_ascii_case("off") {
            return Ok(Switch::Off);
        }
        T::deserialize(text.into_deserializer()).map(Switch::On)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Switch<T>, E> {
        T::deserialize(value.into_deserializer()).map(Switch::On)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Switch<T>, E> {
        T::deserialize(value.into_deserializer()).map(Switch::On)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Switch<T>, E> {
        T::deserialize(value.into_deserializer()).map(Switch::On)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Switch<T>, A::Error> {
        T::deserialize(SeqAccessDeserializer::new(seq)).map(Switch::On)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Switch<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Switch::On)
    }
}

/// A seed: an integer, or its digits in a string, because TOML integers end at 2^63.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seed(pub(super) u64);

impl Serialize for Seed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(self.0) {
            Ok(seed) => serializer.serialize_i64(seed),
            Err(_) => serializer.collect_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Seed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SeedVisitor).map(Seed)
    }
}

struct SeedVisitor;

impl Visitor<'_> for SeedVisitor {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer from 0 to 18446744073709551615")
    }

    fn visit_u64<E: Error>(self, seed: u64) -> Result<u64, E> {
        Ok(seed)
    }

    fn visit_i64<E: Error>(self, seed: i64) -> Result<u64, E> {
        u64::try_from(seed).map_err(|_| E::invalid_value(Unexpected::Signed(seed), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}
