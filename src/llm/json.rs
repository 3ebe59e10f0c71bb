//! The classifier of bodies that are one JSON value.

use serde::de::IgnoredAny;
use serde_json::Deserializer;

use super::framing::{BOUND, Kept};
use super::providers::Provider;
use super::screen::ERROR;
use super::signals::classify_event;
use crate::Outcome;
use crate::classify::{BodyProgress, ClassifyBody};

/// Classifies a JSON body.
///
/// Leading whitespace is not content: servers send it to keep a connection alive. The body is content as soon as the
/// first key of its first object is known not to be `"error"`. At the end, a body of at most [`BOUND`] bytes is searched
/// for an error. A longer body is a success. The elements of a list are searched one by one, because that is how Google
/// streams without server-sent events.
#[derive(Debug)]
pub(super) struct JsonClassifier {
    provider: Provider,
    beginning: Beginning,
    /// The body without leading whitespace. Empty if the body is too long.
    body: Kept,
}

/// The position of the reader in the beginning of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beginning {
    /// Before the value.
    Value,
    /// In a list, before its first element.
    Element,
    /// In an object, before its first key.
    Object,
    /// In the first key, whose first bytes, of the given number, equal those of [`ERROR`].
    Key(usize),
    /// The first key is that of an error.
    Error,
    /// The body has another beginning.
    Content,
}

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
            body: Kept { bytes: Vec::new(), over: false },
        }
    }

    fn keep(&mut self, data: &[u8]) {
        if self.body.over {
            return;
        }
        self.body.push(data, BOUND);
        if self.body.over {
            self.body.bytes = Vec::new();
        }
    }

    /// Classifies the values of a body. There is usually one. Several values are read as newline-delimited JSON.
    fn classify_values(&self, body: &[u8]) -> Outcome {
        let mut values = Deserializer::from_slice(body).into_iter::<IgnoredAny>();
        let mut begin = 0;
        loop {
            match values.next() {
                None if begin == 0 => break ended_early(),
                None => break Outcome::success(),
                Some(Err(error)) if error.is_eof() => break ended_early(),
                Some(Err(_)) => break classify_invalid(body),
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

    /// Returns the first error in a well-formed value.
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

/// Classifies a body that the parser rejects.
///
/// Some servers write numbers as `NaN` and `-Infinity`, which most clients accept. A body whose last bracket matches its
/// first one counts as complete.
fn classify_invalid(body: &[u8]) -> Outcome {
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
        if self.body.over { Outcome::success() } else { self.classify_values(&self.body.bytes) }
    }
}

#[cfg(test)]
mod tests;
