use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Consecutive, Gate, Rule};

/// The number of parts into which the time until a call is overdue is divided.
const PARTS: u64 = 10;
const SLOTS: usize = 16;

/// Trips on consecutive failures, or on a number of overdue calls.
///
/// A slot counts the pending calls that began in one part of time. It holds the number of the part (32 bits) and the
/// count (32 bits). The counts of slots that are old enough move to `aged`.
#[derive(Debug)]
pub struct Overdue {
    consecutive: Consecutive,
    calls: u64,
    part: u64,
    newest: AtomicU64,
    slots: [AtomicU64; SLOTS],
    aged: AtomicU64,
    folding: Mutex<()>,
}

impl Overdue {
    /// Creates a rule that trips at `limit` consecutive failures, or once `calls` calls are pending for `after`
    /// nanoseconds.
    pub fn new(limit: u32, calls: u64, after: u64) -> Self {
        Self {
            consecutive: Consecutive::new(limit),
            calls,
            part: after / PARTS,
            newest: AtomicU64::new(0),
            slots: Default::default(),
            aged: AtomicU64::new(0),
            folding: Mutex::new(()),
        }
    }

    #[cold]
    fn fold(&self, tick: u64) {
        let _guard = self.folding.lock().expect("no fold panics");
        for word in &self.slots {
            let old = |word: u64| (word != 0 && (word >> 32) + PARTS < tick).then_some(0);
            if let Ok(word) = word.fetch_update(Ordering::AcqRel, Ordering::Acquire, old) {
                self.aged.fetch_add(word & 0xffff_ffff, Ordering::AcqRel);
            }
        }
        self.newest.fetch_max(tick, Ordering::AcqRel);
    }

    #[inline]
    fn finish(&self, tick: u64) {
        let word = &self.slots[tick as usize % SLOTS];
        let mine = |word: u64| (word >> 32 == tick).then(|| word - 1);
        if word.fetch_update(Ordering::AcqRel, Ordering::Acquire, mine).is_err() {
            self.aged.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Rule for Overdue {
    /// The part of time in which the call began.
    type Ticket = u64;

    #[inline]
    fn admit(&self, gate: &Gate) -> Option<u64> {
        let tick = gate.now() / self.part;
        if self.newest.load(Ordering::Acquire) != tick {
            self.fold(tick);
        }
        if self.aged.load(Ordering::Acquire) >= self.calls {
            gate.open();
            return None;
        }
        let begin = |word: u64| Some(if word >> 32 == tick { word + 1 } else { (tick << 32) | 1 });
        let word = &self.slots[tick as usize % SLOTS];
        let _ = word.fetch_update(Ordering::AcqRel, Ordering::Acquire, begin);
        Some(tick)
    }

    #[inline]
    fn settle(&self, gate: &Gate, tick: u64, failed: bool) {
        self.finish(tick);
        self.consecutive.count(gate, failed);
    }

    #[inline]
    fn dropped(&self, _: &Gate, tick: u64) {
        self.finish(tick);
    }
}
