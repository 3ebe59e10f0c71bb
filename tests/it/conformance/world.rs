//! Runs the steps of a case, and reads the values after each step.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::pin::Pin;
use std::time::Duration;

use tokio::time::Instant;
use tower::load_shed::error::Overloaded;
use tower::util::BoxCloneService;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::{
    BreakerError, BreakerHandle, CircuitBreakerLayer, CircuitOpen, Config, Mode, Outcome, Permit,
    State,
};

use super::case::{Knobs, Step};
use super::seen::Breaker;
use super::setup::{Attempts, ms};

/// A guarded service whose calls never end by themselves.
type Guarded = BoxCloneService<(), (), BoxError>;

/// A call in flight.
enum Running {
    Permit(Permit),
    Call { _future: Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>> },
}

/// The result of a step.
#[derive(Default)]
struct Done {
    admission: Option<&'static str>,
    retry_after: Option<Duration>,
}

pub(crate) struct World {
    knobs: Knobs,
    breakers: BTreeMap<String, Breaker>,
    guarded: Option<Guarded>,
    calls: BTreeMap<String, Running>,
    rejected: BTreeMap<String, bool>,
    attempts: Attempts,
    start: Instant,
    /// The total duration of the calls so far. In the original breaker, the clock does not advance during a call.
    shift: Duration,
}

impl World {
    pub(crate) fn new(knobs: &Knobs, steps: &[Step]) -> Self {
        let attempts = Attempts::default();
        let mut names = knobs.breakers.clone();
        if names.is_empty() {
            names.push(steps.iter().find_map(|step| step.instance.clone()).unwrap_or_default());
        }
        let make = |name: String| {
            let handle = knobs.handle(&name, steps, &attempts);
            (name, Breaker::new(handle, knobs.eager()))
        };
        let breakers: BTreeMap<_, _> = names.into_iter().map(make).collect();
        let guarded = knobs.bulkhead.map(|most| {
            let handle = &breakers.values().next().expect("one breaker").handle;
            let service = ServiceBuilder::new()
                .load_shed()
                .concurrency_limit(most)
                .layer(CircuitBreakerLayer::join(handle, Config::default()))
                .service(service_fn(|()| pending::<Result<(), BoxError>>()));
            BoxCloneService::new(service)
        });
        Self {
            knobs: knobs.clone(),
            breakers,
            guarded,
            calls: BTreeMap::new(),
            rejected: BTreeMap::new(),
            attempts,
            start: Instant::now(),
            shift: Duration::ZERO,
        }
    }

