//! Transitions in their order, for whoever listens.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::task::Waker;

use crate::machine::Transition;
use crate::sync::Mutex;

/// How many transitions are kept for a receiver that is slow.
pub(crate) const CAPACITY: usize = 256;

/// So many transitions were dropped before this receiver read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lagged(pub u64);

impl fmt::Display for Lagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the receiver was too slow and missed {} transitions", self.0)
    }
}

impl Error for Lagged {}

/// Brings transitions into the order of their epochs, which have no gaps, and keeps the last of them while somebody
/// listens.
#[derive(Debug)]
pub(crate) struct Log(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    /// The epoch that comes next.
    next: u64,
    /// Those that came before their turn.
    early: Vec<Transition>,
    /// The last ones, up to `next`.
    kept: VecDeque<Transition>,
    receivers: usize,
    /// Those that nobody has told yet, and whether somebody is doing so.
    untold: VecDeque<Transition>,
    telling: bool,
}

impl Log {
    /// The first transition will be that of `next`.
    pub(crate) fn new(next: u64) -> Self {
        Self(Mutex::new(Inner {
            next,
            early: Vec::new(),
            kept: VecDeque::new(),
            receivers: 0,
            untold: VecDeque::new(),
            telling: false,
        }))
    }

    /// Takes a transition in.
    pub(crate) fn push(&self, transition: Transition) {
        let mut log = self.0.lock();
        log.early.push(transition);
        while let Some(at) = log.early.iter().position(|early| early.epoch == log.next) {
            let transition = log.early.swap_remove(at);
            log.next += 1;
            log.untold.push_back(transition.clone());
            if log.receivers > 0 {
                if log.kept.len() == CAPACITY {
                    log.kept.pop_front();
                }
                log.kept.push_back(transition);
            }
        }
    }

    /// Tells every transition whose turn has come, outside the lock, one at a time, in order. An observer that
    /// changes the breaker itself is told that change after it returns.
    pub(crate) fn tell(&self, tell: impl Fn(&Transition)) {
        while let Some(transition) = self.next_untold() {
            // An observer that panics must not silence the next one.
            let done = Telling(self);
            tell(&transition);
            drop(done);
        }
    }

    fn next_untold(&self) -> Option<Transition> {
        let mut log = self.0.lock();
        if log.telling {
            return None;
        }
        let transition = log.untold.pop_front()?;
        log.telling = true;
        Some(transition)
    }

    /// A new receiver; it reads what comes from now on.
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

    /// The transition at `cursor`, which moves on.
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

struct Telling<'a>(&'a Log);

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        self.0.0.lock().telling = false;
    }
}

/// Tasks that wait for a breaker to change.
#[derive(Debug, Default)]
pub(crate) struct Waiters(Mutex<Slots>);

#[derive(Debug, Default)]
struct Slots {
    slots: Vec<Slot>,
    free: Vec<usize>,
}

#[derive(Debug)]
enum Slot {
    Free,
    /// Registered; `None` once woken.
    Waits(Option<Waker>),
}

impl Waiters {
    /// Wakes `waker` at the next change. `key` is the place of this waiter, given back by
    /// [`forget`](Self::forget).
    pub(crate) fn register(&self, key: &mut Option<usize>, waker: &Waker) {
        if let Some(at) = *key
            && let Slot::Waits(Some(known)) = &self.0.lock().slots[at]
            && known.will_wake(waker)
        {
            return;
        }
        // Cloning a waker and dropping one is somebody else's code: not under the lock.
        let slot = Slot::Waits(Some(waker.clone()));
        let mut slots = self.0.lock();
        let at = *key.get_or_insert_with(|| {
            slots.free.pop().unwrap_or_else(|| {
                slots.slots.push(Slot::Free);
                slots.slots.len() - 1
            })
        });
        let old = std::mem::replace(&mut slots.slots[at], slot);
        drop(slots);
        drop(old);
    }

    pub(crate) fn forget(&self, key: &mut Option<usize>) {
        if let Some(at) = key.take() {
            let mut slots = self.0.lock();
            let old = std::mem::replace(&mut slots.slots[at], Slot::Free);
            slots.free.push(at);
            drop(slots);
            // A waker's destructor is somebody else's code.
            drop(old);
        }
    }

    /// Wakes everybody, outside the lock.
    pub(crate) fn wake(&self) {
        let wakers: Vec<Waker> = {
            let mut slots = self.0.lock();
            let taken = slots.slots.iter_mut().filter_map(|slot| match slot {
                Slot::Waits(waker) => waker.take(),
                Slot::Free => None,
            });
            taken.collect()
        };
        wakers.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::Wake;

    use super::*;

    /// A task that is a waiter itself, and goes with its last waker.
    struct Task(Arc<Waiters>, Option<usize>);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }

    impl Drop for Task {
        fn drop(&mut self) {
            self.0.forget(&mut self.1);
        }
    }

    #[test]
    fn a_waker_that_is_replaced_may_drop_another_waiter() {
        let (done, is_done) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let waiters = Arc::new(Waiters::default());
            let (mut first, mut second) = (None, None);
            waiters.register(&mut second, Waker::noop());
            let task = Waker::from(Arc::new(Task(Arc::clone(&waiters), second)));
            waiters.register(&mut first, &task);
            drop(task);
            waiters.register(&mut first, Waker::noop());
            waiters.forget(&mut first);
            done.send(()).expect("somebody waits");
        });
        is_done.recv_timeout(std::time::Duration::from_secs(5)).expect("no deadlock");
    }
}
