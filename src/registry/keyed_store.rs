//! A bounded map from keys to breakers.
//!
//! # Implementation details
//!
//! Values live in a slab; an index maps the hash of a key to its slots. A lookup takes the read lock, compares the key
//! and stores the time of use in an atomic. It allocates nothing, because a [`KeyRef`] borrows the key.
//!
//! A new key at capacity evicts another one. The eviction compares [`CANDIDATES`] entries, starting at a clock hand,
//! and removes the one with the lowest [`Retention`]; among equals, the least recently used. In a store of up to
//! `CANDIDATES` keys that is the exact order; in a larger one it is an approximation with bounded cost.
//!
//! Keys are hashed, values are created, and evicted entries are dropped outside the lock. Only the comparison of keys
//! and short reads of values run under it.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::breaker::{BreakerHandle, BreakerRef};
use crate::state::{Mode, State};

/// The number of entries that an eviction compares.
const CANDIDATES: usize = 64;

/// A borrowed form of a key. Two forms that match the same key must have the same hash.
pub(crate) trait KeyRef<K>: Hash {
    /// Returns whether this is a form of `key`.
    fn matches(&self, key: &K) -> bool;

    /// Creates the owned key.
    fn to_key(&self) -> K;
}

/// The reason to keep an entry, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Retention {
    /// The breaker is closed and in normal mode.
    Closed,
    /// The circuit is not closed, or an operator set the mode of the breaker.
    Stateful,
    /// A call is in flight, or the program holds a handle.
    Held,
}

/// A value with a [`Retention`].
pub(crate) trait Retain {
    /// Returns the reason to keep this value.
    fn retention(&self) -> Retention;
}

impl Retain for BreakerRef {
    fn retention(&self) -> Retention {
        // Checked before the handle below is created, because a handle holds the breaker.
        if self.is_held() {
            return Retention::Held;
        }
        let handle = BreakerHandle::from_shared(self.clone());
        if handle.mode() == Mode::Normal && handle.state() == State::Closed {
            Retention::Closed
        } else {
            Retention::Stateful
        }
    }
}

/// A bounded map from keys to breakers.
pub(crate) struct KeyedStore<K, V> {
    hasher: RandomState,
    /// The number of lookups so far, which serves as the time of use of an entry.
    uses: AtomicU64,
    slots: RwLock<Slots<K, V>>,
}

struct Slots<K, V> {
    capacity: NonZeroUsize,
    slab: Vec<Option<Entry<K, V>>>,
    free: Vec<usize>,
    index: HashMap<u64, Vec<usize>>,
    /// The slot at which the next eviction starts.
    hand: usize,
}

struct Entry<K, V> {
    hash: u64,
    key: K,
    value: V,
    /// [`KeyedStore::uses`] at the last lookup. `Relaxed`: an eviction that reads an old value only evicts a slightly
    /// different entry.
    used: AtomicU64,
}

impl<K, V: Retain> KeyedStore<K, V> {
    /// Creates an empty store of at most `capacity` keys.
    pub(crate) fn new(capacity: NonZeroUsize) -> Self {
        let slots =
            Slots { capacity, slab: Vec::new(), free: Vec::new(), index: HashMap::new(), hand: 0 };
        Self { hasher: RandomState::new(), uses: AtomicU64::new(0), slots: RwLock::new(slots) }
    }

    /// Reads the value of a key, if there is one. Does not count as a use.
    pub(crate) fn get<T>(&self, key: &impl KeyRef<K>, read: impl FnOnce(&V) -> T) -> Option<T> {
        let hash = self.hasher.hash_one(key);
        self.read().find(hash, key).map(|entry| read(&entry.value))
    }

    /// Returns the value of a key, and creates it if there is none. At capacity, creating one evicts another.
    pub(crate) fn get_or_insert_with(&self, key: &impl KeyRef<K>, create: impl FnOnce(&K) -> V) -> V
    where
        V: Clone,
    {
        let hash = self.hasher.hash_one(key);
        let used = self.uses.fetch_add(1, Ordering::Relaxed);
        if let Some(entry) = self.read().find(hash, key) {
            entry.used.store(used, Ordering::Relaxed);
            return entry.value.clone();
        }
        let owned = key.to_key();
        let value = create(&owned);
        let entry = Entry { hash, key: owned, value, used: AtomicU64::new(used) };
        let mut slots = self.write();
        // Another thread may have inserted the key since the lookup. Its value wins.
        if let Some(found) = slots.find(hash, key) {
            return found.value.clone();
        }
        let value = entry.value.clone();
        let evicted = if slots.len() >= slots.capacity.get() { slots.evict() } else { None };
        slots.insert(entry);
        drop(slots);
        drop(evicted);
        value
    }

    /// Reads the values of all keys.
    pub(crate) fn map<T>(&self, read: impl Fn(&V) -> T) -> Vec<T> {
        self.read().slab.iter().flatten().map(|entry| read(&entry.value)).collect()
    }

    /// Changes the capacity, and evicts entries beyond it.
    pub(crate) fn set_capacity(&self, capacity: NonZeroUsize) {
        let mut evicted = Vec::new();
        let mut slots = self.write();
        slots.capacity = capacity;
        while slots.len() > capacity.get() {
            evicted.extend(slots.evict());
        }
        drop(slots);
    }
}

impl<K, V> KeyedStore<K, V> {
    /// Returns the number of keys.
    pub(crate) fn len(&self) -> usize {
        self.read().len()
    }

    /// Returns the largest number of keys.
    pub(crate) fn capacity(&self) -> NonZeroUsize {
        self.read().capacity
    }

    // A panic in a comparison of keys is harmless: no operation has changed a part of the slots by then.
    fn read(&self) -> RwLockReadGuard<'_, Slots<K, V>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Slots<K, V>> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Slots<K, V> {
    fn len(&self) -> usize {
        self.slab.len() - self.free.len()
    }
}

impl<K, V: Retain> Slots<K, V> {
    fn find(&self, hash: u64, key: &impl KeyRef<K>) -> Option<&Entry<K, V>> {
        let entries = self.index.get(&hash)?.iter().filter_map(|&slot| self.slab[slot].as_ref());
        entries.into_iter().find(|entry| key.matches(&entry.key))
    }

    fn insert(&mut self, entry: Entry<K, V>) {
        let hash = entry.hash;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slab[slot] = Some(entry);
                slot
            }
            None => {
                self.slab.push(Some(entry));
                self.slab.len() - 1
            }
        };
        self.index.entry(hash).or_default().push(slot);
    }

    /// Removes the entry with the least reason to be kept among the next candidates.
    fn evict(&mut self) -> Option<Entry<K, V>> {
        let slots = self.slab.len();
        let candidates = (0..slots)
            .map(|step| (self.hand + step) % slots)
            .filter_map(|slot| self.slab[slot].as_ref().map(|entry| (slot, entry)))
            .take(CANDIDATES);
        let rank = |&(_, entry): &(usize, &Entry<K, V>)| {
            (entry.value.retention(), entry.used.load(Ordering::Relaxed))
        };
        let (slot, _) = candidates.min_by_key(rank)?;
        self.hand = (self.hand + CANDIDATES) % slots;
        let entry = self.slab[slot].take()?;
        self.free.push(slot);
        if let Some(same) = self.index.get_mut(&entry.hash) {
            same.retain(|&other| other != slot);
            if same.is_empty() {
                self.index.remove(&entry.hash);
            }
        }
        Some(entry)
    }
}

#[cfg(test)]
mod tests;