    /// Runs one step, and returns the values of the given fields.
    pub(crate) async fn step<'a>(
        &mut self,
        step: &Step,
        fields: impl Iterator<Item = &'a String>,
    ) -> BTreeMap<String, String> {
        let wait =
            (self.start + ms(step.at_ms) + self.shift).saturating_duration_since(Instant::now());
        pass(wait).await;
        let name = step.breaker.as_ref().or(step.instance.as_ref());
        let mut done = Done::default();
        if step.op == "attach" {
            // A second layer joins the breaker. It stands for a second instance within one process.
            let first = &self.breakers.values().next().expect("one breaker").handle;
            let second = CircuitBreakerLayer::join(first, Config::default()).handle();
            let name = name.expect("an instance").clone();
            self.breakers.insert(name, Breaker::new(second, false));
        }
        let names: Vec<_> = match name.map(String::as_str) {
            None => self.breakers.keys().take(1).cloned().collect(),
            Some("*") => self.breakers.keys().cloned().collect(),
            Some(name) => vec![name.to_owned()],
        };
        for name in &names {
            let handle = self.breakers[name].handle.clone();
            done = self.act(step, &handle).await;
        }
        pass(Duration::ZERO).await;
        let breaker = self.breakers.get_mut(&names[0]).expect("a known breaker");
        breaker.listen();
        fields.map(|field| (field.clone(), self.show(&names[0], step, &done, field))).collect()
    }

    async fn act(&mut self, step: &Step, handle: &BreakerHandle) -> Done {
        match step.op.as_str() {
            "call" | "probe" => return self.call(step, handle).await,
            "begin" => return self.begin(step, handle).await,
            "resolve" => {
                let rejected = self.rejected[&step.call];
                return Done { admission: rejected.then_some("rejected"), retry_after: None };
            }
            "bulk" => {
                let permits =
                    |many: u32| (0..many).map(|_| handle.try_acquire().expect("admitted"));
                permits(step.ok).for_each(Permit::success);
                permits(step.fail).for_each(Permit::failure);
            }
            "end" => match self.calls.remove(&step.call) {
                Some(Running::Permit(permit)) => permit.settle(outcome(step)),
                _ => panic!("call {:?} is not in flight", step.call),
            },
            "cancel" => drop(self.calls.remove(&step.call).expect("a call in flight")),
            "force_open" => {
                // Their `force_open` is an open period with an end. Our `force_open` is their `hold_open`.
                handle.hold_for(step.for_ms.map_or(self.knobs.first_cooldown(), ms));
            }
            "force_half_open" => {
                handle.force_closed();
                handle.hold_for(Duration::ZERO);
            }
            "force_closed" => handle.force_closed(),
            "hold_open" => handle.force_open(None),
            "metrics_only" => handle.shadow(),
            "check" | "attach" => {}
            op => panic!("unknown step: {op}"),
        }
        Done::default()
    }

    /// Makes a whole call. Its duration passes, and its result is returned unchanged.
    async fn call(&mut self, step: &Step, handle: &BreakerHandle) -> Done {
        let took = ms(step.duration_ms);
        let expected = if step.outcome == "ok" { Ok(()) } else { Err("the error of the call") };
        let call = async {
            pass(took).await;
            expected
        };
        match handle.run_with(call, |_| outcome(step)).await {
            Err(BreakerError::Open(open)) => rejected(&open),
            result => {
                assert_eq!(
                    result,
                    expected.map_err(BreakerError::Inner),
                    "the result is that of the call"
                );
                self.shift += took;
                Done { admission: Some("allowed"), retry_after: None }
            }
        }
    }

    async fn begin(&mut self, step: &Step, handle: &BreakerHandle) -> Done {
        let running = match &self.guarded {
            None => handle.try_acquire().map(Running::Permit).map_err(BoxError::from),
            Some(guarded) => {
                let mut guarded = guarded.clone();
                guarded.ready().await.expect("ready");
                let mut future = guarded.call(());
                match futures_util::poll!(&mut future) {
                    std::task::Poll::Pending => Ok(Running::Call { _future: future }),
                    std::task::Poll::Ready(done) => Err(done.expect_err("a call never succeeds")),
                }
            }
        };
        self.rejected.insert(step.call.clone(), running.is_err());
        match running {
            Ok(running) => {
                self.calls.insert(step.call.clone(), running);
                Done { admission: Some("allowed"), retry_after: None }
            }
            Err(error) if error.is::<Overloaded>() => {
                Done { admission: Some("bulkhead_full"), retry_after: None }
            }
            Err(error) => rejected(CircuitOpen::find(&*error).expect("a rejection")),
        }
    }

    fn show(&self, name: &str, step: &Step, done: &Done, field: &str) -> String {
        let breaker = &self.breakers[name];
        let totals = breaker.handle.snapshot().totals;
        let window = breaker.window();
        let rate = |rate: Option<f64>| rate.map_or("none".into(), |rate| rate.to_string());
        match field {
            "admission" => done.admission.unwrap_or("none").into(),
            "retry_after_ms" => {
                done.retry_after.map_or("none".into(), |wait| wait.as_millis().to_string())
            }
            "state" => breaker.state(step.op == "check"),
            "metrics.buffered" => window.calls.to_string(),
            "metrics.failed" => window.failures.to_string(),
            "metrics.succeeded" => (window.calls - window.failures).to_string(),
            "metrics.slow" => window.slow.to_string(),
            "metrics.failure_rate" => rate(window.failure_rate),
            "metrics.slow_rate" => rate(window.slow_rate),
            "metrics.consecutive_failures" => window.consecutive_failures.to_string(),
            "metrics.requests" => totals.admitted.expect("tracked").to_string(),
            "metrics.not_permitted" => totals.rejected.to_string(),
            "metrics.ignored" => totals.ignored.to_string(),
            "metrics.late" => totals.late.to_string(),
            "metrics.would_reject" => totals.would_reject.to_string(),
            "metrics.attempt_log" => {
                let attempts = self.attempts.lock().expect("not poisoned");
                attempts.iter().map(u32::to_string).collect::<Vec<_>>().join(" ")
            }
            "events.opened" => breaker.count(Mode::Normal, |to| to == State::Open),
            "events.half_opened" => breaker.count(Mode::Normal, |to| to == State::HalfOpen),
            "events.closed" => breaker.count(Mode::Normal, |to| to == State::Closed),
            // In shadow mode the circuit opens and no call is rejected.
            "events.threshold_exceeded" => breaker.count(Mode::Shadow, |to| to == State::Open),
            "events.state_transition" => breaker.count(Mode::Normal, |_| true),
            field => panic!("unknown field: {field}"),
        }
    }
}

fn rejected(open: &CircuitOpen) -> Done {
    Done { admission: Some("rejected"), retry_after: open.retry_after() }
}

fn outcome(step: &Step) -> Outcome {
    match (step.outcome.as_str(), step.server_delay_ms) {
        // A response that requests a pause opens the circuit. The wait of a failure only lengthens an open period.
        ("fail", Some(wait)) => Outcome::throttled().retry_after(ms(wait)),
        ("fail", None) => Outcome::failure(),
        ("ok", None) => Outcome::success(),
        ("ignored" | "unrecorded", None) => Outcome::ignored(),
        ("rate_limited", None) => Outcome::throttled(),
        other => panic!("unknown outcome: {other:?}"),
    }
}

/// Advances the clock and lets all woken tasks run.
pub(crate) async fn pass(time: Duration) {
    if !time.is_zero() {
        tokio::time::advance(time).await;
    }
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
}
