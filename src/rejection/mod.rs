//! Rejection policies: the answers to rejected calls.

mod answer;
mod error;
mod function;
#[cfg(feature = "http")]
mod grpc;
#[cfg(feature = "http")]
mod http;
mod oneshot;
#[cfg(feature = "http")]
mod response;
mod service;
#[cfg(test)]
mod tests;

use std::future::Future;

use crate::CircuitOpen;

pub use self::error::{RejectWithBoxError, RejectWithBreakerError, RejectWithInnerError};
pub use self::function::RejectWithFn;
#[cfg(feature = "http")]
pub use self::grpc::RejectWithGrpc;
#[cfg(feature = "http")]
pub use self::http::RejectWithHttp;
pub(crate) use self::oneshot::Oneshot;
pub use self::service::RejectWithService;

/// A rejection policy: decides what the caller gets when the breaker rejects a call.
///
/// | policy | a rejected call returns | the error of the service |
/// |---|---|---|
/// | [`RejectWithBoxError`] | `Err`, a `BoxError` that holds [`CircuitOpen`] | [`BoxError`](crate::BoxError) |
/// | [`RejectWithBreakerError`] | `Err`, `BreakerError::Open` | [`BreakerError<E>`](crate::BreakerError) |
/// | [`RejectWithInnerError`] | `Err`, made by `E: From<CircuitOpen>` | `E` |
/// | [`RejectWithHttp`] | a 503 with `Retry-After` | `E` |
/// | [`RejectWithGrpc`] | `UNAVAILABLE` with pushback | `E` |
/// | [`RejectWithFn`] | what a function of the request and the rejection returns | `E` |
/// | [`RejectWithService`] | the response of another service | `E` |
///
/// `E` is the error of the inner service. The policies that answer with a response keep it: an `Infallible` service stays
/// infallible.
#[diagnostic::on_unimplemented(
    message = "the policy `{Self}` cannot answer a rejected call of this service",
    label = "does not fit a service of `{Req}` that returns `Result<{Res}, {E}>`",
    note = "HTTP: `Config::http()` answers with 503 and keeps the error type; gRPC: `Config::grpc()` answers with `UNAVAILABLE`",
    note = "any other service: `Config::default()` fails with a `BoxError`, for which the inner error must be `Into<BoxError>`",
    note = "`.on_rejected(RejectWithBreakerError)` takes every error; `.on_rejected(RejectWithInnerError)` needs `E: From<CircuitOpen>`; `.reject_with(|request, open| …)` takes a function"
)]
pub trait OnRejected<Req, Res, E> {
    /// The error of the guarded service.
    type Error;

    /// The future of the answer to a rejected call.
    type Future: Future<Output = Result<Res, Self::Error>>;

    /// Answers a rejected call. `request` is the caller's request itself, not a copy.
    fn rejected(&self, request: Req, open: CircuitOpen) -> Self::Future;

    /// Converts an error of the inner service into an error of the guarded service.
    fn error(&self, error: E) -> Self::Error;
}
