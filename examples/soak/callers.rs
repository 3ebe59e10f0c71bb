//! Callers that use the tower service in both modes, and every method of the handle that makes a call.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::timeout;
use tower::Service;
use tower_breaker::classify::ClassifyFn;
use tower_breaker::{
    BreakerError, BreakerHandle, CircuitBreaker, Class, Outcome, Permit,
    rejection::RejectWithBreakerError,
};

use crate::inner::{self, Ending, Fault, Inner, Planned, Readiness, Reply, classify, finish, work};
use crate::ledger::{Ledger, Ticket};
use crate::plans;
use crate::polls::{Polls, polled};
use crate::random::Random;
use crate::regime::Regime;

pub(crate) type Classifier = fn(Result<&Reply, &Fault>) -> Outcome;
pub(crate) type Guarded = CircuitBreaker<Inner, ClassifyFn<Classifier>, RejectWithBreakerError>;
type Answer = Result<Reply, BreakerError<Fault>>;

/// The maximum time that a caller waits for a service that is pending while the circuit is open.
const PATIENCE: Duration = Duration::from_millis(4);

pub(crate) struct Caller {
    pub(crate) handle: BreakerHandle,
    pub(crate) rejecting: Guarded,
    pub(crate) pending: Guarded,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) regime: Arc<Regime>,
    pub(crate) random: Random,
    /// One call in this number of calls is long.
    pub(crate) long: u64,
    /// Permits that the caller settles later.
    pub(crate) held: Vec<(Permit, Ticket)>,
}

impl Caller {
    /// Makes one call in a random way.
    pub(crate) async fn turn(&mut self) {
        match self.random.below(32) {
            0..=15 => self.through_a_service(false).await,
            16 => self.through_a_service(true).await,
            17..=23 => self.through_run().await,
            _ => self.turn_at_once(),
        }
        if self.random.one_in(64)
            && let Some((permit, ticket)) = self.held.pop()
        {
            // Settles on a thread that is not one of the callers' threads.
            let plan = plans::at_once(&mut self.random);
            let settle = move || settle(permit, ticket, plan.ending);
            tokio::task::spawn_blocking(settle).await.expect("it catches what is planned");
        }
    }

    /// Makes one call that does not wait.
    pub(crate) fn turn_at_once(&mut self) {
        if self.random.one_in(2) {
            self.through_call();
        } else {
            self.through_a_permit();
        }
    }

