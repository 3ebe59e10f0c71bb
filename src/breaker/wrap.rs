//! Async functions that are guarded once and called many times.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project::pin_project;

use crate::breaker::{BreakerHandle, BreakerRef, InFlight};
use crate::error::BreakerError;
use crate::outcome::Outcome;

impl BreakerHandle {
    /// Returns a guarded version of an async function. An `Err` is a failure, and so is a panic, which continues.
    ///
    /// For a single call, [`run`](Self::run) is shorter. Pass several arguments as a tuple. Pass a function that is not
    /// `Clone` by reference. The permit is acquired, and the function is called, at the first poll of the future.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use tower_breaker::{BreakerError, BreakerHandle, Settings};
    ///
    /// async fn find(id: u32) -> Result<String, String> {
    ///     if id < 10 { Ok(format!("user {id}")) } else { Err("no connection".to_owned()) }
    /// }
    ///
    /// let users = BreakerHandle::new("users", Settings::default());
    /// let find = users.wrap(find);
    ///
    /// assert_eq!(find(7).await, Ok("user 7".to_owned()));
    /// assert_eq!(find(70).await, Err(BreakerError::Inner("no connection".to_owned())));
    ///
    /// let rename = users.wrap(async |(id, name): (u32, &str)| Ok::<_, ()>(format!("{id} is {name}")));
    /// assert_eq!(rename((7, "Ada")).await, Ok("7 is Ada".to_owned()));
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The future returns [`BreakerError::Open`] if the function was not called, and [`BreakerError::Inner`] with the
    /// error of the function.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the guarded one and records a cancelled call. Before the first poll, it records
    /// nothing.
    pub fn wrap<F, A, Fut, T, E>(
        &self,
        function: F,
    ) -> impl Fn(A) -> WrapFuture<F, A, Fut> + Clone + use<F, A, Fut, T, E>
    where
        F: FnOnce(A) -> Fut + Clone,
        Fut: Future<Output = Result<T, E>>,
    {
        self.wrap_with(function, Outcome::by_result as fn(&Result<T, E>) -> Outcome)
    }

    /// Returns a guarded version of an async function, and classifies its results with `classify`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use tower_breaker::{BreakerHandle, Outcome, Settings};
    ///
    /// async fn status(path: &str) -> Result<u16, std::io::Error> {
    ///     Ok(if path == "/down" { 503 } else { 200 })
    /// }
    ///
    /// let api = BreakerHandle::new("api", Settings::default());
    /// let status = api.wrap_with(status, |status| Outcome::failure_if(!matches!(status, Ok(..500))));
    ///
    /// assert_eq!(status("/down").await.unwrap(), 503);
    /// assert_eq!(api.snapshot().totals.failure, 1);
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`wrap`](Self::wrap).
    ///
    /// # Cancel safety
    ///
    /// As [`wrap`](Self::wrap).
    pub fn wrap_with<F, A, Fut, T, E, C>(
        &self,
        function: F,
        classify: C,
    ) -> impl Fn(A) -> WrapFuture<F, A, Fut, C> + Clone + use<F, A, Fut, T, E, C>
    where
        F: FnOnce(A) -> Fut + Clone,
        Fut: Future<Output = Result<T, E>>,
        C: FnOnce(&Result<T, E>) -> Outcome + Clone,
    {
        let breaker = self.shared().clone();
        move |argument| WrapFuture {
            start: Some((breaker.clone(), function.clone(), argument)),
            classify: Some(classify.clone()),
            future: None,
            call: None,
        }
    }
}

/// The future of a function that [`BreakerHandle::wrap`] guards.
///
/// # Panics
///
/// Panics if it is polled after it completed.
#[doc(hidden)]
#[pin_project]
#[must_use = "a future does nothing unless it is polled"]
pub struct WrapFuture<F, A, Fut: Future, C = fn(&<Fut as Future>::Output) -> Outcome> {
    /// `None` after the first poll.
    start: Option<(BreakerRef, F, A)>,
    classify: Option<C>,
    /// Dropped before the call ends, so that its resources are free by then.
    #[pin]
    future: Option<Fut>,
    call: Option<InFlight>,
}

impl<F, A, Fut, T, E, C> Future for WrapFuture<F, A, Fut, C>
where
    F: FnOnce(A) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    C: FnOnce(&Result<T, E>) -> Outcome,
{
    type Output = Result<T, BreakerError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some((breaker, function, argument)) = this.start.take() {
            let permit = breaker.admit()?;
            let mut call = InFlight::new(breaker, permit);
            this.future.set(Some(call.run(|| function(argument))));
            *this.call = Some(call);
        }
        let done = "polled after completion";
        let future = this.future.as_mut().as_pin_mut().expect(done);
        let call = this.call.as_mut().expect(done);
        let result = ready!(call.run(|| future.poll(cx)));
        this.future.set(None);
        if let (Some(call), Some(classify)) = (this.call.take(), this.classify.take()) {
            call.settle(|| classify(&result));
        }
        Poll::Ready(result.map_err(BreakerError::Inner))
    }
}

impl<F, A, Fut: Future, C> fmt::Debug for WrapFuture<F, A, Fut, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match (&self.start, &self.call) {
            (Some(_), _) => "not begun",
            (None, Some(_)) => "called",
            (None, None) => "over",
        };
        f.debug_tuple("WrapFuture").field(&state).finish()
    }
}
