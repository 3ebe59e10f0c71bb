//! Classifies the events of one stream in sequence.

use memchr::memmem;
use serde::de::IgnoredAny;

use super::framing::Event;
use super::framing::event_stream::Message;
use super::json_shape::{event_name, leading_event_name};
use super::providers::bedrock::{CHUNK, INVOKE, chunk_has_content};
use super::providers::{Provider, event_named, unnamed_event};
use super::screen::ending;
use super::signals::{classify_error_event, classify_event, classify_exception};
use super::stream_format::{EndMarker, EventKind, StreamFormat};
use crate::Outcome;
use crate::classify::BodyProgress;

/// The text that ends the streams of OpenAI and of compatible servers.
const DONE: &[u8] = b"[DONE]";

/// The state of one stream.
///
/// A stream ends successfully with the end marker of its format. Without the marker it ended early, even if it had only
/// pings. No marker is needed if the provider is [`Provider::Generic`], or if the stream has content and its format is
/// unknown or has no marker.
#[derive(Debug)]
pub(super) struct StreamState {
    provider: Provider,
    format: Option<&'static StreamFormat>,
    content: bool,
    /// Whether the end marker has come and more events may follow.
    complete: bool,
    /// Whether the end of an event was not kept. It may have been the end marker.
    truncated: bool,
}

impl StreamState {
    pub(super) const fn new(provider: Provider) -> Self {
        Self { provider, format: None, content: false, complete: false, truncated: false }
    }

    /// Classifies an event of a stream of lines.
    pub(super) fn event(&mut self, event: &Event<'_>) -> BodyProgress {
        let Event { name, data, truncated, .. } = *event;
        if data.trim_ascii() == DONE {
            return BodyProgress::Settled(Outcome::success());
        }
        let progress = match event_named(name) {
            Some((format, kind)) => self.named(format, kind, data, truncated),
            None => self.unnamed(data, truncated),
        };
        self.content |= progress == BodyProgress::Content;
        progress
    }

    /// Classifies a message of an AWS event stream.
    pub(super) fn message(&mut self, message: &Message<'_>) -> BodyProgress {
        let Message { payload, truncated, .. } = *message;
        let text = |name| message.header(name).map(String::from_utf8_lossy).unwrap_or_default();
        let event = message.header(":event-type").unwrap_or_default();
        let progress = match message.header(":message-type") {
            Some(b"exception") => {
                let name = text(":exception-type");
                BodyProgress::Settled(classify_exception(self.provider, &name, payload))
            }
            Some(b"error") => {
                let message = message.header(":error-message").unwrap_or_default();
                let name = text(":error-code");
                BodyProgress::Settled(classify_exception(self.provider, &name, message))
            }
            _ if event == CHUNK => {
                let kind = EventKind::MaybeContent(chunk_has_content);
                self.named(Some(&INVOKE), kind, payload, truncated)
            }
            _ => match event_named(event) {
                Some((format, kind)) => self.named(format, kind, payload, truncated),
                None => BodyProgress::Content,
            },
        };
        self.content |= progress == BodyProgress::Content;
        progress
    }

    fn named(
        &mut self,
        format: Option<&'static StreamFormat>,
        kind: EventKind,
        data: &[u8],
        truncated: bool,
    ) -> BodyProgress {
        self.format = self.format.or(format);
        match kind {
            EventKind::Progress => BodyProgress::Pending,
            EventKind::Content => BodyProgress::Content,
            EventKind::MaybeContent(has_content) => match self.content || has_content(data) {
                true => BodyProgress::Content,
                false => BodyProgress::Pending,
            },
            EventKind::End => BodyProgress::Settled(Outcome::success()),
            EventKind::EndWithStatus => {
                let outcome = self.error(data, truncated);
                BodyProgress::Settled(outcome.unwrap_or_else(|| ending(data)))
            }
            EventKind::Failed(reason) => {
                let by_signal = || match truncated {
                    true => None,
                    false => classify_error_event(self.provider, data),
                };
                let outcome = self.error(data, truncated).or_else(by_signal);
                BodyProgress::Settled(outcome.unwrap_or(Outcome::failure().reason(reason)))
            }
            EventKind::Cancelled => BodyProgress::Settled(Outcome::ignored()),
        }
    }

    fn unnamed(&mut self, data: &[u8], truncated: bool) -> BodyProgress {
        let data = data.trim_ascii();
        if matches!(data, b"" | b"{}") {
            return BodyProgress::Pending;
        }
        if truncated {
            if let Some((format, kind)) = leading_event_name(data).and_then(event_named) {
                return self.named(format, kind, data, true);
            }
            self.truncated = true;
            return BodyProgress::Content;
        }
        if let Some(outcome) = self.error(data, false) {
            return BodyProgress::Settled(outcome);
        }
        if self.content && !self.may_end(data) {
            return BodyProgress::Content;
        }
        if let Some((format, kind)) = leading_event_name(data).and_then(event_named) {
            return self.named(format, kind, data, false);
        }
        let name = event_name(data).unwrap_or_default();
        if let Some((format, kind)) = event_named(name.as_bytes()) {
            return self.named(format, kind, data, false);
        }
        let Some((format, shape)) = unnamed_event(data) else { return BodyProgress::Content };
        let format = *self.format.get_or_insert(format);
        match (shape.content, shape.end) {
            (true, true) if format.end_repeats => {
                self.complete = true;
                BodyProgress::Content
            }
            (_, true) => BodyProgress::Settled(ending(data)),
            (true, false) => BodyProgress::Content,
            (false, false) => BodyProgress::Pending,
        }
    }

    /// Returns whether an event without a name may have the end marker. Only such an event is parsed after the content
    /// has begun.
    fn may_end(&self, data: &[u8]) -> bool {
        match self.format.map_or(EndMarker::None, |format| format.end) {
            EndMarker::None | EndMarker::Event => true,
            EndMarker::Field(bytes) => memmem::find(data, bytes).is_some(),
            EndMarker::Done => false,
        }
    }

    fn error(&self, data: &[u8], truncated: bool) -> Option<Outcome> {
        if truncated { None } else { classify_event(self.provider, data) }
    }

    /// Classifies a stream that ended in this event.
    ///
    /// An event whose last line has no line end may be incomplete. If it is JSON, the parser decides.
    pub(super) fn end_in(&mut self, event: &Event<'_>) -> Outcome {
        let data = event.data.trim_ascii();
        let json = matches!(data.first(), Some(b'{' | b'[')) && data != DONE;
        if event.cut && json && !event.truncated && !is_complete(data) {
            return self.broken_off();
        }
        match self.event(event) {
            BodyProgress::Settled(outcome) => outcome,
            BodyProgress::Pending | BodyProgress::Content => self.end(),
        }
    }

    /// Classifies a stream that ended inside an event.
    pub(super) fn broken_off(&self) -> Outcome {
        Outcome::failure().reason("stream ended early")
    }

    /// Classifies a stream that ended between two events.
    pub(super) fn end(&self) -> Outcome {
        let excused = match self.format.map(|format| format.end) {
            _ if !self.provider.profile().needs_end_marker => true,
            Some(EndMarker::Event | EndMarker::Done) => false,
            Some(EndMarker::Field(_)) => self.truncated,
            Some(EndMarker::None) | None => self.content,
        };
        match self.complete || excused {
            true => Outcome::success(),
            false => self.broken_off(),
        }
    }
}

fn is_complete(json: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(json).is_ok()
}

#[cfg(test)]
mod tests;
