//! Parts of JSON that may be of any type.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What is at a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Is {
    #[default]
    Absent,
    Null,
    /// `false`, an empty text, and a list or an object with nothing but such beside a role and a type.
    Empty,
    Full,
}

impl Is {
    pub(super) const fn there(self) -> bool {
        !matches!(self, Self::Absent)
    }

    pub(super) const fn full(self) -> bool {
        matches!(self, Self::Full)
    }

    const fn full_if(full: bool) -> Self {
        if full { Self::Full } else { Self::Empty }
    }
}

/// A text, or none if something else is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Name<'a>(pub(super) Option<Cow<'a, str>>);

/// The methods of a visitor for which all that is no text, list or object is the same.
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

pub(super) use scalars;

fn skip_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<(), A::Error> {
    while list.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

pub(super) fn skip_object<'de, A: MapAccess<'de>>(mut object: A) -> Result<(), A::Error> {
    while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

impl<'de> Deserialize<'de> for Is {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Look;

        impl<'de> Visitor<'de> for Look {
            type Value = Is;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Is, E> {
                Ok(Is::full_if(value))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Is, E> {
                Ok(Is::Full)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Is, E> {
                Ok(Is::Full)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Is, E> {
                Ok(Is::Full)
            }

            fn visit_unit<E>(self) -> Result<Is, E> {
                Ok(Is::Null)
            }

            fn visit_str<E>(self, text: &str) -> Result<Is, E> {
                Ok(Is::full_if(!text.is_empty()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Is, A::Error> {
                let mut full = false;
                while let Some(is) = list.next_element::<Is>()? {
                    full |= is.full();
                }
                Ok(Is::full_if(full))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Is, A::Error> {
                let mut full = false;
                while let Some((Name(key), is)) = object.next_entry::<Name<'_>, Is>()? {
                    full |= is.full() && !matches!(key.as_deref(), Some("role" | "type"));
                }
                Ok(Is::full_if(full))
            }
        }

        deserializer.deserialize_any(Look)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Look;

        impl<'de> Visitor<'de> for Look {
            type Value = Name<'de>;

            scalars!(Name(None));

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Some(Cow::Borrowed(text))))
            }

            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Some(Cow::Owned(text.to_owned()))))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Name<'de>, A::Error> {
                skip_list(list).map(|()| Name(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Name<'de>, A::Error> {
                skip_object(object).map(|()| Name(None))
            }
        }

        deserializer.deserialize_any(Look)
    }
}
