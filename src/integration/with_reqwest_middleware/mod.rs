//! The circuit breaker as a middleware of reqwest-middleware.

mod call;
mod error;
mod hosts;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::poll_fn;
use std::num::NonZeroUsize;

use http::Extensions;
use reqwest::{IntoUrl, Request, Response};
use reqwest_middleware::{Error, Middleware, Next, Result};
use tower_layer::Layer;
use tower_service::Service;

use self::call::Call;
use self::error::IntoMiddlewareError;
pub use self::hosts::PerHost;
use crate::classify::Classify;
use crate::rejection::OnRejected;
use crate::{BreakerHandle, Settings};
use crate::{CircuitBreakerLayer, Config};

/// Guards a client of [`reqwest_middleware`], with one breaker or with one for each host.
///
/// ```
/// use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
/// use tower_breaker::{Config, integration::with_reqwest_middleware::CircuitBreakerMiddleware};
///
/// fn guarded(client: reqwest::Client) -> ClientWithMiddleware {
///     let breaker = CircuitBreakerMiddleware::per_host(Config::http_client());
///     let _observed = breaker.clone(); // shares the breakers: `handle`, `handles`
///     ClientBuilder::new(client).with(breaker).build()
/// }
/// ```
///
/// Any [`Config`] that fits a `reqwest::Client` will do: the classifiers, the rules, and the bodies are those of
/// [`CircuitBreakerLayer`]. A response keeps its type and its URL, and its body settles the call where it ends.
///
/// # Rejections
///
/// A rejected call is a [`reqwest_middleware::Error::Middleware`]. Because that error is transparent, its `source` skips
/// what it holds; [`CircuitOpen::find`](crate::CircuitOpen::find) and
/// [`as_rejection`](crate::AsRejection::as_rejection) find the rejection all the same, also behind the errors of
/// reqwest-retry, and so does `downcast_ref::<CircuitOpen>()` of the `anyhow::Error`:
///
/// ```
/// # async fn ask(client: reqwest_middleware::ClientWithMiddleware) {
/// use tower_breaker::AsRejection;
///
/// if let Err(error) = client.get("https://api.example.com").send().await
///     && let Some(open) = error.as_rejection()
/// {
///     println!("{} rests, retry after {:?}", open.name(), open.retry_after());
/// }
/// # }
/// ```
///
/// To answer instead: `.on_rejected(RejectWithHttp)`, a 503 with `Retry-After` and the URL of the request, or
/// `.reject_with(|request: reqwest::Request, open| …)`.
///
/// # Order
///
/// The first middleware that a client is given is the outermost one.
///
/// - *Retry before the breaker* (`.with(retry).with(breaker)`): every attempt counts. The default strategy of
///   reqwest-retry takes every error of a middleware for fatal, and so stops at a rejection. It would retry the 503 of
///   [`RejectWithHttp`](crate::rejection::RejectWithHttp): with that, the strategy must look for
///   [`OPEN_HEADER`](crate::classify::OPEN_HEADER).
/// - *Retry behind the breaker* (`.with(breaker).with(retry)`): all the attempts are one call, and their last one is its
///   outcome.
/// - A *timeout* belongs to the client (`reqwest::ClientBuilder::timeout`): it is a failure. One around the whole call
///   drops it, and that is neutral before `cancelled_after`.
///
/// A redirect that reqwest follows is a part of the call, which counts for the host of its first URL.
///
/// # Cancel safety
///
/// A call that is dropped is cancelled: neutral, unless it had run for
/// [`cancelled_after`](crate::SettingsBuilder::cancelled_after).
///
/// # Clone
///
/// Clones share the breakers.
#[derive(Clone)]
pub struct CircuitBreakerMiddleware<B> {
    breakers: B,
}

impl<C, R> CircuitBreakerMiddleware<CircuitBreakerLayer<C, R>> {
    /// One breaker for every call of the client: for a client that has one upstream.
    pub fn new(config: Config<C, R>) -> Self {
        Self { breakers: CircuitBreakerLayer::new(config) }
    }

