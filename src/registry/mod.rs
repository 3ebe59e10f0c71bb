//! Collections of breakers.
//!
//! [`KeyedStore`] holds one breaker per key and is bounded. Integrations build their keyed breakers on it.

// The store is unused if no integration that builds on it is enabled.
#[allow(dead_code)]
mod keyed_store;

#[allow(unused_imports)] // As above.
pub(crate) use keyed_store::{KeyRef, KeyedStore, Retain, Retention};
