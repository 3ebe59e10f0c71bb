//! Lookup, eviction and its bounds.

use std::hash::Hasher;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::*;

/// A value whose retention a test sets.
#[derive(Clone)]
struct Value {
    retention: Retention,
    looks: Arc<AtomicUsize>,
}

impl Retain for Value {
    fn retention(&self) -> Retention {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.retention
    }
}

/// A key whose hash is always the same.
struct Colliding(u32);

impl Hash for Colliding {
    fn hash<H: Hasher>(&self, state: &mut H) {
        0_u32.hash(state);
    }
}

impl KeyRef<u32> for Colliding {
    fn matches(&self, key: &u32) -> bool {
        self.0 == *key
    }

    fn to_key(&self) -> u32 {
        self.0
    }
}

impl KeyRef<u32> for u32 {
    fn matches(&self, key: &u32) -> bool {
        self == key
    }

    fn to_key(&self) -> u32 {
        *self
    }
}

struct Fixture {
    store: KeyedStore<u32, Value>,
    looks: Arc<AtomicUsize>,
}

impl Fixture {
    fn new(capacity: usize) -> Self {
        let store = KeyedStore::new(NonZeroUsize::new(capacity).unwrap());
        Self { store, looks: Arc::default() }
    }

    fn insert(&self, key: u32, retention: Retention) {
        let looks = Arc::clone(&self.looks);
        self.store.get_or_insert_with(&key, |_| Value { retention, looks });
    }

    fn has(&self, key: u32) -> bool {
        self.store.get(&key, |_| ()).is_some()
    }
}

#[test]
fn a_value_is_created_once_per_key() {
    let fixture = Fixture::new(4);
    fixture.insert(1, Retention::Closed);
    fixture.store.get_or_insert_with(&1, |_| panic!("the key has a value"));
    assert_eq!((fixture.store.len(), fixture.store.map(|_| ()).len()), (1, 1));
    assert!(!fixture.has(2));
}

#[test]
fn keys_with_the_same_hash_have_separate_values() {
    let store = KeyedStore::<u32, Value>::new(NonZeroUsize::new(2).unwrap());
    let closed = || Value { retention: Retention::Closed, looks: Arc::default() };
    for key in 0..3 {
        store.get_or_insert_with(&Colliding(key), |_| closed());
    }
    let has = |key| store.get(&Colliding(key), |_| ()).is_some();
    assert!(!has(0) && has(1) && has(2));
    assert_eq!(store.len(), 2);
}

#[test]
fn eviction_takes_the_lowest_retention_and_then_the_least_recently_used() {
    let fixture = Fixture::new(3);
    fixture.insert(1, Retention::Held);
    fixture.insert(2, Retention::Stateful);
    fixture.insert(3, Retention::Closed);
    fixture.insert(4, Retention::Closed);
    assert!(!fixture.has(3));
    fixture.insert(5, Retention::Stateful);
    assert!(!fixture.has(4));
    // Uses key 2, so that key 5 is the least recently used of the two.
    fixture.insert(2, Retention::Stateful);
    fixture.insert(6, Retention::Held);
    assert!(!fixture.has(5) && fixture.has(2));
    fixture.insert(7, Retention::Held);
    assert!(!fixture.has(2));
    fixture.insert(8, Retention::Closed);
    assert!(!fixture.has(1), "the least recently used of those that are held");
}

#[test]
fn an_eviction_looks_at_a_bounded_number_of_entries() {
    // Fewer keys under miri, which is slow.
    let (keys, more) = if cfg!(miri) { (200_u32, 5) } else { (10_000, 100) };
    let fixture = Fixture::new(keys as usize);
    for key in 0..keys {
        fixture.insert(key, Retention::Held);
    }
    fixture.looks.store(0, Ordering::Relaxed);
    for key in keys..keys + more {
        fixture.insert(key, Retention::Held);
    }
    assert_eq!(fixture.looks.load(Ordering::Relaxed), more as usize * CANDIDATES);
    assert_eq!(fixture.store.len(), keys as usize);
}

#[test]
fn a_smaller_capacity_evicts_at_once() {
    let fixture = Fixture::new(5);
    for key in 0..5 {
        fixture.insert(key, Retention::Closed);
    }
    fixture.store.set_capacity(NonZeroUsize::new(2).unwrap());
    assert_eq!(fixture.store.len(), 2);
    assert!(fixture.has(3) && fixture.has(4));
    assert_eq!(fixture.store.capacity().get(), 2);
}

#[test]
fn threads_agree_on_one_value_per_key() {
    let store = KeyedStore::<u32, Value>::new(NonZeroUsize::new(8).unwrap());
    let created = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..200 {
                    let value = store.get_or_insert_with(&(n % 4), |_| {
                        created.fetch_add(1, Ordering::Relaxed);
                        Value { retention: Retention::Closed, looks: Arc::default() }
                    });
                    let again = store.get(&(n % 4), Value::clone).expect("below the capacity");
                    assert!(Arc::ptr_eq(&value.looks, &again.looks));
                }
            });
        }
    });
    assert_eq!(store.len(), 4);
}
