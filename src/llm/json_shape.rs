//! The shape of JSON whose parts may have any type, read with as little parsing as possible.
//!
//! A part that has another type than expected counts as empty. JSON that is nested too deeply for the parser (128 levels)
//! is unreadable.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The presence of a value in a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Presence {
    #[default]
    Absent,
    Null,
    /// `false`, an empty string, or a list or object with only such values. In an object, `role` and `type` do not count.
    Empty,
    Full,
}

impl Presence {
    pub(super) const fn is_present(self) -> bool {
        !matches!(self, Self::Absent)
    }

    pub(super) const fn is_full(self) -> bool {
        matches!(self, Self::Full)
    }

    const fn full_if(full: bool) -> Self {
        if full { Self::Full } else { Self::Empty }
    }
}

/// A string, or `None` for a value of another type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text<'a>(pub(super) Option<Cow<'a, str>>);

/// The elements of a list of choices (OpenAI) or candidates (Google), taken together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Choices {
    /// Whether the field is a list.
    pub(super) is_list: bool,
    /// Whether some element has output.
    pub(super) content: bool,
    /// Whether some element has a `finishReason`.
    pub(super) end: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Choice {
    delta: Presence,
    text: Presence,
    message: Presence,
    content: Presence,
    #[serde(rename = "finishReason")]
    finish_reason: Presence,
}

/// Returns the name of an event: its `type` or `event_type`.
pub(super) fn event_name(data: &[u8]) -> Option<Cow<'_, str>> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Named<'a> {
        #[serde(borrow, rename = "type")]
        kind: Text<'a>,
        #[serde(borrow)]
        event_type: Text<'a>,
    }

    let Named { kind, event_type } = serde_json::from_slice(data).ok()?;
    kind.0.or(event_type.0)
}

/// Returns the name at the beginning of the data, where most servers write it, without parsing the rest.
pub(super) fn leading_event_name(data: &[u8]) -> Option<&[u8]> {
    let rest = data.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"type\"").or_else(|| rest.strip_prefix(b"\"event_type\""))?;
    let rest =
        rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    rest.split(|&byte| byte == b'"').next()
}

/// The methods of a visitor that treats all scalars except strings alike.
macro_rules! scalars {
    ($same:expr) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("anything")
        }

        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($same)
        }

        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($same)
        }

        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok($same)
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($same)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($same)
        }
    };
}

fn skip_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<(), A::Error> {
    while list.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn skip_object<'de, A: MapAccess<'de>>(mut object: A) -> Result<(), A::Error> {
    while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PresenceVisitor;

        impl<'de> Visitor<'de> for PresenceVisitor {
            type Value = Presence;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Presence, E> {
                Ok(Presence::full_if(value))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Presence, E> {
                Ok(Presence::Full)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Presence, E> {
                Ok(Presence::Full)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Presence, E> {
                Ok(Presence::Full)
            }

            fn visit_unit<E>(self) -> Result<Presence, E> {
                Ok(Presence::Null)
            }

            fn visit_str<E>(self, text: &str) -> Result<Presence, E> {
                Ok(Presence::full_if(!text.is_empty()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Presence, A::Error> {
                let mut full = false;
                while let Some(element) = list.next_element::<Presence>()? {
                    full |= element.is_full();
                }
                Ok(Presence::full_if(full))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Presence, A::Error> {
                let mut full = false;
                while let Some((Text(key), value)) = object.next_entry::<Text<'_>, Presence>()? {
                    full |= value.is_full() && !matches!(key.as_deref(), Some("role" | "type"));
                }
                Ok(Presence::full_if(full))
            }
        }

        deserializer.deserialize_any(PresenceVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            scalars!(Text(None));

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Borrowed(text))))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Owned(text.to_owned()))))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Text<'de>, A::Error> {
                skip_list(list).map(|()| Text(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Text<'de>, A::Error> {
                skip_object(object).map(|()| Text(None))
            }
        }

        deserializer.deserialize_any(TextVisitor)
    }
}

impl<'de> Deserialize<'de> for Choices {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ChoicesVisitor;

        impl<'de> Visitor<'de> for ChoicesVisitor {
            type Value = Choices;

            scalars!(Choices::default());

            fn visit_str<E>(self, _: &str) -> Result<Choices, E> {
                Ok(Choices::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Choices, A::Error> {
                let mut choices = Choices { is_list: true, ..Choices::default() };
                while let Some(choice) = list.next_element::<Choice>()? {
                    let Choice { delta, text, message, content, finish_reason } = choice;
                    choices.content |=
                        [delta, text, message, content].into_iter().any(Presence::is_full);
                    choices.end |= finish_reason.is_full();
                }
                Ok(choices)
            }

            fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Choices, A::Error> {
                skip_object(object).map(|()| Choices::default())
            }
        }

        deserializer.deserialize_any(ChoicesVisitor)
    }
}

#[cfg(test)]
mod tests;
