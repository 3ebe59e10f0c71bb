//! The policy that judges as the breaker does.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Sleep, sleep};
use tower::retry::Policy;
use tower::retry::budget::Budget;

use super::clone::{CloneFn, CloneRequest, Cloned};
use super::delay::Delay;
use super::judge::JudgeRetry;
use super::patience::Patience;
use crate::backoff::Backoff;
use crate::classify::{ClassifyFn, RetryAdvice};
use crate::error::AsRejection;
use crate::fallback::ByResponse;
use crate::outcome::{Class, Outcome};

/// A [`tower::retry::Policy`] with the verdicts and waits of the breaker. What it does is in the
/// [module docs](super).
///
/// ```
/// # #[cfg(feature = "http")] #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use std::time::Duration;
/// use http::{Request, Response};
/// use tower::retry::RetryLayer;
/// use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
/// use tower_breaker::{CircuitBreakerLayer, Config, retry::RetryPolicy};
/// # let client = service_fn(|_: Request<String>| async {
/// #     Ok::<_, BoxError>(Response::builder().status(503).body(String::new()).unwrap())
/// # });
///
/// let breaker = CircuitBreakerLayer::new(Config::http_client());
/// let handle = breaker.handle();
/// let service = ServiceBuilder::new()
///     .layer(RetryLayer::new(RetryPolicy::new(2))) // outside of the breaker: every attempt asks it and counts
///     .layer(breaker)
///     .timeout(Duration::from_secs(30)) // inside, so that a timeout is seen
///     .service(client);
///
/// let response = service.oneshot(Request::new(String::new())).await.unwrap();
/// assert_eq!(response.status(), 503);
/// assert_eq!(handle.snapshot().totals.failure, 3); // one attempt and two retries
/// # }
/// # #[cfg(not(feature = "http"))] fn main() {}
/// ```
///
/// # Other services
///
/// The response has to be [`ToOutcome`](crate::classify::ToOutcome), as `http::Response` is, and the error [`AsRejection`], as `BoxError`
/// is. [`classify`](Self::classify) and [`classify_fn`](Self::classify_fn) judge in place of the response, with the same
/// argument as the methods of that name on [`Config`](crate::Config).
///
/// # Runtime
///
/// Needs a tokio runtime with time.
///
/// # Clone
///
/// tower clones the policy for every request, and with it what is left of its retries and waits; the budget is shared.
/// Costs the copy of a few words, and one reference count with a budget.
#[derive(Clone, Debug)]
#[must_use]
pub struct RetryPolicy<J = ByResponse, C = Cloned> {
    judge: J,
    clone: C,
    retries: u32,
    made: u32,
    delay: Delay,
    patience: Patience,
    budget: Option<SharedBudget>,
}

impl RetryPolicy {
    /// At most so many retries of one request, after its first attempt.
    ///
    /// 2 is what the SDKs of OpenAI and Anthropic do. 0 never retries.
    pub const fn new(retries: u32) -> Self {
        Self {
            judge: ByResponse,
            clone: Cloned,
            retries,
            made: 0,
            delay: Delay::DEFAULT,
            patience: Patience::NONE,
            budget: None,
        }
    }
}

