//! Counts the allocations of each thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system allocator with three counters per thread.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    // A constant initializer and no destructor: access to the counters allocates nothing.
    static COUNTS: Cell<Counts> = const { Cell::new(Counts { allocations: 0, bytes: 0, live: 0 }) };
}

/// The allocations of one thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The number of calls to `alloc`, `alloc_zeroed` and `realloc`.
    pub allocations: u64,
    /// The bytes requested.
    pub bytes: u64,
    /// The bytes requested and not yet freed. Negative if the thread frees memory that other threads allocated.
    pub live: i64,
}

impl Counts {
    /// Returns the counters of the current thread.
    pub fn now() -> Self {
        COUNTS.get()
    }

    /// Returns the difference to `earlier`.
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

// SAFETY: every method forwards its arguments to `System` unchanged and returns its result.
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
    fn the_allocations_of_a_thread_are_counted() {
        let before = Counts::now();
        let kept = std::hint::black_box(vec![0_u8; 100]);
        let during = Counts::now().since(before);
        drop(kept);
        let after = Counts::now().since(before);
        assert_eq!(during, Counts { allocations: 1, bytes: 100, live: 100 });
        assert_eq!(after, Counts { allocations: 1, bytes: 100, live: 0 });
    }
}
