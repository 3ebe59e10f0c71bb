//! A wrapper that makes any policy of tower stop at a rejection.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project::pin_project;
use tokio::time::{Sleep, sleep};
use tower::retry::Policy;

use super::wait::CircuitWait;
use crate::error::AsRejection;

/// Makes a [`tower::retry::Policy`] stop at a rejection.
///
/// An open circuit also rejects the next attempt. An immediate retry only uses up the attempts, and a backoff also
/// costs the caller's time. This wrapper ends the retries at a rejection, and leaves every other result to the wrapped
/// policy. With [`wait_for_circuit`](Self::wait_for_circuit) it waits until a call may pass, if the rejection has a
/// wait that is short enough.
///
/// # Order
///
/// Retry goes outside the breaker, so that the breaker counts every attempt:
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use std::time::Duration;
/// use tower::retry::RetryLayer;
/// use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
/// use tower_breaker::{CircuitBreakerLayer, CircuitOpen, Config, retry::StopAtRejection};
/// # use std::future::{Ready, ready};
/// # #[derive(Clone)]
/// # struct Attempts(u32);
/// # impl<Req: Clone, Res, E> tower::retry::Policy<Req, Res, E> for Attempts {
/// #     type Future = Ready<()>;
/// #     fn retry(&mut self, _: &mut Req, result: &mut Result<Res, E>) -> Option<Ready<()>> {
/// #         self.0 = self.0.checked_sub(1)?;
/// #         result.is_err().then(|| ready(()))
/// #     }
/// #     fn clone_request(&mut self, request: &Req) -> Option<Req> { Some(request.clone()) }
/// # }
///
/// let policy = StopAtRejection::new(Attempts(100)); // any policy
/// let service = ServiceBuilder::new()
///     .layer(RetryLayer::new(policy))
///     .layer(CircuitBreakerLayer::new(Config::default())) // opens after 5 consecutive failures
///     .timeout(Duration::from_secs(1)) // inside the breaker, so that a timeout counts
///     .service(service_fn(|_: ()| async { Err::<(), BoxError>("down".into()) }));
///
/// let error = service.oneshot(()).await.unwrap_err();
/// assert!(CircuitOpen::find(&*error).is_some()); // after 5 attempts, not 101
/// # }
/// ```
///
/// # Rejections
///
/// A rejection is what [`AsRejection`] finds in the error. A breaker that *answers* a rejected call
/// ([`RejectWithHttp`](crate::rejection::RejectWithHttp) and others) returns a response. A policy that retries on responses
/// must not retry those with an `x-circuit-open` header. [`RetryPolicy`](super::RetryPolicy) does not.
///
/// # Clone
///
/// tower clones the policy for every request. The clone has its own number of waits.
#[derive(Clone, Copy, Debug)]
pub struct StopAtRejection<P> {
    policy: P,
    circuit_wait: CircuitWait,
}

impl<P> StopAtRejection<P> {
    /// Creates a policy that never retries a rejection, and leaves every other result to `policy`.
    pub const fn new(policy: P) -> Self {
        Self { policy, circuit_wait: CircuitWait::NONE }
    }

    /// Makes a rejected request wait for the circuit, if the rejection has a wait of at most `max`.
    ///
    /// The call is then repeated **without the wrapped policy**. It uses none of its attempts, because the dependency was
    /// not called. Requires a tokio runtime with time enabled.
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
}

impl<P, Req, Res, E> Policy<Req, Res, E> for StopAtRejection<P>
where
    P: Policy<Req, Res, E>,
    E: AsRejection,
{
    type Future = RetryFuture<P::Future>;

    fn retry(&mut self, request: &mut Req, result: &mut Result<Res, E>) -> Option<Self::Future> {
        match result.as_ref().err().and_then(E::as_rejection) {
            Some(open) => self.circuit_wait.take(open.retry_after()).map(RetryFuture::waiting),
            None => self.policy.retry(request, result).map(RetryFuture::policy),
        }
    }

    fn clone_request(&mut self, request: &Req) -> Option<Req> {
        self.policy.clone_request(request)
    }
}

/// The time until the next attempt of [`StopAtRejection`].
#[pin_project]
pub struct RetryFuture<F> {
    #[pin]
    state: State<F>,
}

#[pin_project(project = StateProj)]
enum State<F> {
    /// Polls the future of the wrapped policy.
    Policy {
        #[pin]
        future: F,
    },
    /// Waits until the breaker may admit a call.
    Waiting {
        #[pin]
        sleep: Sleep,
    },
}

impl<F> RetryFuture<F> {
    fn policy(future: F) -> Self {
        Self { state: State::Policy { future } }
    }

    fn waiting(wait: Duration) -> Self {
        Self { state: State::Waiting { sleep: sleep(wait) } }
    }
}

impl<F: Future<Output = ()>> Future for RetryFuture<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.project().state.project() {
            StateProj::Policy { future } => future.poll(cx),
            StateProj::Waiting { sleep } => sleep.poll(cx),
        }
    }
}

impl<F> fmt::Debug for RetryFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Policy { .. } => "policy",
            State::Waiting { .. } => "waiting",
        };
        f.debug_tuple("RetryFuture").field(&state).finish()
    }
}

#[cfg(test)]
mod tests;
