//! The judge of bodies that are one JSON value.

use serde::de::IgnoredAny;
use serde_json::Deserializer;

use super::Provider;
use super::framing::{BOUND, Kept};
use super::signals::classify_event;
use crate::Outcome;
use crate::classify::{BodyProgress, ClassifyBody};

/// Judges a body of JSON.
///
/// Whitespace says nothing: servers send it to keep a connection alive. The rest is content from the moment that its
/// first object is known not to begin with `"error"`. At its end the whole is asked for an error if it is not longer
/// than [`BOUND`], each element apart if it is a list: that is how Google streams without server-sent events. A longer
/// one is no error.
#[derive(Debug)]
pub(super) struct JsonClassifier {
    provider: Provider,
    beginning: Beginning,
    /// What came, without whitespace before it. Nothing of what was too long.
    whole: Kept,
}

/// Where in the beginning of a body its reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beginning {
    /// Before the value.
    Value,
    /// In a list, before its first element.
    Element,
    /// In an object, before its first key.
    Object,
    /// In the first key, of which so many bytes are those of [`ERROR`].
    Key(usize),
    /// It is an error, or looks like one.
    Error,
    /// It is none.
    Content,
}

/// A key, with the quotes around it.
const ERROR: &[u8] = b"\"error\"";

impl Beginning {
    fn next(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Value | Self::Element | Self::Object, b' ' | b'\t' | b'\n' | b'\r') => self,
            (Self::Value, b'[') => Self::Element,
            (Self::Value | Self::Element, b'{') => Self::Object,
            (Self::Object, b'"') => Self::Key(1),
            (Self::Key(len), _) => match ERROR.get(len) == Some(&byte) {
                true if len + 1 == ERROR.len() => Self::Error,
                true => Self::Key(len + 1),
                false => Self::Content,
            },
            (Self::Error | Self::Content, _) => self,
            _ => Self::Content,
        }
    }
}

impl JsonClassifier {
    pub(super) const fn new(provider: Provider) -> Self {
        Self {
            provider,
            beginning: Beginning::Value,
            whole: Kept { bytes: Vec::new(), over: false },
        }
    }

    fn keep(&mut self, data: &[u8]) {
        if self.whole.over {
            return;
        }
        self.whole.push(data, BOUND);
        if self.whole.over {
            self.whole.bytes = Vec::new();
        }
    }

    /// What the values of a body say. There is one; a server that sends more of them means newline-delimited JSON.
    fn values(&self, body: &[u8]) -> Outcome {
        let mut values = Deserializer::from_slice(body).into_iter::<IgnoredAny>();
        let mut begin = 0;
        loop {
            match values.next() {
                None if begin == 0 => break ended_early(),
                None => break Outcome::success(),
                Some(Err(error)) if error.is_eof() => break ended_early(),
                Some(Err(_)) => break not_json(body),
                Some(Ok(IgnoredAny)) => {
                    let value = body.get(begin..values.byte_offset()).unwrap_or_default();
                    begin = values.byte_offset();
                    if let Some(error) = self.error_in(value) {
                        break error;
                    }
                }
            }
        }
    }

    /// The first error in a value, which is well formed.
    fn error_in(&self, value: &[u8]) -> Option<Outcome> {
        let value = value.trim_ascii();
        let Some(mut list) = value.strip_prefix(b"[") else {
            return classify_event(self.provider, value);
        };
        loop {
            let mut elements = Deserializer::from_slice(list).into_iter::<IgnoredAny>();
            elements.next()?.ok()?;
            let (element, rest) = list.split_at_checked(elements.byte_offset())?;
            if let Some(error) = classify_event(self.provider, element.trim_ascii()) {
                return Some(error);
            }
            list = rest.trim_ascii_start().strip_prefix(b",")?;
        }
    }
}

/// The verdict on what the parser does not take for JSON.
///
/// Some servers write numbers as `NaN` and `-Infinity`, which most clients read: a body that is closed as it was opened
/// is whole.
fn not_json(body: &[u8]) -> Outcome {
    match (body.first(), body.trim_ascii_end().last()) {
        (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')) => Outcome::success(),
        _ => Outcome::failure().reason("body is not JSON"),
    }
}

fn ended_early() -> Outcome {
    Outcome::failure().reason("body ended early")
}

impl ClassifyBody for JsonClassifier {
    fn data(&mut self, data: &[u8]) -> BodyProgress {
        let data = match self.beginning {
            Beginning::Value => data.trim_ascii_start(),
            _ => data,
        };
        for &byte in data {
            if matches!(self.beginning, Beginning::Content | Beginning::Error) {
                break;
            }
            self.beginning = self.beginning.next(byte);
        }
        self.keep(data);
        match self.beginning {
            Beginning::Content => BodyProgress::Content,
            _ => BodyProgress::Pending,
        }
    }

    fn end(&mut self) -> Outcome {
        if self.whole.over { Outcome::success() } else { self.values(&self.whole.bytes) }
    }
}

#[cfg(test)]
mod tests;