    /// Joins an existing breaker, as [`CircuitBreakerLayer::join`] does.
    pub fn join(handle: &BreakerHandle, config: Config<C, R>) -> Self {
        Self { breakers: CircuitBreakerLayer::join(handle, config) }
    }

    /// The view and the control of the breaker.
    pub fn handle(&self) -> BreakerHandle {
        self.breakers.handle()
    }
}

impl<C, R> CircuitBreakerMiddleware<PerHost<C, R>> {
    /// A breaker for each origin: scheme, host and port. It is made by the first call there, and named after it
    /// (`https://api.example.com`, `http://10.0.0.7:8080`; a default port is left out), whatever name `config` has.
    ///
    /// Of 1 024 origins at most, unless [`capacity`](Self::capacity) says otherwise.
    pub fn per_host(config: Config<C, R>) -> Self {
        Self { breakers: PerHost::new(config) }
    }

    /// So many origins have a breaker at most. Default: 1 024.
    ///
    /// One more, and the least recently used breaker is forgotten, with what it knew: first of those that are closed
    /// and that nobody holds (no call, no body that is being read, no [`BreakerHandle`]), then of those that nobody holds, then
    /// of all. A call that is under way ends as it would, unseen.
    ///
    /// A new origin at capacity takes a look at each of the others, under a lock.
    pub fn capacity(self, origins: NonZeroUsize) -> Self {
        self.breakers.set_capacity(origins);
        self
    }

    /// The breaker of the origin of `url`, if it was called and is not forgotten.
    ///
    /// Whoever keeps handles keeps their breakers from being forgotten first.
    pub fn handle(&self, url: impl IntoUrl) -> Option<BreakerHandle> {
        self.breakers.handle(&url.into_url().ok()?)
    }

    /// The breakers there are, in the order of their names.
    pub fn handles(&self) -> Vec<BreakerHandle> {
        self.breakers.handles()
    }

    /// Applies new settings to the breakers there are, as [`BreakerHandle::reconfigure`] does, and to those to come.
    pub fn reconfigure(&self, settings: Settings) {
        self.breakers.reconfigure(settings);
    }
}

/// Where the breaker of a call comes from.
trait Breakers<C, R> {
    fn breaker(&self, request: &Request) -> CircuitBreakerLayer<C, R>;
}

impl<C: Clone, R: Clone> Breakers<C, R> for CircuitBreakerLayer<C, R> {
    fn breaker(&self, _: &Request) -> Self {
        self.clone()
    }
}

impl<C: Clone, R: Clone> Breakers<C, R> for PerHost<C, R> {
    fn breaker(&self, request: &Request) -> CircuitBreakerLayer<C, R> {
        self.get(request.url())
    }
}

/// Both are middlewares under the same conditions.
macro_rules! middleware {
    ($($breakers:ident),*) => {$(
        #[async_trait::async_trait]
        impl<C, R> Middleware for CircuitBreakerMiddleware<$breakers<C, R>>
        where
            C: Classify<Request, Response, Error, Response = Response> + Clone + Send + Sync + 'static,
            C::RequestInfo: Send,
            C::Deferred: Send,
            R: OnRejected<Request, Response, Error> + Clone + Send + Sync + 'static,
            R::Error: IntoMiddlewareError,
            R::Future: Send,
        {
            async fn handle(
                &self,
                request: Request,
                extensions: &mut Extensions,
                next: Next<'_>,
            ) -> Result<Response> {
                let breaker = self.breakers.breaker(&request);
                let mut guarded = breaker.layer(Call::new(next, extensions));
                let ready = poll_fn(|cx| Service::<Request>::poll_ready(&mut guarded, cx)).await;
                ready.map_err(IntoMiddlewareError::into_error)?;
                guarded.call(request).await.map_err(IntoMiddlewareError::into_error)
            }
        }
    )*};
}

middleware!(CircuitBreakerLayer, PerHost);

impl<C, R> fmt::Debug for CircuitBreakerMiddleware<CircuitBreakerLayer<C, R>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreakerMiddleware").field("handle", &self.handle()).finish()
    }
}

impl<C, R> fmt::Debug for CircuitBreakerMiddleware<PerHost<C, R>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreakerMiddleware").field("per_host", &self.breakers).finish()
    }
}
