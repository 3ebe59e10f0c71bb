//! The rest of a middleware chain as a service.

use std::future::{Future, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use anyhow::anyhow;
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Error, Next, Result};
use tower_service::Service;

/// One call through the rest of the chain.
pub(super) struct Call<'a> {
    /// `None` after the call.
    rest: Option<(Next<'a>, &'a mut Extensions)>,
}

impl<'a> Call<'a> {
    pub(super) fn new(next: Next<'a>, extensions: &'a mut Extensions) -> Self {
        Self { rest: Some((next, extensions)) }
    }
}

impl<'a> Service<Request> for Call<'a> {
    type Response = Response;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response>> + Send + 'a>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match self.rest.take() {
            Some((next, extensions)) => next.run(request, extensions),
            // Unreachable, because a breaker calls its service once.
            None => Box::pin(ready(Err(Error::Middleware(anyhow!("called twice"))))),
        }
    }
}
