//! The fallback layer through its public API.

mod answers;
mod cancel;
mod contract;
#[cfg(feature = "http")]
mod http;
mod request;
mod services;
mod when;
