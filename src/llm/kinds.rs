//! The kinds of streams, and what their named events say.
//!
//! A kind is known by its events, whoever sends them: the same provider speaks several (OpenAI's chat and responses,
//! Gemini and Anthropic on Vertex AI), and most speak OpenAI's or Anthropic's beside their own.

use std::borrow::Cow;

use serde::Deserialize;

use super::loose::Name;
use crate::Outcome;

/// A kind of stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// OpenAI's chat and text completions, and those of everybody who is compatible. Ends with `[DONE]`.
    Chat,
    /// OpenAI's responses.
    Responses,
    /// OpenAI's assistants. Ends with `[DONE]`, in an event `done`.
    Assistants,
    /// OpenAI's transcriptions and speech.
    Audio,
    /// Anthropic's messages.
    Messages,
    /// Google's `streamGenerateContent`. Ends with the chunk that has a `finishReason`.
    Gemini,
    /// Google's interactions.
    Interactions,
    /// Mistral's conversations.
    Conversations,
    /// Bedrock's `ConverseStream`.
    Converse,
    /// Bedrock's `InvokeModelWithResponseStream`. Ends between two messages.
    Invoke,
    /// Cohere's chat, version 2.
    CohereV2,
    /// Cohere's chat and generate, version 1. Ends with `is_finished`.
    CohereV1,
    /// Ollama's own. Ends with `"done": true`.
    Ollama,
    /// The `generate_stream` of text-generation-inference. Ends with `generated_text`.
    Tgi,
}

/// How an unnamed event that ends a stream is told from the others without parsing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// It is not: every event is parsed.
    None,
    /// It has a `finishReason`.
    Reason,
    /// It has something that is `true`.
    True,
    /// `[DONE]` ends it, which is no JSON.
    Done,
}

impl Kind {
    pub(super) const fn sign(self) -> Sign {
        match self {
            Self::Chat | Self::Assistants => Sign::Done,
            Self::Gemini => Sign::Reason,
            Self::Ollama | Self::CohereV1 => Sign::True,
            _ => Sign::None,
        }
    }

    /// The end is part of an event with content, and unseen if that was too long to be kept.
    pub(super) const fn ends_in_content(self) -> bool {
        matches!(self, Self::Gemini | Self::Ollama | Self::CohereV1 | Self::Tgi)
    }

    /// An event says that the stream ended.
    pub(super) const fn has_marker(self) -> bool {
        !matches!(self, Self::Invoke)
    }
}

/// What a named event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// The call began or goes on.
    Nothing,
    Content,
    /// Content, if its block does not begin empty.
    Block,
    /// The end, and a success.
    End,
    /// The end. Its status says which.
    Status,
    /// The end, by an error that it may tell.
    Failed(&'static str),
    /// The end, because somebody wanted that.
    Cancelled,
}

use self::Kind::*;
use self::Says::*;

