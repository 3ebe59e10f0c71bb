//! One call, as an executor with nothing else to do would make it.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use tower_service::Service;

/// `poll_ready`, `call` and one poll of the future, for its result.
///
/// # Panics
///
/// If the service is not ready or does not answer at once.
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
        Poll::Pending => panic!("the service does not answer at once"),
    }
}

/// The same, measured. What comes out is looked at and dropped where it is: copying what was just written in parts
/// stalls, and callers that look at a result do not copy it first.
#[inline]
fn once<S, Req>(service: &mut S, request: Req)
where
    S: Service<Req>,
{
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut cx).is_ready(), "the service is not ready");
    let answer = pin!(service.call(request)).poll(&mut cx);
    assert!(answer.is_ready(), "the service does not answer at once");
    black_box(&answer);
}

/// How often a call is polled before it is given up: many seconds.
const PATIENCE: u32 = 1 << 28;

/// The same for a service that may have to wait for the other thread: polled until it is over. Not for all, as a future
/// that may be polled again costs an unboxed one 2 ns.
fn waiting<S, Req>(service: &mut S, request: Req)
where
    S: Service<Req>,
{
    let until = |over: &mut dyn FnMut() -> bool| {
        let later = || {
            std::hint::spin_loop();
            false
        };
        let ended = (0..PATIENCE).any(|_| over() || later());
        assert!(ended, "the service never answers");
    };
    let mut cx = Context::from_waker(Waker::noop());
    until(&mut || service.poll_ready(&mut cx).is_ready());
    let mut future = pin!(service.call(request));
    until(&mut || black_box(&future.as_mut().poll(&mut cx)).is_ready());
}

type Calls = Box<dyn FnMut(u64) + Send>;

/// A service that can be called many times from here, and from a second thread through a clone.
pub struct Load {
    first: Calls,
    second: Calls,
}

impl Load {
    /// Calls `service` with what `request` makes. The clone is taken here: both share one breaker.
    pub fn new<S, Req>(service: S, request: fn() -> Req) -> Self
    where
        S: Service<Req> + Clone + Send + 'static,
        Req: 'static,
    {
        let clone = service.clone();
        Self { first: calls(service, request, once), second: calls(clone, request, once) }
    }

    /// The same for a service that makes calls wait while another thread is in it.
    pub fn waiting<S, Req>(service: S, request: fn() -> Req) -> Self
    where
        S: Service<Req> + Clone + Send + 'static,
        Req: 'static,
    {
        let clone = service.clone();
        Self { first: calls(service, request, waiting), second: calls(clone, request, waiting) }
    }

    /// What makes so many calls, and what makes as many on a second thread.
    pub fn of(
        first: impl FnMut(u64) + Send + 'static,
        second: impl FnMut(u64) + Send + 'static,
    ) -> Self {
        Self { first: Box::new(first), second: Box::new(second) }
    }

    /// The same, inside of what `enter` opens on the calling thread, as a runtime's context.
    pub fn within<G: 'static>(self, enter: fn() -> G) -> Self {
        let inside = |mut calls: Calls| -> Calls {
            Box::new(move |times| {
                let _open = enter();
                calls(times);
            })
        };
        Self { first: inside(self.first), second: inside(self.second) }
    }

    /// So many calls, one after the other.
    pub fn run(&mut self, calls: u64) {
        (self.first)(calls);
    }

    /// Both services, for two threads.
    pub fn both(&mut self) -> [&mut (dyn FnMut(u64) + Send); 2] {
        [&mut *self.first, &mut *self.second]
    }
}

/// In cache lines of its own: what a service writes into itself on every call is not beside what the other thread does.
#[repr(align(128))]
pub(crate) struct Apart<S>(pub(crate) S);

fn calls<S, Req>(
    service: S,
    request: fn() -> Req,
    call: impl Fn(&mut S, Req) + Send + 'static,
) -> Calls
where
    S: Service<Req> + Send + 'static,
    Req: 'static,
{
    let mut service = Apart(service);
    Box::new(move |calls| {
        let Apart(service) = &mut service;
        for _ in 0..calls {
            call(service, request());
        }
    })
}
