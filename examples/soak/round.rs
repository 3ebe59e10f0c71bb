//! A round: one breaker from its first call to its last.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};
use tower::Layer;
use tower_breaker::classify::ClassifyFn;
use tower_breaker::{
    CircuitBreakerLayer, Config, handle::Totals, rejection::RejectWithBreakerError,
};

use crate::callers::{Caller, Classifier};
use crate::claims::{self, Broken, Ours};
use crate::inner::{Inner, classify};
use crate::ledger::{Counts, Ledger};
use crate::listeners::{Heard, hears, once, waits};
use crate::operators::{Operator, reads};
use crate::random::Random;
use crate::recovery;
use crate::regime::Regime;
use crate::setups::{MS, Policy, Shape};
use crate::stop::Stop;

const TASKS: u64 = 32;
const THREADS: u64 = 2;
const OPERATORS: u64 = 2;
const WAITERS: usize = 4;

/// The time within which every task must end after the round.
const END: Duration = Duration::from_secs(20);

/// The events of a round beside the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing opens the circuit.
    Calm,
    /// Only the rules open and close the circuit.
    Rules,
    /// Operators use every verb except `disable`.
    Operators,
    /// Operators use every verb.
    Disabling,
}

pub(crate) const KINDS: [Kind; 4] = [Kind::Calm, Kind::Rules, Kind::Operators, Kind::Disabling];

impl Kind {
    pub(crate) fn has_operators(self) -> bool {
        matches!(self, Self::Operators | Self::Disabling)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    pub(crate) shape: Shape,
    pub(crate) seed: u64,
    pub(crate) time: Duration,
}

/// The result of a round.
pub(crate) struct Played {
    pub(crate) kind: Kind,
    pub(crate) ours: Ours,
    pub(crate) theirs: Totals,
    pub(crate) heard: Vec<Heard>,
    pub(crate) wakes: u64,
    pub(crate) verbs: u64,
    pub(crate) broken: Broken,
}

type Layered = CircuitBreakerLayer<ClassifyFn<Classifier>, RejectWithBreakerError>;

impl Round {
    pub(crate) async fn play(self) -> Played {
        let name: Arc<str> = Arc::from(format!("round {}", self.number));
        let mut played = self.play_named(&name).await;
        played.broken.unless(Arc::strong_count(&name) == 1, || "the breaker is still there".into());
        for claim in &mut played.broken.0 {
            *claim = format!("{name}, {:?}, {:?}: {claim}", self.kind, self.shape);
        }
        played
    }

