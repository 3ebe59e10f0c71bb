//! Results that are classified at once, or after more of the body was read.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A classified result, or a future that first reads more of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Classified<T, D> {
    /// The result for the caller.
    Ready(T),
    /// A future that resolves to the result. It is part of the guarded call: dropping it ends the call.
    Deferred(D),
}

/// A result that is always classified at once.
pub(super) type ReadyOnly<T> = Classified<T, NeverDeferred<T>>;

/// The [`Classify::Deferred`](super::Classify::Deferred) of a classifier that never defers.
///
/// A value of this type cannot exist. Its size is 0.
pub struct NeverDeferred<T> {
    none: Infallible,
    output: PhantomData<fn() -> T>,
}

impl<T> Future for NeverDeferred<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        match self.none {}
    }
}

impl<T> fmt::Debug for NeverDeferred<T> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { none, output: _ } = self;
        match *none {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_future_that_cannot_exist_takes_no_space() {
        assert_eq!(size_of::<Option<NeverDeferred<String>>>(), 0);
        assert_eq!(size_of::<ReadyOnly<u64>>(), size_of::<u64>());
    }
}
