//! The window of the last N calls.

use std::collections::VecDeque;

use crate::sync::Mutex;
use crate::window::tally::{Entry, EntryKind, Tally};

/// The last N calls, one byte each, behind a short lock. It slides by one call.
#[derive(Debug)]
pub(crate) struct CountWindow(Mutex<Ring>);

#[derive(Debug)]
struct Ring {
    epoch: u64,
    capacity: usize,
    entries: VecDeque<u8>,
    tally: Tally,
}

const SLOW: u8 = 0x80;
/// Above every weight.
const CANCELLED: u8 = 0x7f;

fn encode(entry: Entry) -> u8 {
    let kind = match entry.kind {
        EntryKind::Success => 0,
        EntryKind::Failure(weight) => weight,
        EntryKind::Cancelled => CANCELLED,
    };
    if entry.slow { kind | SLOW } else { kind }
}

fn decode(byte: u8) -> Entry {
    let kind = match byte & !SLOW {
        0 => EntryKind::Success,
        CANCELLED => EntryKind::Cancelled,
        weight => EntryKind::Failure(weight),
    };
    Entry { kind, slow: byte & SLOW != 0 }
}

impl CountWindow {
    /// Creates a window of size zero. It needs a size before it can count.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Ring {
            epoch: 0,
            capacity: 0,
            entries: VecDeque::new(),
            tally: Tally { calls: 0, failed: 0, extra: 0, slow: 0, slow_cancelled: 0 },
        }))
    }

    /// Sets the size and clears the window. Allocates here, so that counting never does.
    pub(crate) fn resize(&self, calls: usize) {
        let entries = VecDeque::with_capacity(calls);
        let mut ring = self.0.lock();
        ring.capacity = calls;
        ring.entries = entries;
        ring.tally = Tally::default();
    }

    /// Adds a call of an epoch and returns the sums. Returns `None` if the epoch is over.
    pub(crate) fn add(&self, epoch: u64, entry: Entry) -> Option<Tally> {
        let mut ring = self.0.lock();
        let ring = &mut *ring;
        if epoch < ring.epoch {
            return None;
        }
        if epoch > ring.epoch {
            ring.epoch = epoch;
            ring.entries.clear();
            ring.tally = Tally::default();
        }
        if ring.entries.len() >= ring.capacity
            && let Some(oldest) = ring.entries.pop_front()
        {
            ring.tally.remove(decode(oldest));
        }
        if ring.entries.len() < ring.capacity {
            ring.entries.push_back(encode(entry));
            ring.tally.add(entry);
        }
        Some(ring.tally)
    }

    /// Returns the sums of an epoch.
    pub(crate) fn tally(&self, epoch: u64) -> Tally {
        let ring = self.0.lock();
        if ring.epoch == epoch { ring.tally } else { Tally::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: Entry = Entry { kind: EntryKind::Success, slow: false };
    const BAD: Entry = Entry { kind: EntryKind::Failure(1), slow: false };

    fn window(calls: usize) -> CountWindow {
        let window = CountWindow::new();
        window.resize(calls);
        window
    }

    #[test]
    fn the_oldest_outcome_leaves() {
        let window = window(100);
        // Fewer calls under miri, which is slow.
        for _ in 0..if cfg!(miri) { 250 } else { 10_000 } {
            window.add(1, OK);
        }
        for failures in 1..=50 {
            let tally = window.add(1, BAD).expect("current epoch");
            assert_eq!((tally.calls, tally.failed), (100, failures));
        }
        for _ in 0..50 {
            window.add(1, OK);
        }
        assert_eq!(window.tally(1).failed, 50);
        assert_eq!(window.add(1, OK).expect("current epoch").failed, 49);
    }

    #[test]
    fn nothing_crosses_an_epoch() {
        let window = window(10);
        window.add(1, BAD);
        assert_eq!(window.tally(2), Tally::default());
        window.add(2, OK);
        assert_eq!(window.add(1, BAD), None);
        assert_eq!(window.tally(2), Tally { calls: 1, ..Tally::default() });
    }

    #[test]
    fn every_entry_survives_its_byte() {
        for slow in [false, true] {
            for weight in 1..=100 {
                let entry = Entry { kind: EntryKind::Failure(weight), slow };
                assert_eq!(decode(encode(entry)), entry);
            }
            for kind in [EntryKind::Success, EntryKind::Cancelled] {
                assert_eq!(decode(encode(Entry { kind, slow })), Entry { kind, slow });
            }
        }
    }
}
