//! The fallback layer through its public API.

mod answers;
mod cancel;
mod contract;
mod doubles;
#[cfg(feature = "http")]
mod http;
mod request;
mod when;
