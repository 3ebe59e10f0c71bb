//! References to a breaker that do not contend on one count.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::breaker::Breaker;

/// A reference to a breaker.
///
/// A clone shares its reference count with the original. [`own`](Self::own) returns a reference with a separate count,
/// so that threads which call through different clones of a service do not contend on one cache line.
#[derive(Clone)]
pub(crate) struct BreakerRef(Arc<RefCount>);

struct RefCount {
    breaker: Arc<Breaker>,
    /// With the two counts of the `Arc` around it, this fills two cache lines: the counts of two references never share
    /// one.
    _padding: [u64; 13],
}

impl BreakerRef {
    pub(crate) fn new(breaker: Arc<Breaker>) -> Self {
        Self(Arc::new(RefCount { breaker, _padding: [0; 13] }))
    }

    /// Returns a reference to the same breaker with a separate count.
    pub(crate) fn own(&self) -> Self {
        Self::new(self.breaker())
    }

    /// Returns whether there is another reference to the breaker.
    pub(crate) fn is_held(&self) -> bool {
        Arc::strong_count(&self.0) > 1 || Arc::strong_count(&self.0.breaker) > 1
    }

    /// Returns the breaker itself.
    pub(crate) fn breaker(&self) -> Arc<Breaker> {
        Arc::clone(&self.0.breaker)
    }
}

impl fmt::Debug for BreakerRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.breaker.fmt(f)
    }
}

impl Deref for BreakerRef {
    type Target = Breaker;

    #[inline]
    fn deref(&self) -> &Breaker {
        &self.0.breaker
    }
}