    async fn through_a_service(&mut self, pending: bool) {
        let Self { rejecting, pending: waiting, ledger, regime, random, long, .. } = self;
        let kept = if pending { waiting } else { rejecting };
        let mut clone;
        let service = if random.one_in(2) {
            clone = kept.clone();
            &mut clone
        } else {
            kept
        };
        service.get_mut().readiness = readiness(random);
        let ready = poll_fn(|cx| {
            let _admitting = regime.admitting();
            service.poll_ready(cx)
        });
        match timeout(PATIENCE, AssertUnwindSafe(ready).catch_unwind()).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(BreakerError::Inner(Fault)))) | Err(_) => return,
            Ok(Ok(Err(BreakerError::Open(_)))) => return ledger.wrong(),
            Ok(Err(panic)) => return expect(&*panic, ledger),
        }
        match random.below(16) {
            // Abandons the call after readiness.
            0 => return drop(service.clone()),
            1 => drop(service.clone()),
            2 => tokio::task::yield_now().await,
            _ => {}
        }

        let plan = plans::any(random, *long);
        ledger.attempt();
        let before = ledger.entered();
        let call = catch_unwind(AssertUnwindSafe(|| {
            let _admitting = regime.admitting();
            service.call(plan)
        }));
        let future = match call {
            Ok(future) => future,
            Err(panic) => return expect(&*panic, ledger),
        };
        let entered = ledger.entered() != before;
        if !entered {
            ledger.reject();
        }
        let polls = if entered { plans::polls(random, &plan) } else { Polls::All };
        let answer = AssertUnwindSafe(polled(future, polls)).catch_unwind().await;
        match answer {
            Ok(answer) => check(answer, entered, ledger),
            Err(panic) => expect(&*panic, ledger),
        }
    }

    async fn through_run(&mut self) {
        let Self { handle, ledger, regime, random, long, .. } = self;
        let plan = plans::any(random, *long);
        let polls = plans::polls(random, &plan);
        if !matches!(polls, Polls::None) {
            ledger.attempt();
        }
        let before = ledger.entered();
        let guarded = async { work(plan, ledger.enter()).await };
        let run = handle.run_with(guarded, |result| classify(result.as_ref()));
        let mut run = std::pin::pin!(run);
        let run = poll_fn(|cx| {
            let _admitting = regime.admitting();
            run.as_mut().poll(cx)
        });
        let answer = AssertUnwindSafe(polled(run, polls)).catch_unwind().await;
        let entered = ledger.entered() != before;
        match answer {
            Ok(answer) => {
                if let Some(Err(BreakerError::Open(_))) = answer {
                    ledger.reject();
                }
                check(answer, entered, ledger);
            }
            Err(panic) => expect(&*panic, ledger),
        }
    }

    fn through_call(&mut self) {
        let Self { handle, ledger, regime, random, .. } = self;
        let plan = plans::at_once(random);
        ledger.attempt();
        let before = ledger.entered();
        let call = AssertUnwindSafe(|| {
            let _admitting = regime.admitting();
            let guarded = || finish(plan.ending, ledger.enter());
            match plan.ending {
                Ending::Fails => handle.call(guarded),
                _ => handle.call_with(guarded, |result| classify(result.as_ref())),
            }
        });
        match catch_unwind(call) {
            Ok(answer) => {
                let entered = ledger.entered() != before;
                if !entered {
                    ledger.reject();
                }
                check(Some(answer), entered, ledger);
            }
            Err(panic) => expect(&*panic, ledger),
        }
    }

    /// Takes a permit, and settles some of the held permits.
    fn through_a_permit(&mut self) {
        self.ledger.attempt();
        {
            let _admitting = self.regime.admitting();
            match self.handle.try_acquire() {
                Ok(permit) => self.held.push((permit, self.ledger.enter())),
                Err(_) => self.ledger.reject(),
            }
        }
        while self.held.len() as u64 > self.random.below(5) {
            let at = self.random.below(self.held.len() as u64) as usize;
            let (permit, ticket) = self.held.swap_remove(at);
            settle(permit, ticket, plans::at_once(&mut self.random).ending);
        }
    }
}

/// Settles a permit with an outcome, with one of the short methods, by dropping it, or by unwinding.
fn settle(permit: Permit, ticket: Ticket, ending: Ending) {
    match ending {
        Ending::Answers(outcome) => {
            ticket.end(outcome.class());
            match outcome {
                plain if plain == Outcome::success() => permit.success(),
                plain if plain == Outcome::ignored() => permit.ignore(),
                outcome => permit.settle(outcome),
            }
        }
        Ending::Fails => {
            ticket.end(Class::Failure);
            permit.failure();
        }
        Ending::Hangs | Ending::ConfusesTheClassifier => drop((permit, ticket)),
        // A holder that unwinds drops its permit.
        Ending::PanicsInCall | Ending::PanicsInPoll => {
            let holder = AssertUnwindSafe(|| {
                let _held = (permit, ticket);
                inner::panic()
            });
            let _planned: std::thread::Result<()> = catch_unwind(holder);
        }
    }
}

fn readiness(random: &mut Random) -> Readiness {
    match random.below(64) {
        0 => Readiness::Fails,
        1 => Readiness::Panics,
        2..=7 => Readiness::NotYet,
        _ => Readiness::Ready,
    }
}

/// Checks that the service answered an admitted call, and that the breaker answered a rejected one.
fn check(answer: Option<Answer>, entered: bool, ledger: &Ledger) {
    let Some(answer) = answer else { return };
    if matches!(answer, Err(BreakerError::Open(_))) == entered {
        ledger.wrong();
    }
}

/// Checks that a panic is planned.
fn expect(panic: &(dyn std::any::Any + Send), ledger: &Ledger) {
    if !panic.is::<Planned>() {
        ledger.wrong();
    }
}
