//! Counters that threads do not fight over.
//!
//! A thread that counts gets a number of its own for as long as it lives. The threads with the low numbers own one
//! stripe each, which nobody else writes: a count is a load and a store. All others share one more stripe and use
//! read-modify-write instructions. Readers add all stripes up.

use std::cell::Cell;

use crate::sync::{AtomicU64, Mutex, OnceLock, Ordering, global, thread_local};

/// How a word of a stripe is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Only this thread writes the stripe.
    Owned,
    /// Other threads write it too.
    Shared,
}

impl Access {
    /// Adds to a plain counter. Wraps.
    #[inline]
    pub(crate) fn add(self, word: &AtomicU64, by: u64) {
        match self {
            Self::Owned => {
                word.store(word.load(Ordering::Relaxed).wrapping_add(by), Ordering::Release)
            }
            Self::Shared => {
                word.fetch_add(by, Ordering::Release);
            }
        }
    }

    /// Changes a word by a function of what it was; `None` leaves it.
    #[inline]
    pub(crate) fn update(self, word: &AtomicU64, change: impl Fn(u64) -> Option<u64>) {
        let mut old = word.load(Ordering::Relaxed);
        while let Some(new) = change(old) {
            match self {
                Self::Owned => return word.store(new, Ordering::Release),
                Self::Shared => {
                    match word.compare_exchange_weak(old, new, Ordering::Release, Ordering::Relaxed)
                    {
                        Ok(_) => return,
                        Err(now) => old = now,
                    }
                }
            }
        }
    }
}

/// One `T` for each thread that counts.
#[derive(Debug)]
pub(crate) struct Striped<T> {
    owned: Box<[T]>,
    shared: T,
}

impl<T: Default> Striped<T> {
    pub(crate) fn new() -> Self {
        Self { owned: (0..owned_stripes()).map(|_| T::default()).collect(), shared: T::default() }
    }

    /// The stripe of this thread, if it has one of its own.
    #[inline(always)]
    pub(crate) fn own(&self) -> Option<&T> {
        self.owned.get(SLOT.get())
    }

    /// Counts in the stripe of this thread.
    #[inline(always)]
    pub(crate) fn count(&self, count: impl FnOnce(&T, Access)) {
        // A thread without a number has one that is past every stripe.
        match self.own() {
            Some(mine) => count(mine, Access::Owned),
            None => self.find(count),
        }
    }

    #[cold]
    #[inline(never)]
    fn find(&self, count: impl FnOnce(&T, Access)) {
        if SLOT.get() == UNASSIGNED {
            assign();
        }
        match self.own() {
            Some(mine) => count(mine, Access::Owned),
            None => count(&self.shared, Access::Shared),
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &T> {
        self.owned.iter().chain([&self.shared])
    }
}

/// What is made when it is first counted in: it is large, and most breakers or most threads do without.
#[derive(Debug)]
pub(crate) struct OnUse<T>(OnceLock<Box<T>>);

impl<T> Default for OnUse<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T: Default> OnUse<T> {
    #[inline(always)]
    pub(crate) fn make(&self) -> &T {
        match self.0.get() {
            Some(made) => made,
            None => self.make_first(),
        }
    }

    #[cold]
    #[inline(never)]
    fn make_first(&self) -> &T {
        self.0.get_or_init(Box::default)
    }

    /// `None` if nobody has counted in it.
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.get().map(|made| &**made)
    }
}

/// Twice the cores, because a runtime's workers are not the only threads; at least 4, at most 64.
#[cfg(not(all(test, any(loom, shuttle))))]
fn owned_stripes() -> usize {
    static STRIPES: OnceLock<usize> = OnceLock::new();
    *STRIPES.get_or_init(|| {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        (2 * cores).clamp(4, 64)
    })
}

/// Fewer than the threads of a test.
#[cfg(all(test, any(loom, shuttle)))]
fn owned_stripes() -> usize {
    2
}

const UNASSIGNED: usize = usize::MAX;
/// Past every stripe: shares the last one.
const NO_SLOT: usize = usize::MAX - 1;

thread_local! {
    // Without a destructor, so that it can be read at any time and costs one load.
    static SLOT: Cell<usize> = const { Cell::new(UNASSIGNED) };
    // Gives the slot back when the thread ends.
    static RELEASE: Release = const { Release };
}

struct Release;

impl Drop for Release {
    fn drop(&mut self) {
        release();
    }
}

fn release() {
    // What counts after this, in the destructors of other thread-locals, shares the last stripe.
    let slot = SLOT.replace(NO_SLOT);
    if slot < NO_SLOT {
        SLOTS.lock().free(slot);
    }
}

fn assign() {
    // A thread whose thread-locals are being destroyed cannot give a slot back.
    let slot = match RELEASE.try_with(|_| ()) {
        Ok(()) => SLOTS.lock().take(),
        Err(_) => NO_SLOT,
    };
    SLOT.set(slot);
}

global! {
    static SLOTS: Mutex<Slots> = Mutex::new(Slots { taken: 0 });
}

/// Gives this thread a stripe of its own, or the shared one, without asking who else has it.
#[cfg(all(test, loom))]
pub(crate) fn place(slot: Option<usize>) {
    SLOT.set(slot.unwrap_or(NO_SLOT));
}

/// What happens at the end of a thread: in a checker, its thread-locals outlive its end.
#[cfg(all(test, any(loom, shuttle)))]
pub(crate) fn end_thread() {
    release();
}

/// The numbers in use, as bits. A number is handed on under the lock, which orders the writes of one owner before
/// those of the next.
struct Slots {
    taken: u64,
}

impl Slots {
    fn take(&mut self) -> usize {
        let slot = self.taken.trailing_ones();
        if slot >= u64::BITS {
            return NO_SLOT;
        }
        self.taken |= 1 << slot;
        slot as usize
    }

    fn free(&mut self, slot: usize) {
        self.taken &= !(1 << slot);
    }
}

#[cfg(test)]
mod tests;
