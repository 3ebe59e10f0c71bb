//! reqwest-middleware: the circuit breaker as a middleware.

mod call;
mod error;
mod per_host;
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
pub use self::per_host::PerHost;
use crate::classify::Classify;
use crate::rejection::OnRejected;
use crate::{BreakerHandle, CircuitBreakerLayer, Config, Settings};

/// Guards a client of [`reqwest_middleware`] with one breaker, or with one breaker per host.
///
/// ```
/// use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
/// use tower_breaker::{Config, integration::with_reqwest_middleware::CircuitBreakerMiddleware};
///
/// fn guarded(client: reqwest::Client) -> ClientWithMiddleware {
///     let breaker = CircuitBreakerMiddleware::per_host(Config::http_client());
///     let _observed = breaker.clone(); // shares the breakers; has `handle` and `handles`
///     ClientBuilder::new(client).with(breaker).build()
/// }
/// ```
///
/// Accepts every [`Config`] that fits a `reqwest::Client`. Classifiers, overrides and bodies work as with
/// [`CircuitBreakerLayer`]. A response keeps its type and its URL, and the end of its body settles the call.
///
/// A layer converts to a middleware that shares its breaker:
///
/// ```
/// use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
/// use tower_breaker::integration::with_reqwest_middleware::CircuitBreakerMiddleware;
/// use tower_breaker::{CircuitBreakerLayer, Config};
///
/// fn guarded(client: reqwest::Client) -> ClientWithMiddleware {
///     let breaker = CircuitBreakerLayer::new(Config::http_client());
///     ClientBuilder::new(client).with(CircuitBreakerMiddleware::from(breaker)).build()
/// }
/// ```
///
/// # Rejections
///
/// A rejection is a [`reqwest_middleware::Error::Middleware`]. That error is transparent, so its `source` skips the error
/// that it holds. [`CircuitOpen::find`](crate::CircuitOpen::find) and
/// [`as_rejection`](crate::AsRejection::as_rejection) find the rejection nevertheless, also inside the errors of
/// reqwest-retry. So does `downcast_ref::<CircuitOpen>()` on the `anyhow::Error`:
///
/// ```
/// # async fn ask(client: reqwest_middleware::ClientWithMiddleware) {
/// use tower_breaker::AsRejection;
///
/// if let Err(error) = client.get("https://api.example.com").send().await
///     && let Some(open) = error.as_rejection()
/// {
///     println!("{} is open, retry after {:?}", open.name(), open.retry_after());
/// }
/// # }
/// ```
///
/// To answer with a response instead, use `.on_rejected(RejectWithHttp)` (a 503 with `Retry-After` and the URL of the
/// request) or `.reject_with(|request: reqwest::Request, open| …)`.
///
/// # Order
///
/// The first middleware of a client is the outermost one.
///
/// - *Retry outside the breaker* (`.with(retry).with(breaker)`): every attempt counts. The default strategy of
///   reqwest-retry treats every error of a middleware as fatal, so it stops at a rejection. It would retry the 503 of
///   [`RejectWithHttp`](crate::rejection::RejectWithHttp); with that policy, the strategy must check for
///   [`OPEN_HEADER`](crate::classify::OPEN_HEADER).
/// - *Retry inside the breaker* (`.with(breaker).with(retry)`): all attempts are one call, and the last attempt decides its
///   outcome.
/// - Set the *timeout* on the client (`reqwest::ClientBuilder::timeout`): it is then a failure. A timeout around the whole
///   call drops it, which is neutral before `cancelled_after`.
///
/// A redirect that reqwest follows is part of the call. The call counts for the host of its first URL.
///
/// # Cancel safety
///
/// Dropping a call records it as cancelled, which is neutral unless the call has run for
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
    /// Creates a middleware with one breaker for all calls, for a client with one upstream.
    pub fn new(config: Config<C, R>) -> Self {
        Self { breakers: CircuitBreakerLayer::new(config) }
    }

    /// Creates a middleware that joins an existing breaker, like [`CircuitBreakerLayer::join`].
    pub fn join(handle: &BreakerHandle, config: Config<C, R>) -> Self {
        Self { breakers: CircuitBreakerLayer::join(handle, config) }
    }

    /// Returns the handle of the breaker.
    pub fn handle(&self) -> BreakerHandle {
        self.breakers.handle()
    }
}

impl<C, R> CircuitBreakerMiddleware<PerHost<C, R>> {
    /// Creates a middleware with one breaker per origin: scheme, host and port. The first call to an origin creates its
    /// breaker. The breaker is named after the origin (`https://api.example.com`, `http://10.0.0.7:8080`; a default port is
    /// omitted), whatever name `config` has.
    ///
    /// There are at most 1 024 breakers, unless [`capacity`](Self::capacity) sets another limit.
    pub fn per_host(config: Config<C, R>) -> Self {
        Self { breakers: PerHost::new(config) }
    }

    /// Sets the largest number of origins that have a breaker. Default: 1 024.
    ///
    /// A new origin at capacity evicts another one. Breakers that are closed and not held (by a call, a body that is being
    /// read, or a [`BreakerHandle`]) go first, then those that are open and not held, then the held ones; within each group the
    /// least recently used goes first. A call in flight on an evicted breaker ends normally, and its outcome is lost.
    ///
    /// An eviction looks at 64 breakers, so its cost is bounded. Above that capacity the order is approximate.
    pub fn capacity(self, origins: NonZeroUsize) -> Self {
        self.breakers.set_capacity(origins);
        self
    }

    /// Returns the breaker of the origin of `url`. Returns `None` before the first call and after an eviction.
    ///
    /// Keeping the handle keeps the breaker from being evicted early.
    pub fn handle(&self, url: impl IntoUrl) -> Option<BreakerHandle> {
        self.breakers.handle(&url.into_url().ok()?)
    }

    /// Returns the handles of all breakers, ordered by name.
    pub fn handles(&self) -> Vec<BreakerHandle> {
        self.breakers.handles()
    }

    /// Applies new settings to all existing breakers, like [`BreakerHandle::reconfigure`], and to future ones.
    pub fn reconfigure(&self, settings: Settings) {
        self.breakers.reconfigure(settings);
    }
}

/// Selects the breaker of a call.
trait LayerFor<C, R> {
    fn layer_for(&self, request: &Request) -> CircuitBreakerLayer<C, R>;
}

impl<C: Clone, R: Clone> LayerFor<C, R> for CircuitBreakerLayer<C, R> {
    fn layer_for(&self, _: &Request) -> Self {
        self.clone()
    }
}

impl<C: Clone, R: Clone> LayerFor<C, R> for PerHost<C, R> {
    fn layer_for(&self, request: &Request) -> CircuitBreakerLayer<C, R> {
        self.layer(request.url())
    }
}

/// Implements [`Middleware`] for both forms, with the same bounds.
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
                let breaker = self.breakers.layer_for(&request);
                let mut guarded = breaker.layer(Call::new(next, extensions));
                let ready = poll_fn(|cx| Service::<Request>::poll_ready(&mut guarded, cx)).await;
                ready.map_err(IntoMiddlewareError::into_error)?;
                guarded.call(request).await.map_err(IntoMiddlewareError::into_error)
            }
        }
    )*};
}

middleware!(CircuitBreakerLayer, PerHost);

/// Creates a middleware that shares the breaker of the layer.
impl<C, R> From<CircuitBreakerLayer<C, R>> for CircuitBreakerMiddleware<CircuitBreakerLayer<C, R>> {
    fn from(layer: CircuitBreakerLayer<C, R>) -> Self {
        Self { breakers: layer }
    }
}

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
