//! The formats of streamed responses.
//!
//! A stream is recognized by its events, whichever provider sends them. One provider may use several formats: OpenAI has
//! chat completions and responses, Vertex AI streams Gemini and Anthropic models, and most providers support the formats
//! of OpenAI or Anthropic beside their own.

use std::fmt;

use memchr::memmem;

/// A format of streamed responses.
#[derive(Debug)]
pub(super) struct StreamFormat {
    /// The name, for tests.
    #[cfg_attr(not(test), expect(dead_code, reason = "formats are compared by address"))]
    pub(super) name: &'static str,
    pub(super) end: EndMarker,
    /// Whether several events may carry the end marker, so that the first one does not end the stream.
    pub(super) end_repeats: bool,
    /// The named events. The name is that of the server-sent event or AWS message, or the `type` or `event_type` in the
    /// data. The first match counts. A name that ends in `*` matches every name with that beginning.
    pub(super) events: &'static [NamedEvent],
    /// How events without a name are recognized.
    pub(super) unnamed: Option<UnnamedEvents>,
}

pub(super) type NamedEvent = (&'static str, EventKind);

impl StreamFormat {
    /// A format whose events are all named and whose stream ends with one of them.
    pub(super) const fn named(name: &'static str, events: &'static [NamedEvent]) -> Self {
        Self { name, end: EndMarker::Event, end_repeats: false, events, unnamed: None }
    }
}

/// The mark at the end of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndMarker {
    /// Nothing. The stream ends between two events.
    None,
    /// A named event.
    Event,
    /// The text `[DONE]`, which is not JSON.
    Done,
    /// A field of an event that may also have content. The marker is missed if that event is too long to be kept.
    ///
    /// An event without these bytes is not the last one, and is not parsed.
    Field(&'static [u8]),
}

/// The kind of a named event.
#[derive(Clone, Copy, Debug)]
pub(super) enum EventKind {
    /// The call has begun or continues.
    Progress,
    Content,
    /// Content if the function finds some in the data.
    MaybeContent(fn(&[u8]) -> bool),
    /// A successful end.
    End,
    /// The end. The data reports whether it is successful.
    EndWithStatus,
    /// A failed end, with the reason to give if the data has none.
    Failed(&'static str),
    /// An end that the caller or an operator asked for.
    Cancelled,
}

/// How a format recognizes its events without a name.
pub(super) struct UnnamedEvents {
    /// Keys of the data, in quotes. An event of this format has at least one of them.
    pub(super) keys: &'static [&'static [u8]],
    /// Reads an event. Returns `None` if it has another format or is not JSON.
    pub(super) shape: fn(&[u8]) -> Option<EventShape>,
}

impl UnnamedEvents {
    /// Reads an event. Parses only data that contains one of the keys.
    pub(super) fn shape_of(&self, data: &[u8]) -> Option<EventShape> {
        let candidate = self.keys.iter().any(|key| memmem::find(data, key).is_some());
        if candidate { (self.shape)(data) } else { None }
    }
}

impl fmt::Debug for UnnamedEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnnamedEvents").field("keys", &self.keys).finish_non_exhaustive()
    }
}

/// The relevant parts of an event without a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EventShape {
    /// Whether the event has output.
    pub(super) content: bool,
    /// Whether the event has the end marker.
    pub(super) end: bool,
}
