//! `reqwest::Client` under a breaker (feature `reqwest`).
//!
//! A `reqwest::Client` is a tower service, and [`Http`](crate::classify::Http) and `Llm` judge services that return a
//! `reqwest::Response`, whatever their request:
//!
//! ```no_run
//! # async fn numbers() -> Result<Vec<u32>, tower::BoxError> {
//! use tower::{ServiceBuilder, ServiceExt};
//! use tower_breaker::{CircuitBreakerLayer, Config};
//!
//! let breaker = CircuitBreakerLayer::new(Config::http_client().name("numbers"));
//! let client = ServiceBuilder::new().layer(breaker).service(reqwest::Client::new());
//!
//! let request = reqwest::Request::new(reqwest::Method::GET, "https://api.example.com/numbers".parse()?);
//! let response: reqwest::Response = client.oneshot(request).await?;
//! Ok(response.error_for_status()?.json().await?)
//! # }
//! ```
//!
//! The response is reqwest's own, with its URL, its remote address and its length, and nothing of its body is read ahead
//! (but the body of an error, by `Config::llm`). What the caller reads, in `json`, `chunk` or `bytes_stream`, passes the
//! breaker: where the body breaks, the call is a failure; see [`classify`](crate::classify#bodies).
//!
//! | | is |
//! |---|---|
//! | refused, reset, a failed handshake, a timeout of the client before the head | a failure, at once |
//! | a body that breaks, or that the client's timeout ends | a failure, there |
//! | `reqwest::Error::is_builder`: a request that cannot be made | ignored |
//! | redirects, repetitions of reqwest's own | a part of the call |
//! | too many redirects | a failure |
//! | a call that is dropped | cancelled; a failure after `cancelled_after` |
//! | `HEAD`, 204, 304 | over with the head |
//!
//! # Layer order
//!
//! From the outside in: fallback, retry, breaker, client. The timeout is the client's own
//! (`reqwest::ClientBuilder::timeout`, `read_timeout`): it is inside, and sees the body, too. A `reqwest::Request` is not
//! `Clone`; retries and fallbacks that need it take `reqwest::Request::try_clone`:
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
//! `.on_rejected(RejectWithHttp)` it is a 503, and the error stays a `reqwest::Error`.
//!
//! # In the connector
//!
//! A breaker in `ClientBuilder::connector_layer` sees connections and nothing else:
//!
//! ```
//! use tower_breaker::{CircuitBreakerLayer, Config};
//!
//! let breaker = CircuitBreakerLayer::new(Config::default());
//! let builder = reqwest::Client::builder().connector_layer(breaker);
//! # let _ = builder;
//! ```
//!
//! **Only in a client that has one upstream.** The connector cannot tell one host from another: the circuit that one of
//! them opened rejects the connections to all. No answer is seen, a 503 as little as a reset behind the handshake, and
//! connections that are kept alive go past an open circuit. A rejection is a `reqwest::Error` with `is_connect()`, and
//! [`as_rejection`](crate::AsRejection::as_rejection) tells it from others. A breaker around the client ignores it.

mod answer;
mod classify;
mod convert;
#[cfg(test)]
mod tests;
mod to_outcome;

use std::any::Any;

pub use self::convert::reqwest_response;

/// Whether it is known that a request was a `HEAD`: its answer has no body, whatever its headers say.
///
/// Services that return a `reqwest::Response` have requests of many types; of one that is not reqwest's own nothing is
/// known.
fn is_head<Req: 'static>(request: &Req) -> bool {
    let request: &dyn Any = request;
    let request = request.downcast_ref::<reqwest::Request>();
    request.is_some_and(|request| request.method() == http::Method::HEAD)
}
