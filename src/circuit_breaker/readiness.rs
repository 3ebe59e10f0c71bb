//! The promise of `poll_ready` to the next `call`.

use std::mem;
use std::task::{Context, Poll, ready};

use crate::breaker::{BreakerRef, Waiter, in_drop};
use crate::error::CircuitOpen;
use crate::machine::{FIRST_WORD, PermitState};

/// The readiness of one clone of a service: what its last `poll_ready` promised, and the task that waits for it.
///
/// Invariants:
///
/// - Only [`poll`](Self::poll) makes a promise, and [`admit`](Self::admit) uses it up. A clone has none: only a service
///   that was polled may be called.
/// - [`Promise::INNER_READY`] and the word of a gate mean that the inner service was polled ready and has not been called
///   since.
/// - `wait` is valid with [`Promise::REJECT`] only.
/// - `waiter` is `Some` only after a `poll` that returned pending. A `poll` that makes a promise drops it.
/// - `bookkeeping` is set while there is a waiter or `calls` is not [`Calls::Many`]. While it is set, no promise is the
///   word of a gate, so that [`admit`](Self::admit) takes its slow path.
pub(super) struct Readiness {
    promise: Promise,
    /// For how many nanoseconds the call will be rejected.
    wait: u64,
    waiter: Option<Box<Waiter>>,
    calls: Calls,
    /// Whether a `poll` that returns ready has more to do than to store its promise.
    bookkeeping: bool,
    /// Whether `poll` waits while calls would be rejected.
    pending_while_open: bool,
}

/// A promise in one word, so that `admit` compares once. If the inner service was polled ready and the gate was free,
/// it is the word that the gate showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Promise(u64);

impl Promise {
    /// No promise, or one that was used.
    const NONE: Self = Self(0);
    /// The call will be rejected. The inner service was not polled and must not be called.
    const REJECT: Self = Self(1);
    /// The inner service is ready. Whether the call is admitted is decided in `admit_slow`.
    const INNER_READY: Self = Self(2);
}

// No word of a gate is one of the constants above.
const _: () = assert!(FIRST_WORD > Promise::INNER_READY.0);

/// The decision about a call.
///
/// The two rejections are kept apart: a `CircuitOpen` that is built in one of two places is written to memory and copied,
/// which costs a rejection 11 instructions.
pub(super) enum Decision {
    Admit(PermitState),
    /// Reject the call as `poll_ready` promised, for this many nanoseconds.
    RejectAsPromised(u64),
    /// Reject the call although the inner service is ready: the circuit has opened since, or only a share of the calls
    /// passes.
    Reject(CircuitOpen),
}

/// The number of calls that went through this clone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Calls {
    None,
    One,
    Many,
}

impl Readiness {
    pub(super) fn new(pending_while_open: bool) -> Self {
        Self {
            promise: Promise::NONE,
            wait: 0,
            waiter: None,
            calls: Calls::None,
            bookkeeping: true,
            pending_while_open,
        }
    }

