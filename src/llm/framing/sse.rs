//! Server-sent events, as framed by the WHATWG HTML standard (section 9.2.6, "Interpreting an event stream").

use memchr::memchr2;

use super::{BOUND, Event, Events, Kept};

/// The number of bytes of an event's name that are kept. The longest names of the providers have about 50 bytes.
const NAME_BOUND: usize = 128;

const BOM: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// Reads server-sent events.
///
/// It differs from the standard, which is written for browsers, in two ways. It returns an event with a name and no
/// data, as the clients of the providers do. It also returns an incomplete event at the end of the stream
/// ([`finish`](Events::finish)), because some servers omit the last blank line.
#[derive(Debug, Default)]
pub(in crate::llm) struct Sse {
    /// The number of bytes of a byte order mark that have been read. 3 once the beginning has been read.
    bom: usize,
    line: Line,
    /// Whether the last line ended in a carriage return. A line feed that follows then belongs to it.
    after_cr: bool,
    /// Whether the event was returned. The next one then begins empty.
    returned: bool,
    name: Kept,
    data: Kept,
    has_data: bool,
}

/// The position of the reader in a line.
#[derive(Clone, Copy, Debug)]
enum Line {
    /// In the name of a field, with its first bytes and their number. No relevant name is longer.
    Name([u8; 5], usize),
    /// After the colon, where one space is not part of the value.
    Colon(Field),
    Value(Field),
    /// In a comment or an irrelevant field.
    Skip,
}

impl Default for Line {
    fn default() -> Self {
        Self::Name([0; 5], 0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Event,
    Data,
}

impl Field {
    fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"event" => Some(Self::Event),
            b"data" => Some(Self::Data),
            _ => None,
        }
    }
}

impl Events for Sse {
    fn next(&mut self, piece: &mut &[u8]) -> Option<Event<'_>> {
        self.clear_returned();
        self.skip_bom(piece);
        while let Some((&first, rest)) = piece.split_first() {
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                *piece = rest;
            } else if matches!(first, b'\n' | b'\r') {
                *piece = rest;
                self.after_cr = first == b'\r';
                if self.line_ended() {
                    self.returned = true;
                    return Some(self.event(false));
                }
            } else {
                self.in_line(first, piece);
            }
        }
        None
    }

    fn finish(&mut self) -> Option<Event<'_>> {
        self.clear_returned();
        let cut = !matches!(self.line, Line::Name(_, 0));
        self.returned = true;
        self.has_data.then(|| self.event(cut))
    }
}

impl Sse {
    fn event(&self, cut: bool) -> Event<'_> {
        Event {
            name: &self.name.bytes,
            data: &self.data.bytes,
            truncated: self.name.over || self.data.over,
            cut,
        }
    }

    fn clear_returned(&mut self) {
        if std::mem::take(&mut self.returned) {
            self.name.clear();
            self.data.clear();
            self.has_data = false;
        }
    }

    fn skip_bom(&mut self, piece: &mut &[u8]) {
        while let (Some(expected), Some((first, rest))) = (BOM.get(self.bom), piece.split_first()) {
            if first != expected {
                if self.bom > 0 {
                    // An incomplete mark is the beginning of an unknown field name.
                    self.line = Line::Skip;
                }
                self.bom = BOM.len();
                return;
            }
            self.bom += 1;
            *piece = rest;
        }
    }

    /// Reads a part of a line. `first` is the next byte, and not a line end.
    fn in_line(&mut self, first: u8, piece: &mut &[u8]) {
        match self.line {
            Line::Name(name, len) => {
                *piece = piece.get(1..).unwrap_or_default();
                self.line = match (first, name.get(..len).and_then(Field::named)) {
                    (b':', Some(field)) => {
                        self.begin(field);
                        Line::Colon(field)
                    }
                    (b':', None) => Line::Skip,
                    _ => longer(name, len, first),
                };
            }
            Line::Colon(field) => {
                if first == b' ' {
                    *piece = piece.get(1..).unwrap_or_default();
                }
                self.line = Line::Value(field);
            }
            Line::Value(field) => {
                let value = up_to_line_end(piece);
                match field {
                    Field::Event => self.name.push(value, NAME_BOUND),
                    Field::Data => self.data.push(value, BOUND - NAME_BOUND),
                }
            }
            Line::Skip => {
                up_to_line_end(piece);
            }
        }
    }

    fn begin(&mut self, field: Field) {
        match field {
            Field::Event => self.name.clear(),
            Field::Data => {
                if self.has_data {
                    self.data.push(b"\n", BOUND - NAME_BOUND);
                }
                self.has_data = true;
            }
        }
    }

    /// Ends a line. Returns whether an event ended with it.
    fn line_ended(&mut self) -> bool {
        match std::mem::take(&mut self.line) {
            Line::Name(_, 0) => return self.has_data || !self.name.bytes.is_empty(),
            // A field without a colon has an empty value.
            Line::Name(name, len) => {
                if let Some(field) = name.get(..len).and_then(Field::named) {
                    self.begin(field);
                }
            }
            Line::Colon(_) | Line::Value(_) | Line::Skip => {}
        }
        false
    }
}

/// Appends a byte to the name of a field.
fn longer(mut name: [u8; 5], len: usize, byte: u8) -> Line {
    match name.get_mut(len) {
        Some(place) => {
            *place = byte;
            Line::Name(name, len + 1)
        }
        None => Line::Skip,
    }
}

/// Takes the rest of a line from a piece.
fn up_to_line_end<'a>(piece: &mut &'a [u8]) -> &'a [u8] {
    let end = memchr2(b'\n', b'\r', piece).unwrap_or(piece.len());
    let (line, rest) = piece.split_at(end);
    *piece = rest;
    line
}

#[cfg(test)]
mod tests;
