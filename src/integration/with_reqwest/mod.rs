//! reqwest: `reqwest::Client` inside a breaker (feature `reqwest`).
//!
//! A `reqwest::Client` is a tower service. [`Http`](crate::classify::Http) and `Llm` classify every service that returns a
//! `reqwest::Response`, whatever its request type:
//!
//! ```no_run
//! # async fn numbers() -> Result<String, tower::BoxError> {
//! use tower::{ServiceBuilder, ServiceExt};
//! use tower_breaker::{CircuitBreakerLayer, Config};
//!
//! let breaker = CircuitBreakerLayer::new(Config::http_client().name("numbers"));
//! let client = ServiceBuilder::new().layer(breaker).service(reqwest::Client::new());
//!
//! let request = reqwest::Request::new(reqwest::Method::GET, "https://api.example.com/numbers".parse()?);
//! let response: reqwest::Response = client.oneshot(request).await?;
//! Ok(response.error_for_status()?.text().await?)
//! # }
//! ```
//!
//! The response is a `reqwest::Response` with its URL, remote address and length. No part of its body is read ahead, except
//! the body of an error response under `Config::llm`. The bytes that the caller reads through `json`, `chunk` or
//! `bytes_stream` pass the breaker; a body that breaks is a failure. See [`classify`](crate::classify#bodies).
//!
//! | event | outcome |
//! |---|---|
//! | connection refused or reset, failed handshake, timeout of the client before the head | failure, with the error |
//! | the body breaks, or the timeout of the client ends it | failure, at that point |
//! | `reqwest::Error::is_builder`: the request cannot be built | ignored |
//! | redirects and retries inside reqwest | part of the call |
//! | too many redirects | failure |
//! | the caller drops the call | cancelled; failure after `cancelled_after` |
//! | `HEAD`, 204, 304 | settled with the head |
//!
//! # Layer order
//!
//! From the outside in: fallback, retry, breaker, client. Use the timeout of the client
//! (`reqwest::ClientBuilder::timeout`, `read_timeout`): it is inside the breaker and covers the body. A `reqwest::Request` is
//! not `Clone`; retries and fallbacks that need a copy use `reqwest::Request::try_clone`:
//!
//! ```
//! # #[cfg(feature = "retry")]
//! # fn guarded(client: reqwest::Client) -> impl tower::Service<reqwest::Request, Response = reqwest::Response> {
//! use tower::{ServiceBuilder, retry::RetryLayer};
//! use tower_breaker::{CircuitBreakerLayer, Config, FallbackLayer, retry::RetryPolicy};
//!
//! ServiceBuilder::new()
//!     .layer(FallbackLayer::value_fn(|| http::Response::new("[]")))
//!     .layer(RetryLayer::new(RetryPolicy::new(2).clone_with(reqwest::Request::try_clone)))
//!     .layer(CircuitBreakerLayer::new(Config::http_client()))
//!     .service(client)
//! # }
//! ```
//!
//! A rejection is a [`BoxError`](crate::BoxError) that holds [`CircuitOpen`](crate::CircuitOpen). With
//! `.on_rejected(RejectWithHttp)` it is a 503, and the error type stays `reqwest::Error`.
//!
//! # In the connector
//!
//! A breaker in `ClientBuilder::connector_layer` sees only connections:
//!
//! ```
//! use tower_breaker::{CircuitBreakerLayer, Config};
//!
//! let breaker = CircuitBreakerLayer::new(Config::default());
//! let builder = reqwest::Client::builder().connector_layer(breaker);
//! # let _ = builder;
//! ```
//!
//! **Use it only in a client with one upstream.** The connector cannot distinguish hosts: a circuit that one host opened
//! rejects the connections to all of them. The breaker sees no responses, neither a 503 nor a reset after the handshake, and
//! kept-alive connections bypass an open circuit. A rejection is a `reqwest::Error` with `is_connect()`;
//! [`as_rejection`](crate::AsRejection::as_rejection) distinguishes it from other errors. A breaker around the client
//! ignores it.

mod classify;
mod convert;
mod responses;
#[cfg(test)]
mod tests;

use std::any::Any;

pub use self::convert::reqwest_response;

/// Returns whether a request is known to be a `HEAD` request, whose response has no body whatever its headers say.
///
/// A service that returns a `reqwest::Response` can have any request type. Only `reqwest::Request` is recognised.
fn is_head<Req: 'static>(request: &Req) -> bool {
    let request: &dyn Any = request;
    let request = request.downcast_ref::<reqwest::Request>();
    request.is_some_and(|request| request.method() == http::Method::HEAD)
}
