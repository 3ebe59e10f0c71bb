//! Functions and futures guarded as one call.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project::pin_project;

use crate::breaker::{Breaker, BreakerHandle, InFlight};
use crate::error::{BreakerError, CircuitOpen};
use crate::outcome::Outcome;

impl BreakerHandle {
    /// Borrows the breaker for a call: counting a reference would cost more than the rest of the call.
    fn begin(&self) -> Result<InFlight<(), &Breaker>, CircuitOpen> {
        let breaker = self.shared();
        Ok(InFlight::new(&**breaker, breaker.admit()?))
    }

    /// Calls a function under the breaker. An `Err` is a failure, and so is a panic, which continues.
    ///
    /// The function may use the same breaker. A guarded call inside it is a separate call, which is rejected if the
    /// outer call is the only probe. A rejection by another breaker is an `Err` like any other. To ignore it, so that
    /// one open circuit does not open the circuits of its callers, use [`call_with`](Self::call_with) and
    /// [`as_rejection`](crate::AsRejection::as_rejection).
    ///
    /// # Blocking work
    ///
    /// The call needs no runtime, so it runs on a thread that may block:
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use tower_breaker::{BreakerHandle, Settings};
    ///
    /// let disk = BreakerHandle::new("disk", Settings::default());
    /// let guard = disk.clone();
    /// let read = tokio::task::spawn_blocking(move || guard.call(|| std::fs::read("Cargo.toml")));
    /// assert!(read.await.unwrap().is_ok());
    /// assert_eq!(disk.snapshot().totals.success, 1);
    /// # }
    /// ```
    ///
    /// A blocking call that has started runs to its end and settles with its own result, even if its `JoinHandle` is
    /// aborted or dropped, or a timeout around it ends. Until then it is in flight, and the [overdue
    /// rule](crate::Trip::overdue) counts it. A task that is aborted before it starts is not a call. The permit is
    /// acquired on the blocking thread. To reject before the work is queued, acquire a [`Permit`](crate::Permit) first
    /// and move it there.
    ///
    /// # Errors
    ///
    /// Returns [`BreakerError::Open`] if the function was not called, and [`BreakerError::Inner`] with the error of the
    /// function.
    pub fn call<T, E>(&self, call: impl FnOnce() -> Result<T, E>) -> Result<T, BreakerError<E>> {
        self.call_with(call, Outcome::by_result)
    }

    /// Calls a function under the breaker and classifies its result with `classify`.
    ///
    /// ```
    /// use tower_breaker::{BreakerHandle, Outcome, Settings};
    ///
    /// let api = BreakerHandle::new("api", Settings::default());
    /// let fetch = || Err::<u16, _>("no such user");
    ///
    /// // Only this error is a failure.
    /// let _ = api.call_with(fetch, |result| Outcome::failure_if(matches!(result, Err("timeout"))));
    /// assert_eq!(api.snapshot().totals.success, 1);
    /// ```
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub fn call_with<T, E>(
        &self,
        call: impl FnOnce() -> Result<T, E>,
        classify: impl FnOnce(&Result<T, E>) -> Outcome,
    ) -> Result<T, BreakerError<E>> {
        let mut guarded = self.begin()?;
        let result = guarded.run(call);
        guarded.settle(|| classify(&result));
        result.map_err(BreakerError::Inner)
    }

    /// Runs a future under the breaker. An `Err` is a failure, and so is a panic, which continues.
    ///
    /// The permit is acquired at the first poll.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use tower_breaker::{BreakerHandle, Settings};
    ///
    /// let users = BreakerHandle::new("users", Settings::default());
    /// let find = async |id: u32| Ok::<_, std::io::Error>(format!("user {id}"));
    /// assert_eq!(users.run(find(7)).await.unwrap(), "user 7");
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the guarded one and records a cancelled call.
    pub async fn run<T, E>(
        &self,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<T, BreakerError<E>> {
        self.run_with(future, Outcome::by_result).await
    }

    /// Runs a future under the breaker and classifies its result with `classify`.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    ///
    /// # Cancel safety
    ///
    /// As [`run`](Self::run).
    pub async fn run_with<T, E>(
        &self,
        future: impl Future<Output = Result<T, E>>,
        classify: impl FnOnce(&Result<T, E>) -> Outcome,
    ) -> Result<T, BreakerError<E>> {
        let mut call = self.begin()?;
        let result = Guarded { future, call: &mut call }.await;
        call.settle(|| classify(&result));
        result.map_err(BreakerError::Inner)
    }
}

/// A future that is polled as guarded code: a panic in it is a failure of the call.
#[pin_project]
pub(super) struct Guarded<'a, F, B: Deref<Target = Breaker>> {
    #[pin]
    pub(super) future: F,
    pub(super) call: &'a mut InFlight<(), B>,
}

impl<F: Future, B: Deref<Target = Breaker>> Future for Guarded<'_, F, B> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.call.run(|| this.future.poll(cx))
    }
}
