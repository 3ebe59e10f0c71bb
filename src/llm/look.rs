//! What the JSON of an event without a known name says, read with as little as possible.
//!
//! What is of another type than expected says nothing, and so does what is nested too deeply for the parser (128 levels).

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::kinds::Kind;
use super::loose::{Is, Name, scalars, skip_object};

/// What an event without a known name says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sight<'a> {
    /// Its name, if the data has one: `type` or `event_type`.
    pub(super) name: Name<'a>,
    /// Of what kind the stream is that has it; `None` if no kind is like it.
    pub(super) kind: Option<Kind>,
    /// It has output. Only of interest where there is a kind.
    pub(super) content: bool,
    /// It ends the stream.
    pub(super) end: bool,
}

/// Looks at the data of an event. What cannot be read has no name and no kind.
pub(super) fn look(data: &[u8]) -> Sight<'_> {
    let Ok(event) = serde_json::from_slice::<Event<'_>>(data) else { return Sight::default() };
    let (kind, content, end) = if event.choices.there {
        (Some(Kind::Chat), event.choices.content, false)
    } else if event.candidates.there || event.usage_metadata.there() || event.feedback.is_some() {
        let blocked = event.feedback.is_some_and(|feedback| feedback.block_reason.full());
        (Some(Kind::Gemini), event.candidates.content, event.candidates.end || blocked)
    } else if event.generated_text.there() {
        let end = !matches!(event.generated_text, Is::Null);
        (Some(Kind::Tgi), event.token.full() || event.generated_text.full(), end)
    } else if event.is_finished.there() {
        (Some(Kind::CohereV1), event.text.full(), event.is_finished.full())
    } else if event.done.there() {
        let content = event.message.full() || event.response.full() || event.thinking.full();
        (Some(Kind::Ollama), content, event.done.full())
    } else {
        (None, true, false)
    };
    let name = if event.kind.0.is_some() { event.kind } else { event.event_type };
    Sight { name, kind, content, end }
}

/// The name at the very beginning of the data, which is where most servers write it, without parsing the rest.
pub(super) fn first_name(data: &[u8]) -> Option<&[u8]> {
    let rest = data.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"type\"").or_else(|| rest.strip_prefix(b"\"event_type\""))?;
    let rest =
        rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    rest.split(|&byte| byte == b'"').next()
}

/// Whether a block of Anthropic's begins with content. A text and a thought begin empty; the call of a tool and the result
/// of a search do not.
pub(super) fn block_has_content(data: &[u8]) -> bool {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Start {
        content_block: Is,
    }

    serde_json::from_slice::<Start>(data).map_or(true, |start| start.content_block.full())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Event<'a> {
    #[serde(borrow, rename = "type")]
    kind: Name<'a>,
    #[serde(borrow)]
    event_type: Name<'a>,
    choices: Items,
    candidates: Items,
    #[serde(rename = "promptFeedback")]
    feedback: Option<Feedback>,
    #[serde(rename = "usageMetadata")]
    usage_metadata: Is,
    token: Is,
    generated_text: Is,
    is_finished: Is,
    text: Is,
    done: Is,
    message: Is,
    response: Is,
    thinking: Is,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Feedback {
    #[serde(rename = "blockReason")]
    block_reason: Is,
}

/// One of the choices of OpenAI, or of the candidates of Google.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    delta: Is,
    text: Is,
    message: Is,
    content: Is,
    #[serde(rename = "finishReason")]
    finish_reason: Is,
}

/// What all the choices or candidates say together.
#[derive(Default)]
struct Items {
    there: bool,
    content: bool,
    end: bool,
}

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Look;

        impl<'de> Visitor<'de> for Look {
            type Value = Items;

            scalars!(Items::default());

            fn visit_str<E>(self, _: &str) -> Result<Items, E> {
                Ok(Items::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Items, A::Error> {
                let mut items = Items { there: true, ..Items::default() };
                while let Some(item) = list.next_element::<Item>()? {
                    let Item { delta, text, message, content, finish_reason } = item;
                    items.content |= [delta, text, message, content].into_iter().any(Is::full);
                    items.end |= finish_reason.full();
                }
                Ok(items)
            }

            fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Items, A::Error> {
                skip_object(object).map(|()| Items::default())
            }
        }

        deserializer.deserialize_any(Look)
    }
}

#[cfg(test)]
mod tests;
