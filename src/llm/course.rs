//! What the events of a stream mean, one after the other.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};
use serde::de::IgnoredAny;

use super::Provider;
use super::error_body::OUT_OF_RESOURCES;
use super::framing::Event;
use super::framing::event_stream::Message;
use super::kinds::{Kind, Says, Sign, by_status, event_named};
use super::look::{block_has_content, first_name, look};
use super::signals::{classify_error_event, classify_event, classify_exception};
use crate::Outcome;
use crate::classify::BodyProgress;

/// What ends the streams of OpenAI and of everybody who is compatible.
const DONE: &[u8] = b"[DONE]";

/// What no error is without.
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"error\""));

/// The course of one stream.
///
/// It ends well with the marker of its kind. Without one it ended early, also if nothing but pings came. No marker is
/// asked of [`Provider::Generic`], nor of a stream with content whose kind is unknown or has none.
#[derive(Debug)]
pub(super) struct Course {
    provider: Provider,
    kind: Option<Kind>,
    content: bool,
    /// The marker was there, and more may follow.
    complete: bool,
    /// The end of an event was not kept, and may have been the marker.
    missed: bool,
}

impl Course {
    pub(super) const fn new(provider: Provider) -> Self {
        Self { provider, kind: None, content: false, complete: false, missed: false }
    }

    /// An event of a stream of lines.
    pub(super) fn event(&mut self, event: &Event<'_>) -> BodyProgress {
        let Event { name, data, truncated, .. } = *event;
        if data.trim_ascii() == DONE {
            return BodyProgress::Settled(Outcome::success());
        }
        let seen = match event_named(name) {
            Some((kind, says)) => self.named(kind, says, data, truncated),
            None => self.unnamed(data, truncated),
        };
        self.content |= seen == BodyProgress::Content;
        seen
    }

    /// A message of an AWS event stream.
    pub(super) fn message(&mut self, message: &Message<'_>) -> BodyProgress {
        let text = |name| message.header(name).map(String::from_utf8_lossy).unwrap_or_default();
        let event = message.header(":event-type").unwrap_or_default();
        let seen = match message.header(":message-type") {
            Some(b"exception") => {
                let name = text(":exception-type");
                BodyProgress::Settled(classify_exception(self.provider, &name, message.payload))
            }
            Some(b"error") => {
                let why = message.header(":error-message").unwrap_or_default();
                BodyProgress::Settled(classify_exception(self.provider, &text(":error-code"), why))
            }
            _ if event == b"chunk" => self.chunk(message.payload),
            _ => match event_named(event) {
                Some((kind, says)) => self.named(kind, says, message.payload, message.truncated),
                None => BodyProgress::Content,
            },
        };
        self.content |= seen == BodyProgress::Content;
        seen
    }

    /// A part of the model's own stream, in base64.
    ///
    /// The models of Anthropic begin with a `message_start` and may ping; both are known by how they begin.
    fn chunk(&mut self, payload: &[u8]) -> BodyProgress {
        self.kind.get_or_insert(Kind::Invoke);
        // `{"type":"message_start"` and `{"type":"ping"`, as far as they alone decide the base64.
        let begun = has(payload, b"\"eyJ0eXBlIjoibWVzc2FnZV9zdGFydC");
        match !self.content && (begun || has(payload, b"\"eyJ0eXBlIjoicGluZy")) {
            true => BodyProgress::Pending,
            false => BodyProgress::Content,
        }
    }

    fn named(
        &mut self,
        kind: Option<Kind>,
        says: Says,
        data: &[u8],
        truncated: bool,
    ) -> BodyProgress {
        self.kind = self.kind.or(kind);
        match says {
            Says::Nothing => BodyProgress::Pending,
            Says::Content => BodyProgress::Content,
            Says::Block => match self.content || block_has_content(data) {
                true => BodyProgress::Content,
                false => BodyProgress::Pending,
            },
            Says::End => BodyProgress::Settled(Outcome::success()),
            Says::Status => BodyProgress::Settled(
                self.error(data, truncated).unwrap_or_else(|| by_status(data)),
            ),
            Says::Failed(reason) => {
                let failed = || match truncated {
                    true => None,
                    false => classify_error_event(self.provider, data),
                };
                let outcome = self.error(data, truncated).or_else(failed);
                BodyProgress::Settled(outcome.unwrap_or(Outcome::failure().reason(reason)))
            }
            Says::Cancelled => BodyProgress::Settled(Outcome::ignored()),
        }
    }

