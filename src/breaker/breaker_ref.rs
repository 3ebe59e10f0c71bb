//! The way to a breaker.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::breaker::Breaker;

/// The way to a breaker, through a count of references that can be one's own: threads that call through a clone of a
/// service each do not fight over one cache line.
#[derive(Clone)]
pub(crate) struct BreakerRef(Arc<RefCount>);

struct RefCount {
    breaker: Arc<Breaker>,
    /// With the two counts of an `Arc`, two cache lines: the counts of another clone are never beside these.
    _apart: [u64; 13],
}

impl BreakerRef {
    pub(crate) fn new(breaker: Arc<Breaker>) -> Self {
        Self(Arc::new(RefCount { breaker, _apart: [0; 13] }))
    }

    /// The same breaker through a new count of references.
    pub(crate) fn own(&self) -> Self {
        Self::new(self.breaker())
    }

    /// Whether there is another way to the breaker than this one.
    pub(crate) fn is_held(&self) -> bool {
        Arc::strong_count(&self.0) > 1 || Arc::strong_count(&self.0.breaker) > 1
    }

    /// The breaker itself.
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
