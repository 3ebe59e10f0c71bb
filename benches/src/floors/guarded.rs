use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project::pin_project;
use tower_service::Service;

use super::{Answer, Gate};

/// A trip rule with its counters.
pub trait Rule: Send + Sync + 'static {
    /// The data that a running call carries.
    type Ticket;

    /// Admits a call. Returns `None` if the rule has just fired and rejects it.
    fn admit(&self, gate: &Gate) -> Option<Self::Ticket>;

    /// Records the result of a call.
    fn settle(&self, gate: &Gate, ticket: Self::Ticket, failed: bool);

    /// Records a call that was dropped before its end.
    #[inline]
    fn dropped(&self, gate: &Gate, ticket: Self::Ticket) {
        let _ = (gate, ticket);
    }
}

/// A service guarded by a floor.
pub struct Guarded<S, R, A> {
    inner: S,
    /// Cloned into every future. Each clone of the service has its own `Arc`, so that two threads do not contend on one
    /// reference count.
    local: Arc<Local<R>>,
    answer: A,
}

struct Local<R> {
    shared: Arc<Shared<R>>,
}

struct Shared<R> {
    gate: Gate,
    rule: R,
}

impl<S, R, A> Guarded<S, R, A> {
    /// Guards `inner` with `rule`. `answer` decides what a rejection becomes.
    pub fn new(inner: S, rule: R, answer: A) -> Self {
        let shared = Arc::new(Shared { gate: Gate::default(), rule });
        Self { inner, local: Arc::new(Local { shared }), answer }
    }
}

impl<S: Clone, R, A: Clone> Clone for Guarded<S, R, A> {
    fn clone(&self) -> Self {
        let local = Local { shared: Arc::clone(&self.local.shared) };
        Self { inner: self.inner.clone(), local: Arc::new(local), answer: self.answer.clone() }
    }
}

impl<S, R, A, Req> Service<Req> for Guarded<S, R, A>
where
    S: Service<Req>,
    R: Rule,
    A: Answer<S::Response, S::Error> + Clone,
{
    type Response = A::Response;
    type Error = A::Error;
    type Future = GuardedFuture<S::Future, R, A>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(A::error)
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        let Shared { gate, rule } = &*self.local.shared;
        if let Some(left) = gate.rejects() {
            return GuardedFuture::Rejected(left, self.answer.clone());
        }
        let Some(ticket) = rule.admit(gate) else {
            return GuardedFuture::Rejected(
                gate.rejects().unwrap_or_default(),
                self.answer.clone(),
            );
        };
        let running = Running { local: Arc::clone(&self.local), ticket: Some(ticket) };
        GuardedFuture::Running(self.inner.call(request), running)
    }
}

/// A call in flight. Dropping it reports the call to the rule.
pub struct Running<R: Rule> {
    local: Arc<Local<R>>,
    ticket: Option<R::Ticket>,
}

impl<R: Rule> Running<R> {
    #[inline]
    fn settle(&mut self, failed: bool) {
        let Shared { gate, rule } = &*self.local.shared;
        if let Some(ticket) = self.ticket.take() {
            rule.settle(gate, ticket, failed);
        }
    }
}

impl<R: Rule> Drop for Running<R> {
    #[inline]
    fn drop(&mut self) {
        let Shared { gate, rule } = &*self.local.shared;
        if let Some(ticket) = self.ticket.take() {
            rule.dropped(gate, ticket);
        }
    }
}

/// The future of a [`Guarded`] service.
#[pin_project(project = Stage)]
pub enum GuardedFuture<F, R: Rule, A> {
    /// The inner service was called.
    Running(#[pin] F, Running<R>),
    /// The call was rejected.
    Rejected(std::time::Duration, A),
}

impl<F, R, A, T, E> Future for GuardedFuture<F, R, A>
where
    F: Future<Output = Result<T, E>>,
    R: Rule,
    A: Answer<T, E>,
{
    type Output = Result<A::Response, A::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            Stage::Running(inner, running) => {
                let result = ready!(inner.poll(cx));
                running.settle(A::failed(&result));
                Poll::Ready(A::pass(result))
            }
            Stage::Rejected(left, answer) => Poll::Ready(answer.rejected(*left)),
        }
    }
}

impl<S, R, A> fmt::Debug for Guarded<S, R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").finish_non_exhaustive()
    }
}
