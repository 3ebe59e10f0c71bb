//! How often a caller polls before it goes away.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use crate::inner;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Polls {
    /// Dropped before the first one.
    None,
    /// At most so many, then it is dropped.
    Some(u64),
    /// One, then the caller itself unwinds.
    OneAndPanic,
    All,
}

/// The output, if it came in time.
pub(crate) async fn polled<F: Future>(future: F, polls: Polls) -> Option<F::Output> {
    let mut future = pin!(future);
    let most = match polls {
        Polls::None => return None,
        Polls::All => return Some(future.await),
        Polls::Some(most) => most,
        Polls::OneAndPanic => 1,
    };
    let mut done = 0;
    let output = poll_fn(|cx| {
        done += 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if done == most => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    });
    match output.await {
        None if polls == Polls::OneAndPanic => inner::panic(),
        output => output,
    }
}