    fn unnamed(&mut self, data: &[u8], truncated: bool) -> BodyProgress {
        let data = data.trim_ascii();
        if matches!(data, b"" | b"{}") {
            return BodyProgress::Pending;
        }
        if truncated {
            if let Some((kind, says)) = first_name(data).and_then(event_named) {
                return self.named(kind, says, data, true);
            }
            self.missed = true;
            return BodyProgress::Content;
        }
        if (ERROR.find(data).is_some() || self.is_out_of_resources(data))
            && let Some(outcome) = self.error(data, false)
        {
            return BodyProgress::Settled(outcome);
        }
        if self.content && !self.may_end(data) {
            return BodyProgress::Content;
        }
        if let Some((kind, says)) = first_name(data).and_then(event_named) {
            return self.named(kind, says, data, false);
        }
        let sight = look(data);
        let name = sight.name.0.as_deref().unwrap_or_default();
        if let Some((kind, says)) = event_named(name.as_bytes()) {
            return self.named(kind, says, data, false);
        }
        let Some(kind) = sight.kind else { return BodyProgress::Content };
        let kind = *self.kind.get_or_insert(kind);
        match (sight.content, sight.end) {
            // Candidates end one by one, and some models of Google name a reason in every chunk.
            (true, true) if kind == Kind::Gemini => {
                self.complete = true;
                BodyProgress::Content
            }
            (_, true) => BodyProgress::Settled(by_status(data)),
            (true, false) => BodyProgress::Content,
            (false, false) => BodyProgress::Pending,
        }
    }

    /// Whether an event has DeepSeek's reason to finish that is none.
    fn is_out_of_resources(&self, data: &[u8]) -> bool {
        self.provider == Provider::DeepSeek && has(data, OUT_OF_RESOURCES)
    }

    /// Whether an unnamed event may be the marker.
    fn may_end(&self, data: &[u8]) -> bool {
        match self.kind.map_or(Sign::None, Kind::sign) {
            Sign::None => true,
            Sign::Reason => has(data, b"\"finishReason\""),
            Sign::True => has(data, b"true"),
            Sign::Done => false,
        }
    }

    fn error(&self, data: &[u8], truncated: bool) -> Option<Outcome> {
        if truncated { None } else { classify_event(self.provider, data) }
    }

    /// The last event of a stream, and its end.
    ///
    /// An event whose last line has no end may not be whole; if it is JSON, that tells.
    pub(super) fn end_in(&mut self, event: &Event<'_>) -> Outcome {
        let data = event.data.trim_ascii();
        let json = matches!(data.first(), Some(b'{' | b'[')) && data != DONE;
        if event.cut && json && !event.truncated && !is_whole(data) {
            return self.broken_off();
        }
        match self.event(event) {
            BodyProgress::Settled(outcome) => outcome,
            BodyProgress::Pending | BodyProgress::Content => self.end(),
        }
    }

    /// The stream ended inside of an event.
    pub(super) fn broken_off(&self) -> Outcome {
        Outcome::failure().reason("stream ended early")
    }

    /// The stream ended between two events.
    pub(super) fn end(&self) -> Outcome {
        let excused = match self.kind {
            _ if self.provider == Provider::Generic => true,
            Some(kind) if kind.has_marker() => kind.ends_in_content() && self.missed,
            _ => self.content,
        };
        match self.complete || excused {
            true => Outcome::success(),
            false => self.broken_off(),
        }
    }
}

fn is_whole(json: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(json).is_ok()
}

/// Whether the bytes are in there somewhere.
fn has(data: &[u8], bytes: &[u8]) -> bool {
    memmem::find(data, bytes).is_some()
}

#[cfg(test)]
mod tests;
