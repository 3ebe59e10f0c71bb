//! User code that a breaker notifies.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::machine::{SettledFn, Transition};
use crate::outcome::Outcome;

/// Code that is notified of the transitions of a breaker, and of calls that went wrong: those that failed, were
/// throttled or met an exhausted quota.
///
/// A breaker has two lists of observers. One is fixed at construction:
/// [`Config::observe`](crate::Config::observe) and
/// [`BreakerHandle::with_observers`](crate::BreakerHandle::with_observers). The other holds weak references, and can be
/// joined at any time: [`BreakerHandle::add_listener`](crate::BreakerHandle::add_listener).
///
/// Observers run on the thread that caused the change, after every lock is released. They should return quickly: send
/// to a channel, count, log. They may use the breaker itself. A transition that an observer causes is delivered after
/// the current one.
///
/// A function of a `&Transition` is an observer:
///
/// ```
/// use std::sync::mpsc;
/// use tower_breaker::{CircuitBreakerLayer, Config, State, Transition};
///
/// let (send, receive) = mpsc::channel();
/// let config = Config::default().name("payments").observe(move |transition: &Transition| {
///     let _ = send.send((transition.from, transition.to));
/// });
/// let breaker = CircuitBreakerLayer::new(config);
///
/// breaker.handle().force_open(None);
/// assert_eq!(receive.recv(), Ok((State::Closed, State::ForcedOpen)));
/// ```
///
/// This observer is also notified of calls:
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use tower_breaker::handle::Observer;
/// use tower_breaker::{BreakerHandle, Outcome, Settings, Transition};
///
/// #[derive(Default)]
/// struct Counts {
///     transitions: AtomicU64,
///     bad: AtomicU64,
/// }
///
/// impl Observer for Counts {
///     fn transition(&self, _: &Transition) {
///         self.transitions.fetch_add(1, Ordering::Relaxed);
///     }
///
///     fn settled(&self, _breaker: &str, _: &Outcome) {
///         self.bad.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// let counts = Arc::new(Counts::default());
/// let settings = Settings::default();
/// let database = BreakerHandle::with_observers("database", settings, vec![counts.clone()]);
///
/// let _ = database.call(|| Err::<(), _>("connection refused"));
/// let _ = database.call(|| Ok::<_, &str>(()));
/// database.force_open(None);
/// assert_eq!(counts.bad.load(Ordering::Relaxed), 1);
/// assert_eq!(counts.transitions.load(Ordering::Relaxed), 1);
/// ```
///
/// # Panics
///
/// A panic in [`transition`](Self::transition) reaches the caller whose operation caused the transition, once every
/// observer has been notified and every waiting task has been woken. A panic in [`settled`](Self::settled) is reported
/// by the panic hook and ends there, because the trip rules have yet to be evaluated.
pub trait Observer: Send + Sync {
    /// Notifies the observer of a transition.
    ///
    /// Called once for each transition, in the order of the epochs, by one thread at a time.
    fn transition(&self, transition: &Transition);

    /// Notifies the observer of a call of the breaker named `breaker` that settled as a failure, as throttled or as
    /// exhausted.
    ///
    /// Called before the trip rules are evaluated, concurrently from every thread that settles a call. `outcome` has
    /// the class under which the settings count the call: a throttled call is a failure with
    /// [`Throttled::count_as_failure`](crate::Throttled::count_as_failure), and so is a call that was cancelled after
    /// [`cancelled_after`](crate::SettingsBuilder::cancelled_after). A body that breaks after its probe succeeded is a
    /// failure. Late results are not reported, except those of a probe whose lease has ended. Only the observers that
    /// are fixed at construction are notified.
    ///
    /// The default implementation does nothing.
    fn settled(&self, breaker: &str, outcome: &Outcome) {
        let _ = (breaker, outcome);
    }

    /// Returns whether the breaker calls [`settled`](Self::settled). It is called once, at construction.
    ///
    /// If every observer returns `false`, a failure costs the same as without observers. Default: `true`.
    fn wants_settled(&self) -> bool {
        true
    }
}

impl<F: Fn(&Transition) + Send + Sync> Observer for F {
    fn transition(&self, transition: &Transition) {
        self(transition);
    }

    fn wants_settled(&self) -> bool {
        false
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn transition(&self, transition: &Transition) {
        O::transition(self, transition);
    }

    fn settled(&self, breaker: &str, outcome: &Outcome) {
        O::settled(self, breaker, outcome);
    }

    fn wants_settled(&self) -> bool {
        O::wants_settled(self)
    }
}

/// The observers that are fixed when a breaker is created.
#[derive(Clone, Default)]
pub(crate) struct Observers(Vec<Arc<dyn Observer>>);

impl Observers {
    pub(crate) fn push(&mut self, observer: Arc<dyn Observer>) {
        self.0.push(observer);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &dyn Observer> + Clone {
        self.0.iter().map(|observer| &**observer)
    }

    /// Returns the function that notifies the observers that want outcomes, or `None` if none does.
    pub(crate) fn settled_fn(&self, breaker: &Arc<str>) -> Option<SettledFn> {
        let wanting = self.0.iter().filter(|observer| observer.wants_settled());
        let observers: Vec<_> = wanting.cloned().collect();
        if observers.is_empty() {
            return None;
        }
        let breaker = Arc::clone(breaker);
        Some(Arc::new(move |outcome| {
            for observer in &observers {
                // The trip rules have yet to be evaluated: a panic must not keep the circuit closed.
                let _panic = catch(|| observer.settled(&breaker, outcome));
            }
        }))
    }
}

impl From<Vec<Arc<dyn Observer>>> for Observers {
    fn from(observers: Vec<Arc<dyn Observer>>) -> Self {
        Self(observers)
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observers").field(&self.0.len()).finish()
    }
}

/// Runs an observer, and returns the payload if it panics.
pub(super) fn catch(run: impl FnOnce()) -> Option<Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(run)).err()
}
