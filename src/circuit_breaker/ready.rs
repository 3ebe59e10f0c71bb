//! What a service was promised by its readiness.

use std::mem;

use crate::breaker::{BreakerRef, in_drop};
use crate::machine::FIRST_WORD;

/// What the last `poll_ready` promised. One word, so that `call` compares once: where the inner service was polled
/// ready and the gate was free, it is what the gate showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ready(pub(super) u64);

impl Ready {
    /// Nothing, or it was used.
    pub(super) const NO: Self = Self(0);
    /// The call will be rejected: the inner service was not polled and must not be called.
    pub(super) const SHED: Self = Self(1);
    /// The inner service was polled ready; there is more to do than to ask the gate again.
    pub(super) const INNER: Self = Self(2);
}

// What a gate shows is told apart from all of these.
const _: () = assert!(FIRST_WORD > Ready::INNER.0);

/// The readiness of the inner service while it is asked for: if it fails, by error or by panic, this is dropped, which
/// counts a failure. Unless it is ready, nothing is promised any more.
pub(super) struct Unready<'a> {
    breaker: &'a BreakerRef,
    ready: &'a mut Ready,
}

impl<'a> Unready<'a> {
    #[inline(always)]
    pub(super) fn new(breaker: &'a BreakerRef, ready: &'a mut Ready) -> Self {
        Self { breaker, ready }
    }

    #[inline(always)]
    pub(super) fn succeeded(self) {
        mem::forget(self);
    }

    #[inline(always)]
    pub(super) fn waits(self) {
        *self.ready = Ready::NO;
        mem::forget(self);
    }
}

impl Drop for Unready<'_> {
    fn drop(&mut self) {
        *self.ready = Ready::NO;
        in_drop(|| self.breaker.unready());
    }
}
