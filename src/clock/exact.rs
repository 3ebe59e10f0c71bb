//! No coarse clock: the exact one in its place.

/// See the other one.
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
