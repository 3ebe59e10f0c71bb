//! Futures that are dropped after a number of polls.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use crate::inner;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Polls {
    /// The future is dropped before the first poll.
    None,
    /// The future is dropped after at most this number of polls.
    Some(u64),
    /// The caller unwinds after one poll.
    OneAndPanic,
    All,
}

/// The output, if the future ends within its polls.
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
