//! tonic: conversions of rejections to [`Status`], and the classification of a `Status`.
//!
//! The layers work without this module: `Config::grpc()` guards a tonic server and `Config::grpc_client()` a channel, both
//! with feature `http`. This module is for code that handles a [`Status`] itself.
//!
//! # On a server
//!
//! ```
//! # use std::time::Duration;
//! use tonic::transport::Server;
//! use tower_breaker::{CircuitBreakerLayer, Config};
//!
//! let breaker = CircuitBreakerLayer::new(Config::grpc().name("orders"));
//! let handle = breaker.handle();
//! let server = Server::builder()
//!     .timeout(Duration::from_secs(10))  // for every call; the `grpc-timeout` of a caller may be shorter
//!     .layer(breaker);                   // before `add_service`
//! # let _ = (handle, server);
//! ```
//!
//! tonic puts its own timeout, concurrency limit and load shedding outside every layer. A call that exceeds the timeout is
//! dropped. The breaker reads `grpc-timeout` and [counts such a call as a failure](Grpc#deadlines). It cannot read
//! `Server::timeout`: set [`cancelled_after`](crate::SettingsBuilder::cancelled_after) to the same duration, or put tower's
//! `TimeoutLayer` inside the breaker.
//!
//! # On a client
//!
//! ```
//! # use std::time::Duration;
//! use tonic::transport::Endpoint;
//! use tower::ServiceBuilder;
//! use tower_breaker::{CircuitBreakerLayer, Config};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let channel = Endpoint::from_static("http://[::1]:50051")
//!     .timeout(Duration::from_secs(2))
//!     .connect_lazy(); // so that the breaker sees a server that is down, not `connect`
//! let breaker = CircuitBreakerLayer::new(Config::grpc_client().name("orders"));
//! let guarded = ServiceBuilder::new().layer(breaker).service(channel);
//! // let orders = OrdersClient::new(guarded); or, with an interceptor, OrdersClient::with_interceptor(guarded, auth)
//! # let _ = guarded;
//! # }
//! ```
//!
//! # Timeouts
//!
//! | the call is ended by | the caller gets | the breaker counts |
//! |---|---|---|
//! | `Endpoint::timeout` of the channel | `CANCELLED`, "Timeout expired" | a failure |
//! | `Request::set_timeout` | the same | a failure; also on the server, which drops the call at or after the deadline |
//! | tower's `TimeoutLayer` inside the breaker | `UNKNOWN`, "request timed out" | a failure |
//! | … outside the breaker, at or after the deadline of `Request::set_timeout` | the same | a failure |
//! | … outside, without a deadline or before it | the same | cancelled: neutral, and a failure after `cancelled_after` (10 s in the client preset) |
//! | `tokio::time::timeout` around the call | tokio's error | the same as outside the breaker |
//! | `Server::timeout`, on the server | `CANCELLED` | cancelled: neutral, and a failure after `cancelled_after` (off in the server preset) |
//! | the response `DEADLINE_EXCEEDED` of the server | `DEADLINE_EXCEEDED` | a failure |
//!
//! # Interceptors
//!
//! A generated client runs its interceptor outside the breaker: a request that the interceptor refuses is not a call, and the
//! breaker sees the metadata that it adds. An `InterceptorLayer` can be on either side. Inside the breaker, its refusals are
//! classified by their code like responses of the server: `UNAUTHENTICATED` is a success, `UNAVAILABLE` a failure. On a
//! server, an interceptor outside the breaker keeps refused calls away from it. The interceptor of
//! `Service::with_interceptor` is inside.
//!
//! # In handlers
//!
//! The operator `?` converts a rejection to a [`Status`]:
//!
//! ```
//! use tonic::{Request, Response, Status};
//! use tower_breaker::{BreakerHandle, integration::with_tonic::outcome};
//!
//! # struct Client;
//! # impl Client { async fn get(&mut self, _: u32) -> Result<Response<u32>, Status> { Err(Status::not_found("7")) } }
//! async fn get(request: Request<u32>, inventory: &BreakerHandle, client: &mut Client) -> Result<Response<u32>, Status> {
//!     // `run` would count every `Err` as a failure. `outcome` classifies NOT_FOUND as a success.
//!     let stock = inventory.run_with(client.get(request.into_inner()), outcome).await?;
//!     Ok(stock)
//! }
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let inventory = BreakerHandle::new("inventory", tower_breaker::Settings::grpc_client());
//! # assert_eq!(get(Request::new(1), &inventory, &mut Client).await.unwrap_err().code(), tonic::Code::NotFound);
//! # assert_eq!(inventory.snapshot().totals.success, 1);
//! # inventory.force_open(None);
//! # let status = get(Request::new(1), &inventory, &mut Client).await.unwrap_err();
//! # assert_eq!(tower_breaker::integration::with_tonic::rejection(&status).unwrap().name(), "inventory");
//! # }
//! ```
//!
//! [`rejection`] distinguishes such a `Status` from one of the service, also in a client of the server. A caller should not
//! retry it before its wait has ended.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use tonic::{Code, Status, TimeoutExpired};

