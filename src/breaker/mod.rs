//! One breaker: a machine with its clock, its observers and its waiters. Everything here works without tower.
//!
//! [`Breaker`] is shared by a handle, a layer, its services and the permits. `admission` and `settlement` connect a
//! call to the machine. The resulting transitions go through `publish`, which runs after every lock is released.

mod admission;
mod breaker_ref;
mod call;
mod clock;
mod events;
mod handle;
mod health_check;
mod in_flight;
mod permit;
mod publish;
mod settlement;
mod stream;
#[cfg(any(test, feature = "test_util"))]
mod test_util;
#[cfg(test)]
mod tests;
#[cfg(feature = "tracing")]
mod trace;
mod unwind;
mod wait;
mod watch;
mod wrap;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

pub(crate) use breaker_ref::BreakerRef;
pub use events::Events;
pub use handle::BreakerHandle;
pub(crate) use in_flight::InFlight;
pub use permit::Permit;
pub use stream::GuardedStream;
#[cfg(feature = "http")]
pub(crate) use unwind::Runs;
pub(crate) use unwind::{classifying, in_drop};
pub(crate) use wait::Waiter;
pub use watch::{Changed, Watch};
pub use wrap::WrapFuture;

use crate::clock::{Coarse, now};
use crate::event::{Log, Observers, Waiters};
use crate::machine::{Callbacks, Machine};
use crate::settings::Settings;
use crate::state::State;

/// The state that a handle, a layer and its permits share.
pub(crate) struct Breaker {
    machine: Machine,
    coarse: Coarse,
    /// The name, which the machine has as an `Arc<str>`. A rejection carries this thin pointer to it.
    name: Arc<Arc<str>>,
    observers: Observers,
    log: Log,
    waiters: Waiters,
}

impl Breaker {
    pub(crate) fn new(
        name: Arc<str>,
        settings: Settings,
        callbacks: Callbacks,
        observers: Observers,
    ) -> Arc<Self> {
        // The keys of the hasher are random, so that each breaker has different jitter.
        let seed = RandomState::new().hash_one(&name);
        let callbacks = Callbacks { settled: observers.settled_fn(&name), ..callbacks };
        let machine = Machine::new(Arc::clone(&name), settings, callbacks, now(), seed);
        let log = Log::new(machine.epoch() + 1);
        Arc::new(Self {
            machine,
            coarse: Coarse::new(),
            name: Arc::new(name),
            observers,
            log,
            waiters: Waiters::default(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the epoch and the state at one moment.
    fn reading(&self) -> (u64, State) {
        self.machine.reading(now())
    }
}

/// Shows the name and the state. Everything else is in a snapshot.
impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.machine.state(now);
        f.debug_struct("Breaker")
            .field("name", &self.name())
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
