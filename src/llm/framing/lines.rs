//! Newline-delimited JSON: one value per line.

use memchr::memchr;

use super::{BOUND, Event, Events, Kept};

/// Reads lines that end in LF or CRLF. Lines of whitespace are skipped: servers send them to keep a connection alive.
#[derive(Debug, Default)]
pub(in crate::llm) struct Lines {
    line: Kept,
    /// Whether the line was returned. The next one then begins empty.
    returned: bool,
}

impl Events for Lines {
    fn next(&mut self, piece: &mut &[u8]) -> Option<Event<'_>> {
        self.clear_returned();
        while !piece.is_empty() {
            let end = memchr(b'\n', piece);
            let (part, rest) = piece.split_at(end.unwrap_or(piece.len()));
            self.line.push(part, BOUND);
            *piece = rest.get(1..).unwrap_or_default();
            if end.is_some() {
                if self.is_not_blank() {
                    self.returned = true;
                    return Some(self.line(false));
                }
                self.line.clear();
            }
        }
        None
    }

    fn finish(&mut self) -> Option<Event<'_>> {
        self.clear_returned();
        self.returned = true;
        self.is_not_blank().then(|| self.line(true))
    }
}

impl Lines {
    fn line(&self, cut: bool) -> Event<'_> {
        let data = self.line.bytes.strip_suffix(b"\r").unwrap_or(&self.line.bytes);
        Event { name: b"", data, truncated: self.line.over, cut }
    }

    fn is_not_blank(&self) -> bool {
        !self.line.bytes.trim_ascii().is_empty() || self.line.over
    }

    fn clear_returned(&mut self) {
        if std::mem::take(&mut self.returned) {
            self.line.clear();
        }
    }
}

#[cfg(test)]
mod tests;
