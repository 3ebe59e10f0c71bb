//! The guarded service. Each request contains a plan for its call.

use std::fmt;
use std::future::{Future, pending};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::sleep;
use tower::Service;
use tower_breaker::{Class, Outcome};

use crate::ledger::{Ledger, Ticket};

/// The plan of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// The number of times that the call yields.
    pub(crate) yields: u64,
    pub(crate) sleep: Option<Duration>,
    pub(crate) ending: Ending,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending {
    Answers(Outcome),
    Fails,
    PanicsInCall,
    PanicsInPoll,
    /// The response makes the classifier panic. The service has not failed.
    ConfusesTheClassifier,
    Hangs,
}

/// The result of the next `poll_ready`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Readiness {
    #[default]
    Ready,
    NotYet,
    Fails,
    Panics,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Reply(Option<Outcome>);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault;

/// The payload of every planned panic.
pub(crate) struct Planned;

pub(crate) fn classify(result: Result<&Reply, &Fault>) -> Outcome {
    match result {
        Ok(Reply(Some(outcome))) => *outcome,
        Ok(Reply(None)) => panic(),
        Err(Fault) => Outcome::failure(),
    }
}

/// Unwinds without calling the panic hook.
pub(crate) fn panic() -> ! {
    resume_unwind(Box::new(Planned))
}

/// Ends a call as planned.
pub(crate) fn finish(ending: Ending, ticket: Ticket) -> Result<Reply, Fault> {
    match ending {
        Ending::Answers(outcome) => {
            ticket.end(outcome.class());
            Ok(Reply(Some(outcome)))
        }
        Ending::ConfusesTheClassifier => {
            ticket.end(Class::Ignored);
            Ok(Reply(None))
        }
        Ending::Fails | Ending::Hangs => {
            ticket.end(Class::Failure);
            Err(Fault)
        }
        Ending::PanicsInCall | Ending::PanicsInPoll => {
            ticket.end(Class::Failure);
            panic()
        }
    }
}

/// The work of an admitted call.
pub(crate) async fn work(plan: Plan, ticket: Ticket) -> Result<Reply, Fault> {
    for _ in 0..plan.yields {
        yield_now().await;
    }
    if let Some(time) = plan.sleep {
        sleep(time).await;
    }
    if let Ending::Hangs = plan.ending {
        pending::<()>().await;
    }
    finish(plan.ending, ticket)
}

pub(crate) struct Inner {
    ledger: Arc<Ledger>,
    pub(crate) readiness: Readiness,
    ready: bool,
}

impl Inner {
    pub(crate) fn new(ledger: &Arc<Ledger>) -> Self {
        Self { ledger: Arc::clone(ledger), readiness: Readiness::Ready, ready: false }
    }
}

/// A clone is not ready.
impl Clone for Inner {
    fn clone(&self) -> Self {
        Self::new(&self.ledger)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("ready", &self.ready).finish_non_exhaustive()
    }
}

impl Service<Plan> for Inner {
    type Response = Reply;
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<Reply, Fault>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        match std::mem::take(&mut self.readiness) {
            Readiness::Ready => {}
            Readiness::NotYet => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Readiness::Fails => {
                self.ledger.unready();
                return Poll::Ready(Err(Fault));
            }
            Readiness::Panics => {
                self.ledger.unready();
                panic()
            }
        }
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, plan: Plan) -> Self::Future {
        if !std::mem::take(&mut self.ready) {
            self.ledger.wrong();
        }
        let ticket = self.ledger.enter();
        if let Ending::PanicsInCall = plan.ending {
            ticket.end(Class::Failure);
            panic()
        }
        Box::pin(work(plan, ticket))
    }
}
