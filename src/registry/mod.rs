//! Collections of breakers.
//!
//! [`KeyedStore`] holds one breaker per key and is bounded. Integrations build their keyed breakers on it.

// Without the integrations that build on it, the store is unused.
#[allow(dead_code)]
mod keyed_store;

#[allow(unused_imports)]
pub(crate) use keyed_store::{KeyRef, KeyedStore, Retain, Retention};
