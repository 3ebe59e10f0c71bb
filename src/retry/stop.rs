//! Any policy of tower's, told what a rejection is.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project::pin_project;
use tokio::time::{Sleep, sleep};
use tower::retry::Policy;

use super::patience::Patience;
use crate::error::AsRejection;

/// Lets a [`tower::retry::Policy`] stop at a rejection.
///
/// An open circuit rejects the next attempt, too: retrying it at once only burns the attempts and, with a backoff,
/// the caller's time. This wrapper ends the retries at a rejection and asks the wrapped policy about everything
/// else. With [`wait_up_to`](Self::wait_up_to) it waits until a call may pass, where the rejection says so and it is
/// soon enough.
///
/// # Order
///
/// Retry goes outside of the breaker, so that every attempt asks the breaker and counts:
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
/// let policy = StopAtRejection::new(Attempts(100)); // any policy of yours
/// let service = ServiceBuilder::new()
///     .layer(RetryLayer::new(policy))
///     .layer(CircuitBreakerLayer::new(Config::default())) // opens after 5 failures in a row
///     .timeout(Duration::from_secs(1)) // inside, so that a timeout is seen
///     .service(service_fn(|_: ()| async { Err::<(), BoxError>("down".into()) }));
///
/// let error = service.oneshot(()).await.unwrap_err();
/// assert!(CircuitOpen::find(&*error).is_some()); // after 5 attempts, not 101
/// # }
/// ```
///
/// # What is a rejection
///
/// What [`AsRejection`] finds in the error. A breaker that *answers* a rejected call
/// ([`RejectWithHttp`](crate::rejection::RejectWithHttp), …) returns a response: a policy that retries on responses has to leave
/// those with an `x-circuit-open` header alone, as [`RetryPolicy`](super::RetryPolicy) does.
///
/// # Clone
///
/// tower clones the policy for every request, and with it the number of waits left.
#[derive(Clone, Copy, Debug)]
pub struct StopAtRejection<P> {
    policy: P,
    patience: Patience,
}

impl<P> StopAtRejection<P> {
    /// Never retries a rejection; asks `policy` about everything else.
    pub const fn new(policy: P) -> Self {
        Self { policy, patience: Patience::NONE }
    }

    /// Waits for an open circuit instead of giving up, if the rejection knows for how long and that is at most `max`.
    ///
    /// The call is then made again **without asking the policy**: it used no attempt of it, for the dependency was
    /// not called. Needs a tokio runtime with time.
    ///
    /// Default: does not wait.
    pub const fn wait_up_to(mut self, max: Duration) -> Self {
        self.patience.up_to = Some(max);
        self
    }

    /// How often one request waits at most; the rejection after that is final.
    ///
    /// Many requests that wait for one circuit wake together, and all but the probe are rejected again. Default: 1.
    pub const fn max_waits(mut self, waits: u32) -> Self {
        self.patience.waits = waits;
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
            Some(open) => self.patience.wait(open.retry_after()).map(RetryFuture::waiting),
            None => self.policy.retry(request, result).map(RetryFuture::asked),
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

#[pin_project(project = Stage)]
enum State<F> {
    /// The wrapped policy retries.
    Asked {
        #[pin]
        future: F,
    },
    /// Until the breaker may admit a call.
    Waiting {
        #[pin]
        sleep: Sleep,
    },
}

impl<F> RetryFuture<F> {
    fn asked(future: F) -> Self {
        Self { state: State::Asked { future } }
    }

    fn waiting(wait: Duration) -> Self {
        Self { state: State::Waiting { sleep: sleep(wait) } }
    }
}

impl<F: Future<Output = ()>> Future for RetryFuture<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.project().state.project() {
            Stage::Asked { future } => future.poll(cx),
            Stage::Waiting { sleep } => sleep.poll(cx),
        }
    }
}

impl<F> fmt::Debug for RetryFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Asked { .. } => "asked",
            State::Waiting { .. } => "waiting",
        };
        f.debug_tuple("RetryFuture").field(&state).finish()
    }
}

#[cfg(test)]
mod tests;
