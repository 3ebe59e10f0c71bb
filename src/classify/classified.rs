//! Verdicts that need more than there is.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What a classifier gives back: the result, or what waits for more of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Classified<T, L> {
    /// The result for the caller.
    Ready(T),
    /// A future of it. Its place is that of the guarded call: dropping it ends the call.
    Deferred(L),
}

/// What needs no waiting.
pub(super) type ReadyOnly<T> = Classified<T, NeverDeferred<T>>;

/// A future that does not exist, of a `T`. It takes no room.
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
    fn what_never_waits_takes_no_room() {
        assert_eq!(size_of::<Option<NeverDeferred<String>>>(), 0);
        assert_eq!(size_of::<ReadyOnly<u64>>(), size_of::<u64>());
    }
}
