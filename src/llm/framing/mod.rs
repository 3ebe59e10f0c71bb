//! How response streams are cut into events. Nothing here knows a provider.
//!
//! Every reader is asked for the next event of a piece until there is none, takes pieces that are split anywhere, keeps
//! at most [`BOUND`] bytes, and allocates nothing once its buffer has grown to the size of the stream's events.

pub(super) mod event_stream;
pub(super) mod lines;
pub(super) mod sse;
#[cfg(test)]
pub(super) mod support;

/// How much of one event is kept: 64 KiB. Errors are far shorter, and of what is longer only that it came is of interest.
pub(super) const BOUND: usize = 64 * 1024;

/// One event of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event<'a> {
    /// Empty if the stream gives it none.
    pub(super) name: &'a [u8],
    pub(super) data: &'a [u8],
    /// It was longer than the bound, and its end is missing here.
    pub(super) truncated: bool,
    /// The stream ended inside of its last line, or without a last line end.
    pub(super) cut: bool,
}

/// What reads a stream of lines.
pub(super) trait Events {
    /// The next event of a piece, which is read up to there. `None`: the piece is read, and the event goes on.
    fn next(&mut self, piece: &mut &[u8]) -> Option<Event<'_>>;

    /// The event that the stream ended in, if data of it had come. Nothing is asked after it.
    fn finish(&mut self) -> Option<Event<'_>>;
}

/// The bytes of one event, up to a limit.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) bytes: Vec<u8>,
    /// There was more.
    pub(super) over: bool,
}

impl Kept {
    /// Appends what still fits below the limit, which is at most [`BOUND`].
    pub(super) fn push(&mut self, data: &[u8], limit: usize) {
        let room = limit.saturating_sub(self.bytes.len());
        let (kept, rest) = data.split_at(room.min(data.len()));
        self.over |= !rest.is_empty();
        let needed = self.bytes.len() + kept.len();
        if needed > self.bytes.capacity() {
            // As a vector grows by itself, but never beyond the limit.
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
    fn what_is_kept_never_takes_more_memory_than_the_limit() {
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
    fn what_just_fits_is_not_over() {
        let mut kept = Kept::default();
        kept.push(&[0; 10], 10);
        assert!(!kept.over);
        kept.push(&[], 10);
        assert!(!kept.over);
        kept.push(&[0], 10);
        assert!(kept.over);
    }
}
