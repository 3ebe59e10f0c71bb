//! The transitions of the breaker.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use tower_breaker::{BreakerHandle, Cause, State, Transition};

use crate::clock::scenario;
use crate::report::Line;
use crate::stack::{CONSECUTIVE, OVERDUE_AFTER, OVERDUE_CALLS};

/// Records the transitions of a breaker until it is dropped.
pub(crate) struct Timeline {
    handle: BreakerHandle,
    changes: Arc<Mutex<Vec<Transition>>>,
    listening: JoinHandle<()>,
}

impl Timeline {
    pub(crate) fn of(handle: BreakerHandle) -> Self {
        let changes = Arc::<Mutex<Vec<_>>>::default();
        let mut events = handle.events();
        let heard = changes.clone();
        let listening = tokio::spawn(async move {
            loop {
                match events.recv().await {
                    Ok(change) => lock(&heard).push(change),
                    Err(lagged) => eprintln!("the timeline is not complete: {lagged}"),
                }
            }
        });
        Self { handle, changes, listening }
    }

    /// The time at which the circuit closed, if it closed at `after` or later.
    pub(crate) fn closed_after(&self, after: Instant) -> Option<Instant> {
        let closed = |change: &&Transition| change.to == State::Closed && at(change) >= after;
        lock(&self.changes).iter().find(closed).map(at)
    }

    /// The number of cooldowns that ended with a probe between two times.
    pub(crate) fn probes(&self, from: Instant, until: Instant) -> u64 {
        let probe = |change: &&Transition| {
            change.cause == Cause::CooldownElapsed && (from..until).contains(&at(change))
        };
        lock(&self.changes).iter().filter(probe).count() as u64
    }

    /// Returns `true` if the circuit is closed and the last recorded transition is the one that closed it.
    pub(crate) fn is_closed(&self) -> bool {
        let heard = lock(&self.changes).last().is_none_or(|change| change.to == State::Closed);
        heard && self.handle.state() == State::Closed
    }

    /// One line for each transition.
    pub(crate) fn lines(&self, since_start: impl Fn(Instant) -> Duration) -> Vec<Line> {
        let line = |change: &Transition| Line { at: since_start(at(change)), text: text(change) };
        lock(&self.changes).iter().map(line).collect()
    }
}

impl Drop for Timeline {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn lock(changes: &Mutex<Vec<Transition>>) -> MutexGuard<'_, Vec<Transition>> {
    changes.lock().unwrap_or_else(PoisonError::into_inner)
}

fn at(change: &Transition) -> Instant {
    Instant::from_std(change.at)
}

fn text(change: &Transition) -> String {
    let states = format!("{} → {}", change.from, change.to);
    let why = match change.cause {
        Cause::Overdue => {
            format!("overdue ({OVERDUE_CALLS} pending > {OVERDUE_AFTER:?})")
        }
        Cause::ConsecutiveFailures => format!("{CONSECUTIVE} consecutive failures"),
        Cause::CooldownElapsed => "cooldown over, one probe".to_owned(),
        Cause::ProbeFailed => "probe failed".to_owned(),
        cause => cause.to_string(),
    };
    let last = match (change.cause, &change.last_error) {
        (Cause::ConsecutiveFailures | Cause::ProbeFailed, Some(last)) => format!(": {last}"),
        _ => String::new(),
    };
    let open_for = match change.open_for {
        Some(time) => format!(", for {:.1} s", scenario(time).as_secs_f64()),
        None => String::new(),
    };
    format!("{states:<19}  {why}{last}{open_for}")
}
