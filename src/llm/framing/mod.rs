//! Splits response streams into events, independently of the provider.
//!
//! A reader takes pieces that are split anywhere and returns the events of each piece one by one. It keeps at most
//! [`BOUND`] bytes, and stops allocating once its buffer has grown to the size of the stream's events.

pub(super) mod event_stream;
pub(super) mod lines;
pub(super) mod sse;
#[cfg(test)]
pub(super) mod support;

/// The number of bytes of one event that are kept: 64 KiB. Errors are far shorter. A longer event is content.
pub(super) const BOUND: usize = 64 * 1024;

/// One event of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event<'a> {
    /// Empty if the event has no name.
    pub(super) name: &'a [u8],
    pub(super) data: &'a [u8],
    /// Whether the event was longer than the bound. Its end is then missing.
    pub(super) truncated: bool,
    /// Whether the stream ended before the line end of the last line of the event.
    pub(super) cut: bool,
}

/// A reader of a stream of lines.
pub(super) trait Events {
    /// Returns the next event, and advances the piece to its end. Returns `None` if the piece ends before the event.
    fn next(&mut self, piece: &mut &[u8]) -> Option<Event<'_>>;

    /// Returns the event in which the stream ended, if any of its data has come. This is the last call.
    fn finish(&mut self) -> Option<Event<'_>>;
}

/// The kept bytes of one event.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) bytes: Vec<u8>,
    /// Whether there were more bytes than the limit.
    pub(super) over: bool,
}

impl Kept {
    /// Appends the bytes that fit below the limit, which is at most [`BOUND`].
    pub(super) fn push(&mut self, data: &[u8], limit: usize) {
        let room = limit.saturating_sub(self.bytes.len());
        let (kept, rest) = data.split_at(room.min(data.len()));
        self.over |= !rest.is_empty();
        let needed = self.bytes.len() + kept.len();
        if needed > self.bytes.capacity() {
            // Doubles as a vector does, but never beyond the limit.
            let capacity = (self.bytes.capacity() * 2).max(needed).min(limit);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(kept);
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.over = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_bytes_never_take_more_memory_than_the_limit() {
        let mut kept = Kept::default();
        for size in [1, 7, 100, 4_000, 29_000, 20_000, 20_000, 9] {
            kept.push(&vec![b'x'; size], BOUND);
            assert!(kept.bytes.capacity() <= BOUND);
        }
        assert_eq!(kept.bytes.len(), BOUND);
        assert!(kept.over);
        kept.clear();
        assert!(kept.bytes.is_empty() && !kept.over);
    }

    #[test]
    fn bytes_up_to_the_limit_are_not_over() {
        let mut kept = Kept::default();
        kept.push(&[0; 10], 10);
        assert!(!kept.over);
        kept.push(&[], 10);
        assert!(!kept.over);
        kept.push(&[0], 10);
        assert!(kept.over);
    }
}