    /// Polls the inner service with `poll_inner`, unless the call would be rejected. Returns the error of the inner
    /// service unchanged, and no other errors.
    // Always inlined, as `admit` is: see `CircuitBreaker`.
    #[inline(always)]
    pub(super) fn poll<E>(
        &mut self,
        breaker: &BreakerRef,
        cx: &mut Context<'_>,
        mut poll_inner: impl FnMut(&mut Context<'_>) -> Poll<Result<(), E>>,
    ) -> Poll<Result<(), E>> {
        if let Some(word) = breaker.free() {
            match self.poll_inner(breaker, cx, &mut poll_inner) {
                Poll::Ready(Ok(())) => {
                    self.promise = Promise(word);
                    if self.bookkeeping {
                        self.ready_slow();
                    }
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if self.waits_for_inner(breaker, cx) => return Poll::Pending,
                Poll::Pending => {}
            }
        }
        match breaker.would_reject_for() {
            Some(wait) if !self.pending_while_open => {
                self.promise_rejection(wait);
                Poll::Ready(Ok(()))
            }
            _ => self.poll_slow(breaker, cx, poll_inner),
        }
    }

    /// Decides about the call that was promised, and uses up the promise.
    ///
    /// # Panics
    ///
    /// Panics if there is no promise.
    #[inline(always)]
    pub(super) fn admit(&mut self, breaker: &mut BreakerRef) -> Decision {
        let decision = match breaker.admit_again(self.promise.0) {
            Some(permit) => Decision::Admit(permit),
            None if self.promise == Promise::REJECT => Decision::RejectAsPromised(self.wait),
            None => match self.admit_slow(breaker) {
                Ok(permit) => Decision::Admit(permit),
                Err(open) => Decision::Reject(open),
            },
        };
        self.promise = Promise::NONE;
        decision
    }

    /// Polls the inner service. Unless it is ready, there is no promise afterwards. An error or a panic counts as a
    /// failed call.
    #[inline(always)]
    fn poll_inner<E>(
        &mut self,
        breaker: &BreakerRef,
        cx: &mut Context<'_>,
        poll_inner: &mut impl FnMut(&mut Context<'_>) -> Poll<Result<(), E>>,
    ) -> Poll<Result<(), E>> {
        let guard = FailureGuard { breaker, promise: &mut self.promise };
        let polled = poll_inner(cx);
        match polled {
            Poll::Ready(Ok(())) => guard.ready(),
            Poll::Ready(Err(_)) => drop(guard),
            Poll::Pending => guard.pending(),
        }
        polled
    }

    /// Everything except a closed circuit whose inner service is ready.
    #[cold]
    #[inline(never)]
    fn poll_slow<E>(
        &mut self,
        breaker: &BreakerRef,
        cx: &mut Context<'_>,
        mut poll_inner: impl FnMut(&mut Context<'_>) -> Poll<Result<(), E>>,
    ) -> Poll<Result<(), E>> {
        loop {
            self.promise = Promise::NONE;
            if let Some(wait) = ready!(self.poll_would_reject(breaker, cx)) {
                self.promise_rejection(wait);
                return Poll::Ready(Ok(()));
            }
            match self.poll_inner(breaker, cx, &mut poll_inner) {
                Poll::Ready(result) => {
                    self.stop_waiting();
                    if result.is_ok() {
                        self.promise = Promise::INNER_READY;
                    }
                    return Poll::Ready(result);
                }
                Poll::Pending if self.waits_for_inner(breaker, cx) => return Poll::Pending,
                Poll::Pending => {}
            }
        }
    }

    /// Returns for how many nanoseconds a call would be rejected, or `None` if it would be admitted. If this service
    /// waits while the circuit is open, it is pending until a call would be admitted.
    #[inline]
    fn poll_would_reject(
        &mut self,
        breaker: &BreakerRef,
        cx: &mut Context<'_>,
    ) -> Poll<Option<u64>> {
        match breaker.would_reject() {
            Some(_) if self.pending_while_open => {
                self.waiter(breaker).poll_admits(cx).map(|()| None)
            }
            wait => Poll::Ready(wait),
        }
    }

    /// Registers the task of a pending inner service for a change of the breaker. Returns `false` if the circuit has
    /// opened in the meantime, so that there is nothing to wait for.
    fn waits_for_inner(&mut self, breaker: &BreakerRef, cx: &Context<'_>) -> bool {
        self.waiter(breaker).register(cx);
        breaker.would_reject().is_none()
    }

    #[cold]
    #[inline(never)]
    fn ready_slow(&mut self) {
        self.promise = Promise::INNER_READY;
        self.stop_waiting();
    }

    #[inline(always)]
    fn promise_rejection(&mut self, wait: u64) {
        self.promise = Promise::REJECT;
        self.wait = wait;
        if self.waiter.is_some() {
            self.stop_waiting();
        }
    }

    /// Everything except a promise that the gate still confirms. It returns the permit, not the response future: a
    /// caller that polls the future at once keeps it in registers.
    #[cold]
    #[inline(never)]
    fn admit_slow(&mut self, breaker: &mut BreakerRef) -> Result<PermitState, CircuitOpen> {
        assert!(
            self.promise != Promise::NONE,
            "`CircuitBreaker::call` without a ready `poll_ready`"
        );
        let permit = breaker.admit()?;
        self.count_call(breaker);
        Ok(permit)
    }

    /// Counts a call of this clone. Many clones live for one call, so the first call uses the reference count that the
    /// clone was made with. The second call gives the clone its own reference count, which no other clone writes.
    fn count_call(&mut self, breaker: &mut BreakerRef) {
        match self.calls {
            Calls::None => self.calls = Calls::One,
            Calls::One => {
                *breaker = breaker.own();
                self.calls = Calls::Many;
                self.bookkeeping = false;
            }
            Calls::Many => {}
        }
    }

    fn waiter(&mut self, breaker: &BreakerRef) -> &mut Waiter {
        self.bookkeeping = true;
        self.waiter.get_or_insert_with(|| Box::new(Waiter::new(breaker.breaker())))
    }

    fn stop_waiting(&mut self) {
        if self.waiter.take().is_some() && self.calls == Calls::Many {
            self.bookkeeping = false;
        }
    }
}

/// A clone is not ready, and counts its own calls.
impl Clone for Readiness {
    fn clone(&self) -> Self {
        Self::new(self.pending_while_open)
    }
}

/// Guards a poll of the inner service. If the poll fails, by error or by panic, the guard is dropped, which takes the
/// promise back and counts a failure.
struct FailureGuard<'a> {
    breaker: &'a BreakerRef,
    promise: &'a mut Promise,
}

impl FailureGuard<'_> {
    #[inline(always)]
    fn ready(self) {
        mem::forget(self);
    }

    #[inline(always)]
    fn pending(self) {
        *self.promise = Promise::NONE;
        mem::forget(self);
    }
}

impl Drop for FailureGuard<'_> {
    fn drop(&mut self) {
        *self.promise = Promise::NONE;
        in_drop(|| self.breaker.unready());
    }
}
