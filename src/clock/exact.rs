//! The exact clock in place of the coarse one.

/// A clock with the interface of the coarse one that always returns the exact time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coarse;

impl Coarse {
    pub(crate) const BEHIND: u64 = 0;

    pub(crate) fn new() -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn nanos(&self, exact: impl FnOnce() -> u64) -> u64 {
        exact()
    }
}
