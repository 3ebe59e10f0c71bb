//! The guarded services. They respond immediately.

use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Empty;
use tower_service::Service;

/// An error that allocates nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}

impl std::error::Error for Broken {}

/// Responds with the request, or fails.
#[derive(Clone, Copy, Debug)]
pub enum Inner {
    /// Every call succeeds.
    Works,
    /// Every call fails.
    Fails,
}

impl Service<u64> for Inner {
    type Response = u64;
    type Error = Broken;
    type Future = Ready<Result<u64, Broken>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: u64) -> Self::Future {
        // `black_box` hides the variant from the optimizer.
        ready(match black_box(*self) {
            Self::Works => Ok(request),
            Self::Fails => Err(Broken),
        })
    }
}

/// Creates a request for [`Inner`].
pub fn number() -> u64 {
    black_box(7)
}

/// An HTTP service that is infallible, like axum's. It responds with 200 or 500 and an empty body.
#[derive(Clone, Copy, Debug)]
pub struct HttpInner(pub Inner);

/// The request of [`HttpInner`].
pub type HttpRequest = http::Request<()>;

impl Service<HttpRequest> for HttpInner {
    type Response = http::Response<Empty<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: HttpRequest) -> Self::Future {
        let mut response = http::Response::new(Empty::new());
        if let Inner::Fails = black_box(self.0) {
            *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        }
        ready(Ok(response))
    }
}

/// Creates a request for [`HttpInner`].
pub fn get() -> HttpRequest {
    http::Request::new(())
}