/// The events, by the name of the event, or by the `type` or `event_type` in its data. The first row that fits counts;
/// a name with `*` fits all that begin like it.
///
/// From the API references of the providers.
const EVENTS: &[(&str, Option<Kind>, Says)] = &[
    // Of no kind, or of several.
    ("ping", None, Nothing),
    ("keepalive", None, Nothing),
    ("keep-alive", None, Nothing),
    ("heartbeat", None, Nothing),
    ("vertex_event", None, Nothing),
    ("error", None, Failed("error event")),
    ("done", None, End),
    // Anthropic.
    ("content_block_delta", Some(Messages), Content),
    ("content_block_start", Some(Messages), Block),
    ("content_block_stop", Some(Messages), Nothing),
    ("message_start", Some(Messages), Nothing),
    ("message_delta", Some(Messages), Nothing),
    ("message_stop", Some(Messages), End),
    // OpenAI. A response that is incomplete stopped at a limit or at a filter.
    ("response.created", Some(Responses), Nothing),
    ("response.queued", Some(Responses), Nothing),
    ("response.in_progress", Some(Responses), Nothing),
    ("response.output_item.added", Some(Responses), Nothing),
    ("response.content_part.added", Some(Responses), Nothing),
    ("response.completed", Some(Responses), End),
    ("response.incomplete", Some(Responses), End),
    ("response.done", Some(Responses), Status),
    ("response.failed", Some(Responses), Failed("response failed")),
    ("response.cancelled", Some(Responses), Cancelled),
    ("response.*", Some(Responses), Content),
    ("thread.message.delta", Some(Assistants), Content),
    ("thread.run.step.delta", Some(Assistants), Content),
    ("thread.run.failed", Some(Assistants), Failed("run failed")),
    ("thread.run.expired", Some(Assistants), Failed("run expired")),
    ("thread.run.cancelled", Some(Assistants), Cancelled),
    ("thread.*", Some(Assistants), Nothing),
    ("transcript.text.done", Some(Audio), End),
    ("transcript.text.*", Some(Audio), Content),
    ("speech.audio.done", Some(Audio), End),
    ("speech.audio.*", Some(Audio), Content),
    // Google. The names changed from `content` to `step`, and from `complete` to `completed`.
    ("step.delta", Some(Interactions), Content),
    ("content.delta", Some(Interactions), Content),
    ("interaction.complete", Some(Interactions), Status),
    ("interaction.completed", Some(Interactions), Status),
    ("interaction.failed", Some(Interactions), Failed("interaction failed")),
    ("interaction.cancelled", Some(Interactions), Cancelled),
    ("interaction.*", Some(Interactions), Nothing),
    ("step.*", Some(Interactions), Nothing),
    ("content.*", Some(Interactions), Nothing),
    // Mistral.
    ("conversation.response.started", Some(Conversations), Nothing),
    ("conversation.response.done", Some(Conversations), End),
    ("conversation.response.error", Some(Conversations), Failed("error event")),
    // Bedrock.
    ("contentBlockDelta", Some(Converse), Content),
    ("contentBlockStart", Some(Converse), Nothing),
    ("contentBlockStop", Some(Converse), Nothing),
    ("messageStart", Some(Converse), Nothing),
    ("messageStop", Some(Converse), End),
    ("metadata", None, Nothing),
    ("initial-response", None, Nothing),
    // Cohere, version 2 and 1.
    ("content-delta", Some(CohereV2), Content),
    ("content-start", Some(CohereV2), Nothing),
    ("content-end", Some(CohereV2), Nothing),
    ("message-start", Some(CohereV2), Nothing),
    ("message-end", Some(CohereV2), Status),
    ("text-generation", Some(CohereV1), Content),
    ("tool-calls-chunk", Some(CohereV1), Content),
    ("tool-calls-generation", Some(CohereV1), Content),
    ("stream-start", Some(CohereV1), Nothing),
    ("stream-end", Some(CohereV1), Status),
];

/// What an event of that name says, and of which kind the stream is that has it.
pub(super) fn event_named(name: &[u8]) -> Option<(Option<Kind>, Says)> {
    let fits = |row: &str| match row.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning.as_bytes()),
        None => name == row.as_bytes(),
    };
    EVENTS.iter().find(|(row, ..)| fits(row)).map(|(_, kind, says)| (*kind, *says))
}

/// Where an event that ends a stream says how it ended.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ending<'a> {
    #[serde(borrow)]
    finish_reason: Name<'a>,
    #[serde(borrow)]
    delta: Part<'a>,
    #[serde(borrow)]
    response: Part<'a>,
    #[serde(borrow)]
    interaction: Part<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Part<'a> {
    #[serde(borrow)]
    finish_reason: Name<'a>,
    #[serde(borrow)]
    status: Name<'a>,
}

/// How a stream ended that says so with [`Says::Status`]. What cannot be read ended well.
pub(super) fn by_status(data: &[u8]) -> Outcome {
    let ending: Ending<'_> = serde_json::from_slice(data).unwrap_or_default();
    let Ending { finish_reason, delta, response, interaction } = ending;
    for Name(name) in [finish_reason, delta.finish_reason, response.status, interaction.status] {
        match name.unwrap_or(Cow::Borrowed("")).as_ref() {
            "failed" | "ERROR" => return Outcome::failure().reason("ended with an error"),
            "TIMEOUT" => return Outcome::failure().reason("ended with a timeout"),
            "cancelled" | "USER_CANCEL" => return Outcome::ignored(),
            _ => {}
        }
    }
    Outcome::success()
}
