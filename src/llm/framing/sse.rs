//! Server-sent events, as the WHATWG HTML standard frames them (section 9.2.6, "Interpreting an event stream").

use memchr::memchr2;

use super::{BOUND, Event, Events, Kept};

/// How much of an event's name is kept. The longest of the providers have some 50 bytes.
const NAME_BOUND: usize = 128;

const BOM: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// Reads events from pieces that are split anywhere.
///
/// It differs from the standard, which speaks for browsers, at two places. An event that has a name and no data is an
/// event, as it is for the clients of the providers. And what the stream ends in is one ([`finish`](Events::finish)),
/// because some servers leave out the last blank line.
#[derive(Debug, Default)]
pub(in super::super) struct Sse {
    /// How many bytes of a byte order mark were there; 3 when the beginning is over.
    bom: usize,
    line: Line,
    /// The last line ended in a carriage return: a line feed that follows belongs to it.
    after_cr: bool,
    /// The event was given out; the next one begins empty.
    given: bool,
    name: Kept,
    data: Kept,
    has_data: bool,
}

/// Where in a line the reader is.
#[derive(Clone, Copy, Debug)]
enum Line {
    /// In the name of a field, of which so many bytes came. None of those that count is longer.
    Name([u8; 5], usize),
    /// Behind the colon, where one space is no part of the value.
    Colon(Field),
    Value(Field),
    /// A comment, or a field that says nothing here.
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
        self.forget_given();
        self.skip_bom(piece);
        while let Some((&first, rest)) = piece.split_first() {
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                *piece = rest;
            } else if matches!(first, b'\n' | b'\r') {
                *piece = rest;
                self.after_cr = first == b'\r';
                if self.line_ended() {
                    self.given = true;
                    return Some(self.event(false));
                }
            } else {
                self.in_line(first, piece);
            }
        }
        None
    }

    fn finish(&mut self) -> Option<Event<'_>> {
        self.forget_given();
        let cut = !matches!(self.line, Line::Name(_, 0));
        self.given = true;
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

    fn forget_given(&mut self) {
        if std::mem::take(&mut self.given) {
            self.name.clear();
            self.data.clear();
            self.has_data = false;
        }
    }

    fn skip_bom(&mut self, piece: &mut &[u8]) {
        while let (Some(expected), Some((first, rest))) = (BOM.get(self.bom), piece.split_first()) {
            if first != expected {
                if self.bom > 0 {
                    // Half a mark is the beginning of a name that nobody knows.
                    self.line = Line::Skip;
                }
                self.bom = BOM.len();
                return;
            }
            self.bom += 1;
            *piece = rest;
        }
    }

    /// Reads on in a line, of which `first` is the next byte and no line end.
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

    /// Whether an event ended with it.
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

fn longer(mut name: [u8; 5], len: usize, byte: u8) -> Line {
    match name.get_mut(len) {
        Some(place) => {
            *place = byte;
            Line::Name(name, len + 1)
        }
        None => Line::Skip,
    }
}

/// Takes what is left of a line from a piece.
fn up_to_line_end<'a>(piece: &mut &'a [u8]) -> &'a [u8] {
    let end = memchr2(b'\n', b'\r', piece).unwrap_or(piece.len());
    let (line, rest) = piece.split_at(end);
    *piece = rest;
    line
}

#[cfg(test)]
mod tests;
