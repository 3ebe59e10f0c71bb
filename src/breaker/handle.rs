//! The view and the control of one breaker.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project::pin_project;

use crate::breaker::wait::{Changed, Events, Watch};
use crate::breaker::{Breaker, BreakerRef, InFlight, Permit};
use crate::clock;
use crate::error::{BreakerError, CircuitOpen};
use crate::machine::{Callbacks, Settings, Snapshot, Verb};
use crate::outcome::Outcome;
use crate::state::{Mode, State};

/// The view and the control of one breaker. Clone it anywhere: all clones, the layer and its services share the
/// breaker.
///
/// It works outside a runtime; only waiting ([`changed`](Self::changed), [`watch`](Self::watch),
/// [`events`](Self::events)) needs tokio's timer.
///
/// # Without tower
///
/// | | |
/// |---|---|
/// | a function | [`call`](Self::call) |
/// | a future | [`run`](Self::run) |
/// | a stream, as one call | [`guard_stream`](Self::guard_stream) |
/// | an async function, once for all its calls | [`wrap`](Self::wrap) |
/// | blocking work of an async program | [`call`](Self::call), on a thread for it |
/// | anything else | [`try_acquire`](Self::try_acquire) |
///
/// Each of the first four has a form with a judge, for results that are no failures though `Err`, or are although `Ok`:
/// see [`Outcome::by_result`] and [`Outcome::failure_if`].
///
/// ```
/// use tower_breaker::{BreakerError, BreakerHandle, Settings, State, Trip};
///
/// let settings = Settings::builder().trip(Trip::none().consecutive(2)).build()?;
/// let database = BreakerHandle::new("database", settings);
///
/// let query = || Err::<(), _>("connection refused");
/// assert_eq!(database.call(query), Err(BreakerError::Inner("connection refused")));
/// assert_eq!(database.call(query), Err(BreakerError::Inner("connection refused")));
///
/// // The circuit is open: the query does not run.
/// assert_eq!(database.state(), State::Open);
/// assert!(matches!(database.call(query), Err(BreakerError::Open(_))));
/// # Ok::<_, tower_breaker::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct BreakerHandle(BreakerRef);

impl BreakerHandle {
    /// A breaker that guards plain functions and futures. For one that guards a service see
    /// [`CircuitBreakerLayer`](crate::CircuitBreakerLayer).
    pub fn new(name: impl Into<Arc<str>>, settings: Settings) -> Self {
        Self(BreakerRef::new(Breaker::new(name.into(), settings, Callbacks::default())))
    }

    pub(crate) fn from_shared(breaker: BreakerRef) -> Self {
        Self(breaker)
    }

    pub(crate) fn shared(&self) -> &BreakerRef {
        &self.0
    }

    /// The name, as in errors, events, logs and metrics.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The state as the next call meets it: an open circuit past its deadline reads as half-open. Reading changes
    /// nothing.
    pub fn state(&self) -> State {
        self.0.machine.state(clock::now)
    }

    /// Who is in charge: the rules, or a person.
    pub fn mode(&self) -> Mode {
        self.0.machine.mode()
    }

    /// Everything at once: state, deadlines, rates, totals.
    pub fn snapshot(&self) -> Snapshot {
        self.0.machine.snapshot(clock::now())
    }

    /// The numbers in force.
    pub fn settings(&self) -> Settings {
        self.0.machine.settings()
    }

    /// Whether a call would be admitted now, as far as that can be told without asking: it is `true` all through a
    /// [`Ramp`](crate::Ramp). Takes no permit, so that another caller may be faster; ends the lease of a hung probe
    /// that is over.
    pub fn would_admit(&self) -> bool {
        self.0.would_reject().is_none()
    }

    /// Waits for the next change after this call, and returns the state then. To miss none between two waits, use
    /// [`watch`](Self::watch).
    pub fn changed(&self) -> Changed {
        Changed(self.watch())
    }

    /// Sees every change from now on.
    pub fn watch(&self) -> Watch {
        Watch::new(self.0.breaker())
    }

    /// Receives every transition from now on.
    pub fn events(&self) -> Events {
        Events::new(self.0.breaker())
    }

    /// Rejects every call until [`release`](Self::release), or for a time. No probe is sent meanwhile; a wait that a
    /// server asks for still lengthens the open that follows.
    pub fn force_open(&self, time: Option<Duration>) {
        self.0.manual(Verb::ForceOpen(time));
    }

    /// Ends a forced open (its cooldown, if it has one left, goes on, then a probe decides), and leaves
    /// [`Mode::Disabled`] and [`Mode::Shadow`] for a closed circuit. Nothing otherwise.
    pub fn release(&self) {
        self.0.manual(Verb::Release);
    }

    /// Closes the circuit and forgets waits and attempts. The rules go on: it may open with the next failure.
    pub fn force_closed(&self) {
        self.0.manual(Verb::ForceClosed);
    }

