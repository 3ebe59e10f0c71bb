//! A retry policy that classifies as the breaker does.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Sleep, sleep};
use tower::retry::Policy;
use tower::retry::budget::Budget;

use super::clone::{CloneFn, CloneRequest, Cloned};
use super::wait::{CircuitWait, RetryWait};
use crate::backoff::Backoff;
use crate::classify::{ByResponse, ClassifyFn, Outcomes, RetryAdvice};
use crate::error::AsRejection;
use crate::outcome::{Class, Outcome};

/// A [`tower::retry::Policy`] with the classification and the waits of the breaker. See the [module docs](super).
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
///     .layer(RetryLayer::new(RetryPolicy::new(2))) // outside the breaker, so that each attempt counts
///     .layer(breaker)
///     .timeout(Duration::from_secs(30)) // inside the breaker, so that a timeout counts
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
/// The response must be [`ToOutcome`](crate::classify::ToOutcome), as `http::Response` is, and the error must be
/// [`AsRejection`], as `BoxError` is. For other responses, use [`classify`](Self::classify) or
/// [`classify_fn`](Self::classify_fn), which take the same argument as the methods of that name on
/// [`Config`](crate::Config).
///
/// # Runtime
///
/// Requires a tokio runtime with time enabled.
///
/// # Clone
///
/// tower clones the policy for every request. The clone has its own numbers of retries and waits, and shares the budget.
/// A clone copies a few words, and increments one reference count if there is a budget.
#[derive(Clone, Debug)]
#[must_use]
pub struct RetryPolicy<O = ByResponse, C = Cloned> {
    classify: O,
    clone: C,
    retries: u32,
    made: u32,
    retry_wait: RetryWait,
    circuit_wait: CircuitWait,
    budget: Option<SharedBudget>,
}

impl RetryPolicy {
    /// Creates a policy with at most `retries` retries per request, after its first attempt.
    ///
    /// The SDKs of OpenAI and Anthropic retry twice. With 0, the policy never retries.
    pub const fn new(retries: u32) -> Self {
        Self {
            classify: ByResponse,
            clone: Cloned,
            retries,
            made: 0,
            retry_wait: RetryWait::DEFAULT,
            circuit_wait: CircuitWait::NONE,
            budget: None,
        }
    }
}

impl<O, C> RetryPolicy<O, C> {
    /// Sets the wait before a retry if the server asked for none. Retry *a*, counted from 0, waits
    /// `initial * multiplier^a`, at most `max`.
    ///
    /// The jitter only shortens the wait: with 0.25 it is 75 % to 100 % of its length. Otherwise half of the long waits
    /// would be cut to the same `max`. A multiplier below 1 counts as 1. A jitter outside the range 0 to 1 counts as the
    /// nearer end.
    ///
    /// Default: 500 ms, doubled up to 8 s, with a jitter of 0.25, as in the SDKs of OpenAI and Anthropic
    /// (`_base_client.py`).
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.retry_wait.set_backoff(backoff);
        self
    }

    /// Sets the longest wait of a server that the policy obeys, without the 10 % to 20 % that it adds. If the server
    /// asks for more, the call is not retried: an earlier retry would ignore the server, and a later one would come too
    /// late for the caller.
    ///
    /// The backoff has its own maximum. Default: 60 s, the limit of Portkey's gateway and of most releases of
    /// openai-python.
    pub const fn max_wait(mut self, max: Duration) -> Self {
        self.retry_wait.max_wait = max;
        self
    }

    /// Sets a budget for the retries of all requests: each success deposits, each retry withdraws, and an empty budget
    /// allows no retry.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use std::sync::Arc;
    /// use tower::retry::budget::TpsBudget;
    /// use tower_breaker::retry::RetryPolicy;
    ///
    /// // 10 retries per second, plus one for every five successes.
    /// let policy = RetryPolicy::new(2).budget(Arc::new(TpsBudget::default()));
    /// # let _ = policy;
    /// # }
    /// ```
    ///
    /// Default: none. In an outage, the breaker ends the retries. Failures that do not open the circuit, such as those
    /// of every third call, still multiply the load, so set a budget under heavy traffic. The success of a request that
    /// cannot be cloned deposits nothing, because the policy does not see it.
    pub fn budget<B>(mut self, budget: Arc<B>) -> Self
    where
        B: Budget + Send + Sync + 'static,
    {
        self.budget = Some(SharedBudget(budget));
        self
    }

    /// Makes a rejected request wait for the circuit, if the rejection has a wait of at most `max`.
    ///
    /// The call is then repeated. It uses no retry and no budget, because the dependency was not called.
    ///
    /// Default: a rejection is final.
    pub const fn wait_for_circuit(mut self, max: Duration) -> Self {
        self.circuit_wait.up_to = Some(max);
        self
    }

    /// Sets the number of times that one request may wait for the circuit. The rejection after the last wait is final.
    ///
    /// All requests that wait for one circuit wake together, and all except the probe are rejected again. Default: 1.
    pub const fn max_circuit_waits(mut self, waits: u32) -> Self {
        self.circuit_wait.waits = waits;
        self
    }

    /// Classifies with [`Outcomes`] in place of [`ByResponse`]: `Http`, `Grpc`, `Llm`, `ErrorsAsFailures`.
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
    pub fn classify<O2>(self, classify: O2) -> RetryPolicy<O2, C> {
        let Self { classify: _, clone, retries, made, retry_wait, circuit_wait, budget } = self;
        RetryPolicy { classify, clone, retries, made, retry_wait, circuit_wait, budget }
    }

    /// Classifies with a closure that sees the whole `Result`. The response may have any type.
    ///
    /// The closure decides alone: the policy does not read `x-should-retry` or similar headers. A rejection in an error is
    /// still never retried, and the closure does not see it.
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

    /// Clones requests with a closure. Use it for requests that are not `Clone`, or to exclude some requests: a request
    /// for which the closure returns `None` is not retried.
    ///
    /// The closure runs before every attempt, including the first. Default: `Clone`.
    pub fn clone_with<Req, F>(self, clone: F) -> RetryPolicy<O, CloneFn<F>>
    where
        F: Fn(&Req) -> Option<Req>,
    {
        let Self { classify, clone: _, retries, made, retry_wait, circuit_wait, budget } = self;
        let clone = CloneFn::new(clone);
        RetryPolicy { classify, clone, retries, made, retry_wait, circuit_wait, budget }
    }

    /// Returns the wait before the call is repeated, or `None` if it is not.
    fn wait<Res, E>(&mut self, result: Result<&Res, &E>) -> Option<Duration>
    where
        O: Outcomes<Res, E>,
        E: AsRejection,
    {
        let advice = match result {
            Ok(response) => self.classify.retry_advice(response),
            Err(error) => {
                error.as_rejection().map(|open| RetryAdvice::Rejected(open.retry_after()))
            }
        };
        if let Some(RetryAdvice::Rejected(retry_after)) = advice {
            return self.circuit_wait.take(retry_after);
        }
        let outcome = self.classify.outcome(result);
        let retry = match advice {
            Some(RetryAdvice::Retry(_)) => true,
            Some(RetryAdvice::Stop) => false,
            _ => matches!(outcome.class(), Class::Failure | Class::Throttled),
        };
        if !retry {
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
        let wait = self.retry_wait.before(self.made, asked)?;
        if self.budget.as_ref().is_some_and(|budget| !budget.0.withdraw()) {
            return None;
        }
        self.made += 1;
        Some(wait)
    }
}

impl<O, C, Req, Res, E> Policy<Req, Res, E> for RetryPolicy<O, C>
where
    O: Outcomes<Res, E>,
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
