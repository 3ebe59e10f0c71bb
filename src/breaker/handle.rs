//! The handle of one breaker.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::breaker::{Breaker, BreakerRef, Changed, Events, Permit, Watch};
use crate::clock;
use crate::error::CircuitOpen;
use crate::event::{Observer, Observers};
use crate::machine::{Callbacks, Snapshot, Verb};
use crate::settings::Settings;
use crate::state::{Mode, State};

/// A handle that observes and controls one breaker, and guards calls without tower.
///
/// A handle is cheap to clone. It shares the breaker with its clones, and with the layer and the services that it came
/// from. A handle works outside a runtime. Only waiting ([`changed`](Self::changed), [`watch`](Self::watch),
/// [`events`](Self::events), [`health_check`](Self::health_check)) needs tokio's timer.
///
/// # Without tower
///
/// | to guard | use |
/// |---|---|
/// | a function | [`call`](Self::call) |
/// | a future | [`run`](Self::run) |
/// | a stream, as one call | [`guard_stream`](Self::guard_stream) |
/// | an async function, once for all its calls | [`wrap`](Self::wrap) |
/// | blocking work in an async program | [`call`](Self::call), on a blocking thread |
/// | anything else | [`try_acquire`](Self::try_acquire) |
///
/// Each of the first four has a variant that takes a function which classifies the result, for an `Err` that is not a
/// failure and for an `Ok` that is one. See [`Outcome::by_result`](crate::Outcome::by_result) and
/// [`Outcome::failure_if`](crate::Outcome::failure_if).
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
///
/// # Clone
///
/// A clone is another handle of the same breaker.
#[derive(Clone)]
pub struct BreakerHandle(BreakerRef);

impl BreakerHandle {
    /// Creates a breaker that guards functions, futures and streams.
    ///
    /// For a breaker that guards services, see [`CircuitBreakerLayer`](crate::CircuitBreakerLayer).
    pub fn new(name: impl Into<Arc<str>>, settings: Settings) -> Self {
        Self::with_observers(name, settings, Vec::new())
    }

    /// Creates a breaker that notifies `observers`. See [`Observer`] for an example.
    pub fn with_observers(
        name: impl Into<Arc<str>>,
        settings: Settings,
        observers: Vec<Arc<dyn Observer>>,
    ) -> Self {
        let observers = Observers::from(observers);
        let breaker = Breaker::new(name.into(), settings, Callbacks::default(), observers);
        Self(BreakerRef::new(breaker))
    }

    pub(crate) fn from_shared(breaker: BreakerRef) -> Self {
        Self(breaker)
    }

    pub(crate) fn shared(&self) -> &BreakerRef {
        &self.0
    }

    /// Returns the name of the breaker, which errors, events, logs and metrics show.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Returns the state that the next call meets. An open period that is over reads as half-open.
    ///
    /// Reading the state does not change it.
    pub fn state(&self) -> State {
        self.0.machine.state(clock::now)
    }

    /// Returns whether the rules or an operator control the breaker.
    pub fn mode(&self) -> Mode {
        self.0.machine.mode()
    }

    /// Returns state, deadlines, rates and totals at one moment.
    pub fn snapshot(&self) -> Snapshot {
        self.0.machine.snapshot(clock::now())
    }

    /// Returns the current settings.
    pub fn settings(&self) -> Settings {
        self.0.machine.settings()
    }

    /// Returns whether a call would be admitted now.
    ///
    /// This reserves no permit, so another caller may be admitted first. In a [`Ramp`](crate::Ramp) the result is
    /// always `true`, although only a share of the calls is admitted. A probe whose lease has ended is counted as
    /// failed.
    pub fn would_admit(&self) -> bool {
        self.0.would_reject().is_none()
    }

    /// Waits for the next change after this call, and returns the new state.
    ///
    /// A change between two calls of this method is missed. [`watch`](Self::watch) misses none.
    ///
    /// # Panics
    ///
    /// The future panics outside a tokio runtime with time if a timer is needed.
    pub fn changed(&self) -> Changed {
        Changed(self.watch())
    }

    /// Returns a stream of the changes of the state from now on.
    pub fn watch(&self) -> Watch {
        Watch::new(self.0.breaker())
    }