    /// Lets every call pass and records nothing, until any other of these verbs but [`hold_for`](Self::hold_for) and
    /// [`reconfigure`](Self::reconfigure).
    pub fn disable(&self) {
        self.0.manual(Verb::Disable);
    }

    /// Runs the rules from a closed circuit on and rejects nobody: what would have been rejected is counted as
    /// `would_reject` and nowhere else.
    pub fn shadow(&self) {
        self.0.manual(Verb::Shadow);
    }

    /// Back to the start: closed, in normal mode, no attempt, no cause. Totals stay.
    pub fn reset(&self) {
        self.0.manual(Verb::Reset);
    }

    /// Opens a closed circuit for `time`, lengthens an open one, ends a half-open one; remembered while forced open,
    /// ignored while disabled. No cap applies.
    pub fn hold_for(&self, time: Duration) {
        self.0.manual(Verb::HoldFor(time));
    }

    /// Applies new settings to the running breaker. State, epoch, deadlines, attempt and streak stay; a window whose
    /// shape changed starts empty; an open circuit is never shortened.
    pub fn reconfigure(&self, settings: Settings) {
        self.0.machine.reconfigure(&settings, clock::now());
        self.0.waiters.wake();
    }

    /// Asks for the right to make one call, for whatever is no function, future or stream: the permit goes where the call
    /// goes, and is settled where it ends.
    ///
    /// ```
    /// use tower_breaker::{CircuitOpen, BreakerHandle, Outcome, Settings};
    ///
    /// let queue = BreakerHandle::new("queue", Settings::default());
    /// let permit = queue.try_acquire()?;
    /// let (send, acknowledged) = std::sync::mpsc::channel();
    /// std::thread::spawn(move || send.send("nack"));
    /// permit.settle(Outcome::failure_if(acknowledged.recv() != Ok("ack")));
    /// assert_eq!(queue.snapshot().totals.failure, 1);
    /// # Ok::<_, CircuitOpen>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CircuitOpen`] when the call must not be made.
    pub fn try_acquire(&self) -> Result<Permit, CircuitOpen> {
        let grant = self.0.admit()?;
        Ok(Permit::new(self.0.clone(), grant))
    }

    /// Borrows the breaker: to count references costs more than the rest of a call.
    fn begin(&self) -> Result<InFlight<(), &Breaker>, CircuitOpen> {
        Ok(InFlight::new(&*self.0, self.0.admit()?))
    }

    /// Guards a function. `Err` is a failure, a panic too (it goes on untouched).
    ///
    /// Within the function the same breaker can be used for anything; a call through it is a call of its own, and is
    /// rejected if this one is the only probe. A rejection by another breaker is an `Err` like any other here: to ignore
    /// it, so that one open circuit does not open those above, let a judge ask
    /// [`as_rejection`](crate::AsRejection::as_rejection).
    ///
    /// # Blocking work
    ///
    /// It needs no runtime, and so runs where blocking is allowed:
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
    /// What has begun on such a thread goes on, and settles by its own result, although its `JoinHandle` was aborted or
    /// dropped, or a timeout around it has passed: until then it is a call in flight, which the
    /// [overdue rule](crate::Trip::overdue) sees. What was aborted before it began was no call. The permit is taken on the
    /// thread; to reject before the work is queued, move a [`Permit`] there.
    ///
    /// # Errors
    ///
    /// [`BreakerError::Open`] when the function was not called, [`BreakerError::Inner`] with its own error.
    pub fn call<T, E>(&self, call: impl FnOnce() -> Result<T, E>) -> Result<T, BreakerError<E>> {
        self.call_with(call, Outcome::by_result)
    }

    /// Guards a function; `judge` says what its result means.
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
        judge: impl FnOnce(&Result<T, E>) -> Outcome,
    ) -> Result<T, BreakerError<E>> {
        let mut guarded = self.begin()?;
        let result = guarded.run(call);
        guarded.settle(|| judge(&result));
        result.map_err(BreakerError::Inner)
    }

    /// Guards a future. `Err` is a failure, a panic too (it goes on untouched).
    ///
    /// The permit is taken when this is first polled.
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
    /// Dropping it drops the guarded future and records a cancelled call.
    pub async fn run<T, E>(
        &self,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<T, BreakerError<E>> {
        self.run_with(future, Outcome::by_result).await
    }

    /// Guards a future; `judge` says what its result means.
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
        judge: impl FnOnce(&Result<T, E>) -> Outcome,
    ) -> Result<T, BreakerError<E>> {
        let mut call = self.begin()?;
        let result = Guarded { future, call: &mut call }.await;
        call.settle(|| judge(&result));
        result.map_err(BreakerError::Inner)
    }
}

impl fmt::Debug for BreakerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerHandle")
            .field("name", &self.name())
            .field("state", &self.state())
            .field("mode", &self.mode())
            .finish_non_exhaustive()
    }
}

/// A guarded future: what panics in it is its own.
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
