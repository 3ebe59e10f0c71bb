//! The transitions of one breaker, in order, for receivers and observers.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::panic::resume_unwind;
use std::sync::{Arc, Weak};

use super::observer::{Observer, catch};
use crate::machine::Transition;
use crate::sync::Mutex;

/// The number of transitions that are kept for a slow receiver.
const CAPACITY: usize = 256;

/// The number of transitions that were dropped before a receiver read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lagged(pub u64);

impl fmt::Display for Lagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the receiver was too slow and missed {} transitions", self.0)
    }
}

impl Error for Lagged {}

/// Puts transitions into the order of their epochs, keeps the latest while there are receivers, and notifies observers.
///
/// Transitions are made under the lock of the machine and pushed after it is released, so two threads may push theirs
/// in the wrong order. Epochs have no gaps: a transition whose predecessor is missing waits in `early`.
#[derive(Debug)]
pub(crate) struct Log(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    /// The epoch of the next transition in order.
    next: u64,
    /// Transitions that arrived before their predecessor.
    early: Vec<Transition>,
    /// The latest transitions before `next`.
    kept: VecDeque<Transition>,
    receivers: usize,
    /// Transitions before `next` of which the observers have not been notified.
    unseen: VecDeque<Transition>,
    /// Whether a thread is notifying the observers. It alone takes from `unseen`.
    notifying: bool,
    listeners: Vec<Listener>,
}

/// An observer that joined a running breaker.
struct Listener {
    /// The epoch of the first transition of which it is notified.
    from: u64,
    observer: Weak<dyn Observer>,
}

impl Log {
    /// Creates a log whose first transition has the epoch `next`.
    pub(crate) fn new(next: u64) -> Self {
        Self(Mutex::new(Inner {
            next,
            early: Vec::new(),
            kept: VecDeque::new(),
            receivers: 0,
            unseen: VecDeque::new(),
            notifying: false,
            listeners: Vec::new(),
        }))
    }

    /// Adds a transition.
    pub(crate) fn push(&self, transition: Transition) {
        let mut log = self.0.lock();
        log.early.push(transition);
        while let Some(at) = log.early.iter().position(|early| early.epoch == log.next) {
            let transition = log.early.swap_remove(at);
            log.next += 1;
            log.unseen.push_back(transition.clone());
            if log.receivers > 0 {
                if log.kept.len() == CAPACITY {
                    log.kept.pop_front();
                }
                log.kept.push_back(transition);
            }
        }
    }

    /// Notifies the `observers` and the listeners of every transition that is in order, one at a time, outside the
    /// lock.
    ///
    /// If another thread is notifying, that thread also delivers what this one pushed: it checks for more under the
    /// same lock under which it stops. An observer that changes the breaker runs into this case itself, so that its own
    /// transition is delivered after it returns.
    ///
    /// # Panics
    ///
    /// With the first panic of an observer, after all of them have been notified.
    pub(crate) fn notify<'a>(&self, observers: impl Iterator<Item = &'a dyn Observer> + Clone) {
        let Some(mut batch) = self.start() else { return };
        let stop_on_unwind = StopOnUnwind(self);
        let mut first_panic = None;
        loop {
            let Batch { transition, listeners } = batch;
            let transition = &transition;
            for observer in observers.clone() {
                first_panic = first_panic.or(catch(|| observer.transition(transition)));
            }
            for listener in listeners {
                // Moved in: if this is the last reference, its destructor runs here.
                first_panic = first_panic.or(catch(move || listener.transition(transition)));
            }
            match self.next_or_stop() {
                Some(next) => batch = next,
                None => break,
            }
        }
        std::mem::forget(stop_on_unwind);
        if let Some(panic) = first_panic {
            resume_unwind(panic);
        }
    }

    /// Returns the first unseen transition, if there is one and no other thread is notifying.
    fn start(&self) -> Option<Batch> {
        let mut log = self.0.lock();
        if log.notifying {
            return None;
        }
        let batch = log.next_batch();
        log.notifying = batch.is_some();
        batch
    }

    fn next_or_stop(&self) -> Option<Batch> {
        let mut log = self.0.lock();
        let batch = log.next_batch();
        log.notifying = batch.is_some();
        batch
    }

    /// Adds a listener, which is notified of every later transition while it is alive.
    pub(crate) fn listen(&self, observer: Weak<dyn Observer>) {
        let mut log = self.0.lock();
        log.remove_dead_listeners();
        let from = log.next;
        log.listeners.push(Listener { from, observer });
    }

    /// Adds a receiver, and returns the cursor of the next transition.
    pub(crate) fn subscribe(&self) -> u64 {
        let mut log = self.0.lock();
        log.receivers += 1;
        log.next
    }

    pub(crate) fn unsubscribe(&self) {
        let mut log = self.0.lock();
        log.receivers -= 1;
        if log.receivers == 0 {
            log.kept = VecDeque::new();
        }
    }

    /// Returns the transition at `cursor`, and advances the cursor.
    pub(crate) fn read(&self, cursor: &mut u64) -> Option<Result<Transition, Lagged>> {
        let log = self.0.lock();
        let first = log.next - log.kept.len() as u64;
        if *cursor < first {
            let missed = first - *cursor;
            *cursor = first;
            return Some(Err(Lagged(missed)));
        }
        let transition = log.kept.get((*cursor - first) as usize)?;
        *cursor += 1;
        Some(Ok(transition.clone()))
    }
}

/// One transition, and the listeners that are notified of it.
struct Batch {
    transition: Transition,
    listeners: Vec<Arc<dyn Observer>>,
}

impl Inner {
    fn next_batch(&mut self) -> Option<Batch> {
        let transition = self.unseen.pop_front()?;
        self.remove_dead_listeners();
        let due = self.listeners.iter().filter(|listener| listener.from <= transition.epoch);
        let listeners = due.filter_map(|listener| listener.observer.upgrade()).collect();
        Some(Batch { transition, listeners })
    }

    /// Removes the listeners that have been dropped. Dropping a weak reference runs no user code.
    fn remove_dead_listeners(&mut self) {
        self.listeners.retain(|listener| listener.observer.strong_count() > 0);
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("from", &self.from).finish_non_exhaustive()
    }
}

/// Lets another thread notify if this one unwinds in spite of [`catch`], because the payload of a panic has a
/// destructor that panics.
struct StopOnUnwind<'a>(&'a Log);

impl Drop for StopOnUnwind<'_> {
    fn drop(&mut self) {
        self.0.0.lock().notifying = false;
    }
}