    async fn play_named(self, name: &Arc<str>) -> Played {
        let policy = Policy::of(self.number);
        let regime = Arc::new(Regime::new(self.kind == Kind::Disabling));
        let (rejecting, pending) = self.layers(name, policy);
        let handle = rejecting.handle();
        if self.kind == Kind::Calm && self.number % 8 < 4 {
            // In shadow mode the rules run, and no call is rejected.
            handle.shadow();
        }

        let first = handle.snapshot().epoch;
        let (stop, last_wait, silence) = (Stop::default(), Stop::default(), Stop::default());
        let mut receivers = JoinSet::new();
        for slow in [None, Some(1), Some(2)] {
            let slow = slow.map(|user| self.random(2_000 + user));
            receivers.spawn(hears(handle.events(), first, silence.clone(), slow));
        }
        let mut waiters = JoinSet::new();
        for _ in 0..WAITERS {
            waiters.spawn(waits(handle.watch(), last_wait.clone()));
        }
        let mut readers = JoinSet::new();
        readers.spawn(reads(handle.clone(), stop.clone()));
        let mut operators = JoinSet::new();
        for user in 0..OPERATORS {
            let (handle, regime, stop) = (handle.clone(), Arc::clone(&regime), stop.clone());
            let (Self { kind, shape, .. }, random) = (self, self.random(1_000 + user));
            operators.spawn(Operator { handle, regime, kind, shape, policy, random, stop }.acts());
        }
        let mut callers = JoinSet::new();
        let mut ledgers = Vec::new();
        for user in 0..TASKS + THREADS {
            let ledger = Ledger::new(&regime);
            let inner = Inner::new(&ledger);
            let caller = Caller {
                handle: handle.clone(),
                rejecting: rejecting.layer(inner.clone()),
                pending: pending.layer(inner),
                ledger: Arc::clone(&ledger),
                regime: Arc::clone(&regime),
                random: self.random(user),
                long: self.shape.long(),
                held: Vec::new(),
            };
            let stop = stop.clone();
            if user < TASKS {
                callers.spawn(calls(caller, stop));
            } else {
                callers.spawn(async {
                    spawn_blocking(|| calls_at_once(caller, stop)).await.expect("it ends")
                });
            }
            ledgers.push(ledger);
        }
        drop((rejecting, pending));

        sleep(self.time).await;
        stop.set();
        let mut broken = Broken::default();
        all(callers, "a caller", &mut broken).await;
        let verbs = all(operators, "an operator", &mut broken).await.iter().sum();
        let read = all(readers, "a reader", &mut broken).await;
        broken.0.extend(read.into_iter().flatten());

        let called: Counts = ledgers.iter().map(|ledger| ledger.counts()).sum();
        let called = Ours { counts: called, counted: claims::by_policy(&called, policy) };
        if self.kind == Kind::Calm {
            let calm = handle.snapshot();
            broken.unless(calm.epoch == first, || format!("the circuit opened: {calm:?}"));
            claims::calm(&mut broken, &called, &calm.totals);
        }
        let ledger = Ledger::new(&regime);
        recovery::check(&handle, &regime, &ledger, &mut broken).await;
        let asked = ledger.counts();
        let ours = called + Ours { counts: asked, counted: asked.ended };

        // All waiters must be waiting when the last change comes. No change follows it.
        waiters.spawn(once(handle.changed(), last_wait.clone()));
        sleep(MS * 5).await;
        last_wait.set();
        handle.reset();
        let last = handle.snapshot().epoch;
        let wakes = all(waiters, "a waiter", &mut broken).await.iter().sum();
        silence.set();
        let heard = all(receivers, "a receiver", &mut broken).await;
        for heard in &heard {
            claims::heard(&mut broken, heard, first, last);
        }

        let theirs = handle.snapshot().totals;
        claims::always(&mut broken, &ours, &theirs);
        Played { kind: self.kind, ours, theirs, heard, wakes, verbs, broken }
    }

    fn random(self, user: u64) -> Random {
        Random::new(self.seed, self.number * 10_000 + user)
    }

    /// Two layers of one breaker: one rejects calls, the other is pending while the circuit is open.
    fn layers(self, name: &Arc<str>, policy: Policy) -> (Layered, Layered) {
        let calm = self.kind == Kind::Calm;
        let mut random = self.random(3_000);
        let settings = match calm {
            true => self.shape.calm(policy, &mut random),
            false => self.shape.restless(policy, &mut random),
        };
        let config = Config::default()
            .name(Arc::clone(name))
            .settings(settings)
            .classify_fn(classify as Classifier)
            .on_rejected(RejectWithBreakerError);
        let config = match self.shape {
            Shape::CustomRule => config.trip_when(move |window| {
                !calm && window.calls >= 10 && 2 * window.failures >= window.calls
            }),
            _ => config,
        };
        let rejecting = CircuitBreakerLayer::new(config.clone());
        let pending = CircuitBreakerLayer::join(&rejecting.handle(), config.pending_while_open());
        (rejecting, pending)
    }
}

async fn calls(mut caller: Caller, stop: Stop) {
    while !stop.is_set() {
        let rejected = caller.ledger.rejected();
        caller.turn().await;
        if caller.ledger.rejected() != rejected && caller.random.one_in(4) {
            // Without the pause, callers that are rejected would make nearly all calls.
            sleep(MS).await;
        } else {
            tokio::task::yield_now().await;
        }
    }
}

fn calls_at_once(mut caller: Caller, stop: Stop) {
    while !stop.is_set() {
        let rejected = caller.ledger.rejected();
        caller.turn_at_once();
        if caller.ledger.rejected() != rejected || caller.random.one_in(256) {
            std::thread::yield_now();
        }
    }
}

/// The outputs of all tasks. A task that fails or does not end is a broken claim.
async fn all<T: 'static>(mut tasks: JoinSet<T>, who: &str, broken: &mut Broken) -> Vec<T> {
    let mut done = Vec::new();
    loop {
        match timeout(END, tasks.join_next()).await {
            Ok(None) => return done,
            Ok(Some(Ok(output))) => done.push(output),
            Ok(Some(Err(error))) => broken.0.push(format!("{who} failed: {error}")),
            Err(_) => {
                broken.0.push(format!("{who} did not end"));
                return done;
            }
        }
    }
}