impl<J, C> RetryPolicy<J, C> {
    /// The wait before a retry where the server asked for none: retry *a*, from 0 on, waits `initial * multiplier^a`, at
    /// most `max`.
    ///
    /// The jitter only shortens it here: 0.25 is 75 % to 100 %. Half of the long waits would else be cut to the same
    /// `max`. A multiplier below 1 is taken as 1, and a jitter outside of 0 to 1 as the nearer end.
    ///
    /// Default: 500 ms, doubled up to 8 s, jitter 0.25: the figures of the SDKs of OpenAI and Anthropic
    /// (`_base_client.py`).
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.delay.set_backoff(backoff);
        self
    }

    /// The longest wait of a server that is obeyed, before the 10 % to 20 % that are added. A call whose server asks for
    /// longer is not retried at all: earlier would be against what it was told, and later helps no caller.
    ///
    /// The backoff has a maximum of its own. Default: 60 s; up to there Portkey's gateway and most releases of
    /// openai-python obey.
    pub const fn max_wait(mut self, max: Duration) -> Self {
        self.delay.max_wait = max;
        self
    }

    /// Retries of all requests together: each success deposits, each retry withdraws, and without cover there is none.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use std::sync::Arc;
    /// use tower::retry::budget::TpsBudget;
    /// use tower_breaker::retry::RetryPolicy;
    ///
    /// // 10 retries per second, and one more for every five successes.
    /// let policy = RetryPolicy::new(2).budget(Arc::new(TpsBudget::default()));
    /// # let _ = policy;
    /// # }
    /// ```
    ///
    /// Default: none. In an outage the breaker ends the retries. What it lets pass, such as every third call failing,
    /// is multiplied by them, at most by their number: with much traffic, set one. A success of a request that cannot
    /// be cloned is not seen and deposits nothing.
    pub fn budget<B>(mut self, budget: Arc<B>) -> Self
    where
        B: Budget + Send + Sync + 'static,
    {
        self.budget = Some(SharedBudget(budget));
        self
    }

    /// Waits for an open circuit instead of giving up, if the rejection knows for how long and that is at most `max`.
    ///
    /// The call is then made again without using up a retry or the budget, for the dependency was not called.
    ///
    /// Default: a rejection is final.
    pub const fn wait_for_circuit(mut self, max: Duration) -> Self {
        self.patience.up_to = Some(max);
        self
    }

    /// How often one request waits for the circuit at most; the rejection after that is final.
    ///
    /// Many requests that wait for one circuit wake together, and all but the probe are rejected again. Default: 1.
    pub const fn max_circuit_waits(mut self, waits: u32) -> Self {
        self.patience.waits = waits;
        self
    }

    /// Judges by a classifier of the breaker in place of the response's own verdict: `Http`, `Grpc`, `Llm`, `ErrorsAsFailures`.
    ///
    /// ```
    /// # #[cfg(feature = "http")] {
    /// use tower_breaker::{Config, classify::Http, retry::RetryPolicy};
    ///
    /// let http = Http::client().failure_on([408, 409]);
    /// let config = Config::http_client().classify(http.clone());
    /// let policy = RetryPolicy::new(2).classify(http);
    /// # let _ = (config, policy);
    /// # }
    /// ```
    pub fn classify<J2>(self, judge: J2) -> RetryPolicy<J2, C> {
        let Self { judge: _, clone, retries, made, delay, patience, budget } = self;
        RetryPolicy { judge, clone, retries, made, delay, patience, budget }
    }

    /// Judges by a closure that sees the whole `Result`, and takes any response.
    ///
    /// It has the last word: `x-should-retry` and the like are not read beside it. A rejection in an error is still
    /// never retried, and not shown to it.
    ///
    /// ```
    /// use tower_breaker::{BoxError, Outcome, retry::RetryPolicy};
    ///
    /// let policy = RetryPolicy::new(2).classify_fn(|result: Result<&u32, &BoxError>| match result {
    ///     Ok(0) => Outcome::throttled(),
    ///     Ok(_) => Outcome::success(),
    ///     Err(_) => Outcome::failure(),
    /// });
    /// # let _ = policy;
    /// ```
    pub fn classify_fn<Res, E, F>(self, classify: F) -> RetryPolicy<ClassifyFn<F>, C>
    where
        F: Fn(Result<&Res, &E>) -> Outcome,
    {
        self.classify(ClassifyFn::new(classify))
    }

    /// Clones requests by a function: for those that are not `Clone`, and to leave some out. `None` is not retried.
    ///
    /// It runs before every attempt, the first included. Default: `Clone`.
    pub fn clone_with<Req, F>(self, clone: F) -> RetryPolicy<J, CloneFn<F>>
    where
        F: Fn(&Req) -> Option<Req>,
    {
        let Self { judge, clone: _, retries, made, delay, patience, budget } = self;
        RetryPolicy { judge, clone: CloneFn::new(clone), retries, made, delay, patience, budget }
    }

    /// How long to wait before this call is made again; `None` if it is not.
    fn wait<Res, E>(&mut self, result: Result<&Res, &E>) -> Option<Duration>
    where
        J: JudgeRetry<Res, E>,
        E: AsRejection,
    {
        let advice = match result {
            Ok(response) => self.judge.advice(response),
            Err(error) => {
                error.as_rejection().map(|open| RetryAdvice::Rejected(open.retry_after()))
            }
        };
        if let Some(RetryAdvice::Rejected(retry_after)) = advice {
            return self.patience.wait(retry_after);
        }
        let outcome = self.judge.outcome(result);
        let worth = match advice {
            Some(RetryAdvice::Retry(_)) => true,
            Some(RetryAdvice::Stop) => false,
            _ => matches!(outcome.class(), Class::Failure | Class::Throttled),
        };
        if !worth {
            if outcome.class() == Class::Success {
                self.budget.iter().for_each(|budget| budget.0.deposit());
            }
            return None;
        }
        let asked = match advice {
            Some(RetryAdvice::Retry(after)) => outcome.wait().or(after),
            _ => outcome.wait(),
        };
        if self.made >= self.retries {
            return None;
        }
        let wait = self.delay.before(self.made, asked)?;
        if self.budget.as_ref().is_some_and(|budget| !budget.0.withdraw()) {
            return None;
        }
        self.made += 1;
        Some(wait)
    }
}

impl<J, C, Req, Res, E> Policy<Req, Res, E> for RetryPolicy<J, C>
where
    J: JudgeRetry<Res, E>,
    C: CloneRequest<Req>,
    E: AsRejection,
{
    type Future = Sleep;

    fn retry(&mut self, _: &mut Req, result: &mut Result<Res, E>) -> Option<Sleep> {
        self.wait(result.as_ref()).map(sleep)
    }

    fn clone_request(&mut self, request: &Req) -> Option<Req> {
        self.clone.clone_request(request)
    }
}

#[derive(Clone)]
struct SharedBudget(Arc<dyn Budget + Send + Sync>);

impl fmt::Debug for SharedBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("shared")
    }
}

#[cfg(test)]
mod tests;
