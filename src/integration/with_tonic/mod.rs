//! tonic: rejections as a [`Status`], and what a `Status` means.
//!
//! The layers need none of this: `Config::grpc()` guards a tonic server and `Config::grpc_client()` a channel, both
//! with feature `http`. What is here is for code that handles a [`Status`] itself.
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
//!     .timeout(Duration::from_secs(10))  // of every call; a caller's `grpc-timeout` may be shorter
//!     .layer(breaker);                   // before `add_service`
//! # let _ = (handle, server);
//! ```
//!
//! tonic puts its own timeout, its concurrency limit and its load shedding outside of every layer: a call that runs into
//! the timeout is dropped. The breaker reads `grpc-timeout` and [counts that as a failure](Grpc#deadlines). It cannot
//! know the time of `Server::timeout`: set
//! [`cancelled_after`](crate::SettingsBuilder::cancelled_after) to the same, or put a `TimeoutLayer` of tower's inside of
//! the breaker.
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
//!     .connect_lazy(); // a server that is down is then seen by the breaker, not by `connect`
//! let breaker = CircuitBreakerLayer::new(Config::grpc_client().name("orders"));
//! let guarded = ServiceBuilder::new().layer(breaker).service(channel);
//! // let orders = OrdersClient::new(guarded); or, with an interceptor, OrdersClient::with_interceptor(guarded, auth)
//! # let _ = guarded;
//! # }
//! ```
//!
//! # Timeouts
//!
//! | what ends the call | the caller gets | the breaker counts |
//! |---|---|---|
//! | `Endpoint::timeout` of the channel | `CANCELLED`, "Timeout expired" | a failure |
//! | `Request::set_timeout` | the same | a failure; on the server, too, where the call is dropped at or after the deadline |
//! | a `TimeoutLayer` of tower's inside of the breaker | `UNKNOWN`, "request timed out" | a failure |
//! | … outside of the breaker, at or after the deadline of `Request::set_timeout` | the same | a failure |
//! | … outside, without a deadline or before it | the same | cancelled: neutral, and a failure after `cancelled_after` (10 s in the client preset) |
//! | `tokio::time::timeout` around the call | the error of tokio's | as outside of the breaker |
//! | `Server::timeout`, on the server | `CANCELLED` | cancelled: neutral, and a failure after `cancelled_after` (off in the server preset) |
//! | the server's answer `DEADLINE_EXCEEDED` | that | a failure |
//!
//! # Interceptors
//!
//! A generated client runs its interceptor outside of the breaker: what it refuses was no call, and its metadata is on
//! the request when the breaker asks. An `InterceptorLayer` may stand on either side. Inside of a breaker, what it
//! refuses is judged by its code, as if the server had said it: `UNAUTHENTICATED` is a success there, `UNAVAILABLE` a
//! failure. On a server, an interceptor outside of the breaker keeps calls away that have no business there; the
//! interceptor of `Service::with_interceptor` is inside.
//!
//! # In handlers
//!
//! A rejection turns into a [`Status`] with `?`:
//!
//! ```
//! use tonic::{Request, Response, Status};
//! use tower_breaker::{BreakerHandle, integration::with_tonic::outcome};
//!
//! # struct Client;
//! # impl Client { async fn get(&mut self, _: u32) -> Result<Response<u32>, Status> { Err(Status::not_found("7")) } }
//! async fn get(request: Request<u32>, inventory: &BreakerHandle, client: &mut Client) -> Result<Response<u32>, Status> {
//!     // `run` would count every `Err`; `outcome` knows that a NOT_FOUND is an answer.
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
//! [`rejection`] tells such a `Status` from one of the service, also at the other end of the wire: a caller that retries
//! should not retry these before their time.

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

/// `UNAVAILABLE`, with the metadata and the details of [`RejectWithGrpc`]. The `CircuitOpen` is its source.
impl From<CircuitOpen> for Status {
    fn from(open: CircuitOpen) -> Self {
        let mut head = RejectWithGrpc::response::<()>(&open);
        // No metadata: tonic adds it to every answer.
        head.headers_mut().remove(CONTENT_TYPE);
        let mut status = Self::from_header_map(head.headers())
            .unwrap_or_else(|| Self::unavailable("circuit open"));
        status.set_source(Arc::new(open));
        status
    }
}

/// As from a [`CircuitOpen`] by value, of which this clones the reference to the name.
impl From<&CircuitOpen> for Status {
    fn from(open: &CircuitOpen) -> Self {
        open.clone().into()
    }
}

/// The rejection as from [`CircuitOpen`], or the inner error as it is.
impl From<BreakerError<Self>> for Status {
    fn from(error: BreakerError<Self>) -> Self {
        match error {
            BreakerError::Open(open) => open.into(),
            BreakerError::Inner(status) => status,
        }
    }
}

/// Finds what a breaker of this process left among the sources. What came over the wire has none: see [`rejection`].
impl AsRejection for Status {
    fn as_rejection(&self) -> Option<&CircuitOpen> {
        CircuitOpen::find(self)
    }
}

/// The rejection by a breaker that a [`Status`] is about: one of this process, or of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection<'a> {
    name: &'a str,
    retry_after: Option<Duration>,
}

impl<'a> Rejection<'a> {
    /// The name of the breaker. Over the wire, what is not printable ASCII has become `_`.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// How long until a call may be admitted, if it is known. Over the wire, rounded up to milliseconds.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

/// Whether a `Status` is a rejection: the service that was asked for was not called.
///
/// It is found by a [`CircuitOpen`] among the sources, or by [`OPEN_HEADER`] in the metadata, which a breaker further
/// down has sent. tonic keeps the metadata where a handler returns the `Status` that it got.
pub fn rejection(status: &Status) -> Option<Rejection<'_>> {
    if let Some(open) = CircuitOpen::find(status) {
        return Some(Rejection { name: open.name(), retry_after: open.retry_after() });
    }
    let headers = status.metadata().as_ref();
    let name = headers.get(OPEN_HEADER)?.to_str().unwrap_or_default();
    Some(Rejection { name, retry_after: retry_after(headers) })
}

/// What the result of a client's call means, by the rules of [`Grpc::client`]. For
/// [`BreakerHandle::run_with`](crate::BreakerHandle::run_with).
///
/// A rejection is ignored, with its wait. A timeout of tonic's own is a failure, although its code is `CANCELLED`.
pub fn outcome<T>(result: &Result<T, Status>) -> Outcome {
    let Err(status) = result else { return Outcome::success() };
    if let Some(rejection) = rejection(status) {
        return Outcome::ignored().maybe_retry_after(rejection.retry_after());
    }
    if status.code() == Code::Cancelled && chain(status).any(|error| error.is::<TimeoutExpired>()) {
        return Outcome::failure().reason("deadline exceeded");
    }
    Grpc::client().outcome(Ok::<_, &Status>(&status.clone().into_http::<()>()))
}