use crate::classify::{Grpc, OPEN_HEADER, retry_after};
use crate::error::{AsRejection, BreakerError, CircuitOpen, chain};
use crate::outcome::Outcome;
use crate::rejection::RejectWithGrpc;

/// Converts to `UNAVAILABLE` with the metadata and details of [`RejectWithGrpc`]. The `CircuitOpen` is its source.
impl From<CircuitOpen> for Status {
    fn from(open: CircuitOpen) -> Self {
        let mut head = RejectWithGrpc::response::<()>(&open);
        // tonic adds the content type to every response.
        head.headers_mut().remove(CONTENT_TYPE);
        let mut status = Self::from_header_map(head.headers())
            .unwrap_or_else(|| Self::unavailable("circuit open"));
        status.set_source(Arc::new(open));
        status
    }
}

/// Like the conversion by value. Clones the reference to the name.
impl From<&CircuitOpen> for Status {
    fn from(open: &CircuitOpen) -> Self {
        open.clone().into()
    }
}

/// Converts a rejection like [`CircuitOpen`], and returns the inner status unchanged.
impl From<BreakerError<Self>> for Status {
    fn from(error: BreakerError<Self>) -> Self {
        match error {
            BreakerError::Open(open) => open.into(),
            BreakerError::Inner(status) => status,
        }
    }
}

/// Finds a rejection of this process among the sources. A status that came over the network has no sources; see
/// [`rejection`].
impl AsRejection for Status {
    fn as_rejection(&self) -> Option<&CircuitOpen> {
        CircuitOpen::find(self)
    }
}

/// The rejection that a [`Status`] reports, by a breaker of this process or of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection<'a> {
    name: &'a str,
    retry_after: Option<Duration>,
}

impl<'a> Rejection<'a> {
    /// Returns the name of the breaker. If it came over the network, characters other than printable ASCII are `_`.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Returns the time until a call may be admitted, if known. If it came over the network, it is rounded up to milliseconds.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

/// Returns the rejection that a `Status` reports, if any. The requested service was then not called.
///
/// A rejection is recognised by a [`CircuitOpen`] among the sources, or by [`OPEN_HEADER`] in the metadata, which a
/// downstream breaker sends. tonic keeps the metadata if a handler returns the `Status` that it received.
pub fn rejection(status: &Status) -> Option<Rejection<'_>> {
    if let Some(open) = CircuitOpen::find(status) {
        return Some(Rejection { name: open.name(), retry_after: open.retry_after() });
    }
    let headers = status.metadata().as_ref();
    let name = headers.get(OPEN_HEADER)?.to_str().unwrap_or_default();
    Some(Rejection { name, retry_after: retry_after(headers) })
}

/// Classifies the result of a client call like [`Grpc::client`]. For
/// [`BreakerHandle::run_with`](crate::BreakerHandle::run_with).
///
/// A rejection is ignored, with its wait. A timeout of tonic itself is a failure, although its code is `CANCELLED`.
pub fn outcome<T>(result: &Result<T, Status>) -> Outcome {
    let Err(status) = result else { return Outcome::success() };
    if let Some(rejection) = rejection(status) {
        return Outcome::rejected().maybe_retry_after(rejection.retry_after());
    }
    if status.code() == Code::Cancelled && chain(status).any(|error| error.is::<TimeoutExpired>()) {
        return Outcome::failure().reason("deadline exceeded");
    }
    Grpc::client().outcome(Ok::<_, &Status>(&status.clone().into_http::<()>()))
}
