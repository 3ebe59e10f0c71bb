//! Counts what a thread allocates.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator with three counters per thread.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    // Constant and without a destructor: reading them allocates nothing.
    static COUNTS: Cell<Counts> = const { Cell::new(Counts { allocations: 0, bytes: 0, live: 0 }) };
}

/// What this thread has allocated so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls of `alloc` and `realloc`.
    pub allocations: u64,
    /// Bytes asked for.
    pub bytes: u64,
    /// Bytes asked for and not given back; below 0 when the thread frees what others made.
    pub live: i64,
}

impl Counts {
    /// The counters of this thread.
    pub fn now() -> Self {
        COUNTS.get()
    }

    /// What was added since `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            allocations: self.allocations - earlier.allocations,
            bytes: self.bytes - earlier.bytes,
            live: self.live - earlier.live,
        }
    }
}

fn count(allocations: u64, bytes: usize, live: i64) {
    let counts = COUNTS.get();
    COUNTS.set(Counts {
        allocations: counts.allocations + allocations,
        bytes: counts.bytes + bytes as u64,
        live: counts.live + live,
    });
}

// SAFETY: every method hands its arguments on to `System` unchanged and returns what it returned.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size(), layout.size() as i64);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size(), layout.size() as i64);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size, size as i64 - layout.size() as i64);
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(0, 0, -(layout.size() as i64));
        unsafe { System.dealloc(at, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_thread_allocates_is_counted() {
        let before = Counts::now();
        let kept = std::hint::black_box(vec![0_u8; 100]);
        let during = Counts::now().since(before);
        drop(kept);
        let after = Counts::now().since(before);
        assert_eq!(during, Counts { allocations: 1, bytes: 100, live: 100 });
        assert_eq!(after, Counts { allocations: 1, bytes: 100, live: 0 });
    }
}
