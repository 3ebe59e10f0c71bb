//! One call, as an idle executor makes it.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use tower_service::Service;

/// Makes one call with `poll_ready`, `call` and one poll of the future, and returns its result.
///
/// # Panics
///
/// Panics if the service is not ready or does not respond immediately.
pub fn drive<S, Req>(service: &mut S, request: Req) -> Result<S::Response, S::Error>
where
    S: Service<Req>,
{
    let mut cx = Context::from_waker(Waker::noop());
    match service.poll_ready(&mut cx) {
        Poll::Ready(Ok(())) => {}
        Poll::Ready(Err(error)) => return Err(error),
        Poll::Pending => panic!("the service is not ready"),
    }
    match pin!(service.call(request)).poll(&mut cx) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("the service does not respond immediately"),
    }
}

/// Makes one call that is measured. The result is inspected and dropped in place: a copy of a value that was just
/// written in parts stalls, and callers that inspect a result do not copy it first.
#[inline]
fn once<S, Req>(service: &mut S, request: Req)
where
    S: Service<Req>,
{
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut cx).is_ready(), "the service is not ready");
    let poll = pin!(service.call(request)).poll(&mut cx);
    assert!(poll.is_ready(), "the service does not respond immediately");
    black_box(&poll);
}

/// The number of polls after which a call counts as hung. They take many seconds.
const MAX_POLLS: u32 = 1 << 28;

/// Makes one call of a service that may wait for the other thread, and polls until it ends. Other services use
/// [`once`], because a future that may be polled again costs 2 ns more if it is unboxed.
fn waiting<S, Req>(service: &mut S, request: Req)
where
    S: Service<Req>,
{
    let until = |ready: &mut dyn FnMut() -> bool| {
        let spin = || {
            std::hint::spin_loop();
            false
        };
        let ended = (0..MAX_POLLS).any(|_| ready() || spin());
        assert!(ended, "the service never responds");
    };
    let mut cx = Context::from_waker(Waker::noop());
    until(&mut || service.poll_ready(&mut cx).is_ready());
    let mut future = pin!(service.call(request));
    until(&mut || black_box(&future.as_mut().poll(&mut cx)).is_ready());
}

type Calls = Box<dyn FnMut(u64) + Send>;

/// A service that can be called many times, and from a second thread through a clone.
pub struct Load {
    first: Calls,
    second: Calls,
}

impl Load {
    /// Calls `service` with the requests that `request` creates. The clone is made here, so that both share one
    /// breaker.
    pub fn new<S, Req>(service: S, request: fn() -> Req) -> Self
    where
        S: Service<Req> + Clone + Send + 'static,
        Req: 'static,
    {
        let clone = service.clone();
        Self { first: calls(service, request, once), second: calls(clone, request, once) }
    }

    /// Like [`new`](Self::new), for a service in which a call may wait for another thread.
    pub fn waiting<S, Req>(service: S, request: fn() -> Req) -> Self
    where
        S: Service<Req> + Clone + Send + 'static,
        Req: 'static,
    {
        let clone = service.clone();
        Self { first: calls(service, request, waiting), second: calls(clone, request, waiting) }
    }

    /// Creates a load from two functions that make the given number of calls. `second` runs on the second thread.
    pub fn of(
        first: impl FnMut(u64) + Send + 'static,
        second: impl FnMut(u64) + Send + 'static,
    ) -> Self {
        Self { first: Box::new(first), second: Box::new(second) }
    }

    /// Holds the guard that `enter` returns, such as a runtime's context, while calls are made.
    pub fn within<G: 'static>(self, enter: fn() -> G) -> Self {
        let inside = |mut calls: Calls| -> Calls {
            Box::new(move |times| {
                let _guard = enter();
                calls(times);
            })
        };
        Self { first: inside(self.first), second: inside(self.second) }
    }

    /// Makes `calls` calls, one after the other.
    pub fn run(&mut self, calls: u64) {
        (self.first)(calls);
    }

    /// Returns both functions, for two threads.
    pub fn both(&mut self) -> [&mut (dyn FnMut(u64) + Send); 2] {
        [&mut *self.first, &mut *self.second]
    }
}

/// A value that shares no cache line with another one. A service that writes to itself on every call does not slow down
/// the other thread.
#[repr(align(128))]
pub(crate) struct CachePadded<S>(pub(crate) S);

fn calls<S, Req>(
    service: S,
    request: fn() -> Req,
    call: impl Fn(&mut S, Req) + Send + 'static,
) -> Calls
where
    S: Service<Req> + Send + 'static,
    Req: 'static,
{
    let mut service = CachePadded(service);
    Box::new(move |calls| {
        let CachePadded(service) = &mut service;
        for _ in 0..calls {
            call(service, request());
        }
    })
}
