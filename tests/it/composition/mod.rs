//! The breaker combined with tower's middleware, in axum, and around a real client.

mod balance;
mod boxes;
mod buffer;
mod client;
mod dependency;
mod hedge;
mod infer;
mod limit;
mod own_rules;
#[cfg(feature = "retry")]
mod retry;
mod router;
mod timeout;
