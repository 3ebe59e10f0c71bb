//! Striped counters, which avoid contention between threads.
//!
//! A thread that counts holds a slot number until it ends. Each thread with a low number owns one stripe that no other
//! thread writes, so a count is a load and a store. All other threads share one more stripe and use read-modify-write
//! instructions. Readers add up all stripes.
//!
//! Writes use `Release` and readers use `Acquire`, so that a reader that sees a count also sees the counts that the
//! same thread wrote before it. The loads of a writer are `Relaxed`: an owner reads its own writes, and the shared
//! stripe relies on the atomicity of the read-modify-write.

use std::cell::Cell;

use crate::sync::{AtomicU64, Mutex, OnceLock, Ordering, global, thread_local};

/// How a thread writes a stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Only this thread writes the stripe.
    Owned,
    /// Other threads also write it.
    Shared,
}

impl Access {
    /// Adds to a counter. Wraps.
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

    /// Replaces a word by a function of its value. `None` leaves it unchanged.
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

/// One `T` per counting thread.
#[derive(Debug)]
pub(crate) struct Striped<T> {
    owned: Box<[T]>,
    shared: T,
}

impl<T: Default> Striped<T> {
    pub(crate) fn new() -> Self {
        Self { owned: (0..owned_stripes()).map(|_| T::default()).collect(), shared: T::default() }
    }

    /// Returns the stripe that this thread owns, if any.
    #[inline(always)]
    pub(crate) fn own(&self) -> Option<&T> {
        self.owned.get(SLOT.get())
    }

    /// Counts in the stripe that this thread owns, or in the shared one.
    #[inline(always)]
    pub(crate) fn count(&self, count: impl FnOnce(&T, Access)) {
        // The slot of a thread without a number is above every stripe.
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

/// A value that the first count creates. It is large, and most threads never need it.
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

    /// Returns the value, or `None` before the first count.
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.get().map(|made| &**made)
    }
}

/// Twice the number of cores, because a runtime's workers are not the only threads. At least 4, at most 64.
#[cfg(not(all(test, any(loom, shuttle))))]
fn owned_stripes() -> usize {
    static STRIPES: OnceLock<usize> = OnceLock::new();
    *STRIPES.get_or_init(|| {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        (2 * cores).clamp(4, 64)
    })
}

/// Fewer than the threads of a loom or shuttle test.
#[cfg(all(test, any(loom, shuttle)))]
fn owned_stripes() -> usize {
    2
}

const UNASSIGNED: usize = usize::MAX;
/// Above every stripe: the thread uses the shared one.
const NO_SLOT: usize = usize::MAX - 1;

thread_local! {
    // No destructor, so that it can be read at any time with one load.
    static SLOT: Cell<usize> = const { Cell::new(UNASSIGNED) };
    // Frees the slot when the thread ends.
    static RELEASE: Release = const { Release };
}

struct Release;

impl Drop for Release {
    fn drop(&mut self) {
        release();
    }
}

fn release() {
    // Destructors of other thread-locals that count after this use the shared stripe.
    let slot = SLOT.replace(NO_SLOT);
    if slot < NO_SLOT {
        SLOTS.lock().free(slot);
    }
}

fn assign() {
    // A thread whose thread-locals are being destroyed could never free a slot.
    let slot = match RELEASE.try_with(|_| ()) {
        Ok(()) => SLOTS.lock().take(),
        Err(_) => NO_SLOT,
    };
    SLOT.set(slot);
}

global! {
    static SLOTS: Mutex<Slots> = Mutex::new(Slots { taken: 0 });
}

/// Sets the slot of this thread, without checking whether another thread holds it.
#[cfg(all(test, loom))]
pub(crate) fn place(slot: Option<usize>) {
    SLOT.set(slot.unwrap_or(NO_SLOT));
}

/// Releases the slot at the end of a thread. Under loom and shuttle, thread-locals outlive the thread.
#[cfg(all(test, any(loom, shuttle)))]
pub(crate) fn end_thread() {
    release();
}

/// The slot numbers in use, as bits. A number changes hands under the lock, which orders the writes of one owner before
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