    /// Returns a stream of the transitions from now on.
    pub fn events(&self) -> Events {
        Events::new(self.0.breaker())
    }

    /// Adds an observer of the transitions from now on.
    ///
    /// The breaker holds a weak reference, and drops it once the listener is gone. Listeners are notified after the
    /// observers that are fixed at construction, in the order in which they joined. Only [`Observer::transition`] is
    /// called for them.
    ///
    /// ```
    /// use std::sync::{Arc, mpsc};
    /// use tower_breaker::{BreakerHandle, Settings, State, Transition};
    ///
    /// let database = BreakerHandle::new("database", Settings::default());
    /// let (send, receive) = mpsc::channel();
    /// let listener = Arc::new(move |transition: &Transition| drop(send.send(transition.to)));
    /// database.add_listener(&listener);
    ///
    /// database.force_open(None);
    /// drop(listener);
    /// database.reset();
    /// assert_eq!(receive.iter().collect::<Vec<_>>(), [State::ForcedOpen]);
    /// ```
    pub fn add_listener<O: Observer + 'static>(&self, listener: &Arc<O>) {
        let listener = Arc::downgrade(listener);
        self.0.log.listen(listener);
    }

    /// Rejects every call for `time`, or without an end if `time` is `None`. [`release`](Self::release) ends it
    /// earlier.
    ///
    /// No probe is admitted meanwhile. A wait that the server asks for still lengthens the open period that follows. A
    /// `time` above 30 years is shortened to 30 years.
    pub fn force_open(&self, time: Option<Duration>) {
        self.0.manual(Verb::ForceOpen(time));
    }

    /// Ends [`force_open`](Self::force_open), [`disable`](Self::disable) and [`shadow`](Self::shadow).
    ///
    /// A circuit that was forced open stays open until its cooldown and every hold have ended; then a probe decides.
    /// After [`Mode::Disabled`] and [`Mode::Shadow`] the circuit is closed. In [`Mode::Normal`] this does nothing.
    pub fn release(&self) {
        self.0.manual(Verb::Release);
    }

    /// Closes the circuit and clears waits and attempts.
    ///
    /// The rules stay active: the circuit may open with the next failure.
    pub fn force_closed(&self) {
        self.0.manual(Verb::ForceClosed);
    }

    /// Admits every call and records nothing.
    ///
    /// This lasts until another manual operation, except that [`hold_for`](Self::hold_for) and
    /// [`reconfigure`](Self::reconfigure) do not end it.
    pub fn disable(&self) {
        self.0.manual(Verb::Disable);
    }

    /// Closes the circuit and runs the rules without rejecting any call.
    ///
    /// A call that would have been rejected is counted in [`would_reject`](crate::handle::Totals::would_reject) and in
    /// no other total.
    pub fn shadow(&self) {
        self.0.manual(Verb::Shadow);
    }

    /// Returns to the initial state: closed, normal mode, no attempt, no cause. The totals stay.
    pub fn reset(&self) {
        self.0.manual(Verb::Reset);
    }

    /// Opens the circuit for at least `time`.
    ///
    /// A closed circuit opens, an open one stays open for longer, and a half-open one opens again. A circuit that is
    /// forced open keeps the hold for the time after its release. A disabled breaker ignores it. The caps on a server's
    /// waits do not apply, but a `time` above 30 years is shortened to 30 years.
    pub fn hold_for(&self, time: Duration) {
        self.0.manual(Verb::HoldFor(time));
    }

    /// Applies new settings to the running breaker.
    ///
    /// State, epoch, deadlines, attempt and streak stay. A window whose shape changes starts empty. An open period is
    /// never shortened.
    pub fn reconfigure(&self, settings: Settings) {
        self.0.machine.reconfigure(&settings, clock::now());
        self.0.waiters.wake();
    }

    /// Acquires the permit for one call.
    ///
    /// Use it for work that is not a function, a future or a stream. The permit travels with the call and is settled
    /// where the call ends.
    ///
    /// ```
    /// use tower_breaker::{BreakerHandle, CircuitOpen, Outcome, Settings};
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
    /// Returns [`CircuitOpen`] if the call is rejected.
    pub fn try_acquire(&self) -> Result<Permit, CircuitOpen> {
        let permit = self.0.admit()?;
        Ok(Permit::new(self.0.clone(), permit))
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
