//! The tasks that wait for a breaker to change.

use std::task::Waker;

use crate::sync::Mutex;

/// The wakers of the tasks that wait for a breaker to change.
///
/// A waiter registers first and reads the state second. A writer changes the state first and calls
/// [`wake`](Self::wake) second. Both take the lock of this list, so either `wake` finds the waker, or the registration
/// happens after `wake` and the waiter reads the new state.
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
    /// Registers `waker` for the next change. `key` is the slot of this waiter; [`forget`](Self::forget) frees it.
    pub(crate) fn register(&self, key: &mut Option<usize>, waker: &Waker) {
        if let Some(at) = *key
            && let Slot::Waits(Some(known)) = &self.0.lock().slots[at]
            && known.will_wake(waker)
        {
            return;
        }
        // Cloning and dropping a waker runs foreign code, which may use this list. It must not run under the lock.
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

    /// Frees the slot of a waiter that leaves.
    pub(crate) fn forget(&self, key: &mut Option<usize>) {
        if let Some(at) = key.take() {
            let mut slots = self.0.lock();
            let old = std::mem::replace(&mut slots.slots[at], Slot::Free);
            slots.free.push(at);
            drop(slots);
            // The destructor of a waker is foreign code. It must not run under the lock.
            drop(old);
        }
    }

    /// Wakes every registered task, outside the lock.
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
