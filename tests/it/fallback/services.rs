//! Services that enforce the contract of tower and record what happened to them.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tower::{BoxError, Service};

/// Counts the clones, polls and calls of a [`Strict`] and its clones.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) clones: AtomicUsize,
    pub(crate) polls: AtomicUsize,
    pub(crate) calls: AtomicUsize,
}

impl Seen {
    pub(crate) fn clones(&self) -> usize {
        self.clones.load(Relaxed)
    }

    pub(crate) fn polls(&self) -> usize {
        self.polls.load(Relaxed)
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Relaxed)
    }
}

/// The result of `poll_ready` for the next clone of a [`Strict`]. A clone without a plan is ready.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Readiness {
    Never,
    Broken,
}

/// Panics if the instance that is called was not polled ready before.
pub(crate) struct Strict<F> {
    ready: bool,
    readiness: Option<Readiness>,
    plan: Arc<Mutex<VecDeque<Readiness>>>,
    seen: Arc<Seen>,
    f: F,
}

impl<F> Strict<F> {
    pub(crate) fn new(f: F) -> (Self, Arc<Seen>) {
        let seen = Arc::new(Seen::default());
        let plan = Arc::default();
        (Self { ready: false, readiness: None, plan, seen: Arc::clone(&seen), f }, seen)
    }

    /// Sets the result of `poll_ready` for this instance.
    pub(crate) fn readiness(mut self, readiness: Readiness) -> Self {
        self.readiness = Some(readiness);
        self
    }

    /// Sets the results of `poll_ready` for the clones of this instance, in the order in which they are made.
    pub(crate) fn clones_are(self, plan: impl IntoIterator<Item = Readiness>) -> Self {
        self.plan.lock().unwrap().extend(plan);
        self
    }
}

impl<F: Clone> Clone for Strict<F> {
    fn clone(&self) -> Self {
        self.seen.clones.fetch_add(1, Relaxed);
        Self {
            ready: false,
            readiness: self.plan.lock().unwrap().pop_front(),
            plan: Arc::clone(&self.plan),
            seen: Arc::clone(&self.seen),
            f: self.f.clone(),
        }
    }
}

impl<F, Fut, Req, Res> Service<Req> for Strict<F>
where
    F: FnMut(Req) -> Fut,
    Fut: Future<Output = Result<Res, BoxError>>,
{
    type Response = Res;
    type Error = BoxError;
    type Future = Fut;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.seen.polls.fetch_add(1, Relaxed);
        match self.readiness {
            Some(Readiness::Never) => Poll::Pending,
            Some(Readiness::Broken) => Poll::Ready(Err("broken for good".into())),
            None => {
                self.ready = true;
                Poll::Ready(Ok(()))
            }
        }
    }

    fn call(&mut self, request: Req) -> Fut {
        assert!(std::mem::take(&mut self.ready), "called without having been polled ready");
        self.seen.calls.fetch_add(1, Relaxed);
        (self.f)(request)
    }
}

/// Counts how often it and its clones were dropped.
#[derive(Debug, Clone)]
pub(crate) struct Bell(Arc<AtomicUsize>);

impl Bell {
    pub(crate) fn new() -> (Self, Arc<AtomicUsize>) {
        let rung = Arc::new(AtomicUsize::new(0));
        (Self(Arc::clone(&rung)), rung)
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// A value that is not `Clone`.
#[derive(Debug, PartialEq)]
pub(crate) struct Plain(pub(crate) u32);

/// The error of the primary, which tests recognise by its text.
pub(crate) fn down() -> BoxError {
    "primary down".into()
}

/// Polls a service once.
pub(crate) async fn poll_ready_once<S, Req>(service: &mut S) -> Poll<Result<(), S::Error>>
where
    S: Service<Req>,
{
    poll_fn(|cx| Poll::Ready(service.poll_ready(cx))).await
}

/// Polls a future once.
pub(crate) async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))).await
}
