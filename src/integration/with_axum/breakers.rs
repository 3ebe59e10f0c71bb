//! The layer and the extractors.

use std::fmt;
use std::future::{Future, ready};
use std::slice;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::extract::FromRequestParts;
use http::Request;
use http::request::Parts;
use tower_layer::Layer;
use tower_service::Service;

use super::missing::MissingBreaker;
use crate::breaker::BreakerHandle;

/// Provides breakers to axum handlers. With this layer on the router, a handler takes a [`BreakerHandle`] as an argument, or
/// `Breakers` if there are several.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use axum::{Router, routing::get};
/// use tower_breaker::{CircuitBreakerLayer, Config, BreakerHandle, integration::with_axum::Breakers};
/// # use axum::body::Body;
/// # use http::Request;
/// # use tower::ServiceExt;
///
/// async fn health(breaker: BreakerHandle) -> String {
///     format!("{}: {}", breaker.name(), breaker.state())
/// }
///
/// let breaker = CircuitBreakerLayer::new(Config::http().name("orders"));
/// let handle = breaker.handle();
/// let app: Router = Router::new()
///     .route("/orders", get(|| async { "orders" }))
///     .layer(breaker)                   // guards the routes above it
///     .route("/health", get(health))    // answers while the circuit is open
///     .layer(Breakers::new([handle]));  // for the handlers of all routes above
/// # let Ok(answer) = app.oneshot(Request::get("/health").body(Body::empty()).unwrap()).await;
/// # let body = axum::body::to_bytes(answer.into_body(), 100).await.unwrap();
/// # assert_eq!(body, "orders: closed");
/// # }
/// ```
///
/// Several, by name:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use axum::{Router, http::StatusCode, routing::get};
/// use tower_breaker::{BreakerHandle, Settings, integration::with_axum::Breakers};
/// # use axum::body::Body;
/// # use http::Request;
/// # use tower::ServiceExt;
///
/// async fn ready(breakers: Breakers) -> StatusCode {
///     match breakers.get("database") {
///         Some(database) if database.would_admit() => StatusCode::OK,
///         _ => StatusCode::SERVICE_UNAVAILABLE,
///     }
/// }
///
/// let database = BreakerHandle::new("database", Settings::default());
/// let search = BreakerHandle::new("search", Settings::http());
/// # database.force_open(None);
/// let app: Router = Router::new()
///     .route("/ready", get(ready))
///     .layer(Breakers::new([database, search]));
/// # let Ok(answer) = app.oneshot(Request::get("/ready").body(Body::empty()).unwrap()).await;
/// # assert_eq!(answer.status(), 503);
/// # }
/// ```
///
/// A breaker in the router's state does not need this layer, and a missing one is a compile error: use
/// `Router::new().with_state(handle)` and axum's `State<BreakerHandle>`. Prefer that if you own the state. `Breakers`
/// is for routers with different states.
///
/// # Layers of a router
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::time::Duration;
/// use axum::{BoxError, Router, error_handling::HandleErrorLayer, http::StatusCode, response::IntoResponse, routing::get};
/// use tower::{ServiceBuilder, timeout::TimeoutLayer};
/// use tower_breaker::{CircuitBreakerLayer, CircuitOpen, Config};
/// # use axum::body::Body;
/// # use http::Request;
/// # use tower::ServiceExt;
///
/// let breaker = CircuitBreakerLayer::new(Config::http());
/// # let handle = breaker.handle();
/// let app: Router = Router::new()
///     .route("/orders", get(|| async { "orders" }))
///     .layer(
///         ServiceBuilder::new()
///             .layer(HandleErrorLayer::new(|error: BoxError| async move {  // for the error of the timeout
///                 match CircuitOpen::find(&*error) {
///                     Some(open) => open.clone().into_response(),
///                     None => StatusCode::GATEWAY_TIMEOUT.into_response(),
///                 }
///             }))
///             .layer(breaker)                                              // inside: sees the timeout
///             .layer(TimeoutLayer::new(Duration::from_secs(10))),
///     );
/// # handle.force_open(None);
/// # let Ok(answer) = app.oneshot(Request::get("/orders").body(Body::empty()).unwrap()).await;
/// # assert_eq!(answer.headers()["x-circuit-open"], "http");
/// # }
/// ```
///
/// - Without a layer that can fail, such as tower's timeout, `.layer(CircuitBreakerLayer::new(Config::http()))` is enough: it
///   answers rejected calls with 503 and never fails.
/// - `Router::layer` guards the routes that were added before it and requests that match no route. `route_layer` guards only
///   the routes. `get(…).layer(breaker)` guards one route.
/// - One breaker on a whole router rejects the calls of all its routes when one of them fails. Give each route that
///   can fail independently its own breaker.
/// - If rejections should be errors (`.on_rejected(RejectWithBreakerError)`), put the breaker under
///   `HandleErrorLayer::new(|error: BreakerError<Infallible>| async { error })`, which turns them into responses.
/// - A handler that calls `handle.run(…)` can return `Result<_, BreakerError<AppError>>` with `AppError: IntoResponse` and use
///   `?`. A handler that calls `handle.try_acquire()` can return `Result<_, CircuitOpen>`.
///
/// # Scope
///
/// The breakers are stored in the extensions of each request. An inner `Breakers` layer replaces the outer one for its
/// handlers.
#[derive(Clone)]
pub struct Breakers(Arc<[BreakerHandle]>);

impl Breakers {
    /// Creates a layer with these breakers, in this order.
    pub fn new(handles: impl IntoIterator<Item = BreakerHandle>) -> Self {
        Self(handles.into_iter().collect())
    }

    /// Returns the first breaker with this name.
    pub fn get(&self, name: &str) -> Option<&BreakerHandle> {
        self.iter().find(|handle| handle.name() == name)
    }

    /// Iterates over all breakers.
    pub fn iter(&self) -> slice::Iter<'_, BreakerHandle> {
        self.0.iter()
    }

    fn single(&self) -> Result<&BreakerHandle, MissingBreaker> {
        match &*self.0 {
            [handle] => Ok(handle),
            handles => Err(MissingBreaker::NotOne(handles.len())),
        }
    }

    fn from_parts(parts: &Parts) -> Result<&Self, MissingBreaker> {
        parts.extensions.get().ok_or(MissingBreaker::NoLayer)
    }
}

impl FromIterator<BreakerHandle> for Breakers {
    fn from_iter<I: IntoIterator<Item = BreakerHandle>>(handles: I) -> Self {
        Self::new(handles)
    }
}

impl<'a> IntoIterator for &'a Breakers {
    type Item = &'a BreakerHandle;
    type IntoIter = slice::Iter<'a, BreakerHandle>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Breakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}

/// Extracts the breakers of the innermost [`Breakers`] layer.
impl<S> FromRequestParts<S> for Breakers {
    type Rejection = MissingBreaker;

    fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> impl Future<Output = Result<Self, MissingBreaker>> + Send {
        ready(Self::from_parts(parts).cloned())
    }
}

/// Extracts the only breaker of the innermost [`Breakers`] layer.
impl<S> FromRequestParts<S> for BreakerHandle {
    type Rejection = MissingBreaker;

    fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> impl Future<Output = Result<Self, MissingBreaker>> + Send {
        ready(Breakers::from_parts(parts).and_then(Breakers::single).cloned())
    }
}

impl<S> Layer<S> for Breakers {
    type Service = WithBreakers<S>;

    fn layer(&self, inner: S) -> WithBreakers<S> {
        WithBreakers { inner, breakers: self.clone() }
    }
}

/// The service of [`Breakers`]: adds them to the extensions of every request.
#[derive(Clone, Debug)]
pub struct WithBreakers<S> {
    inner: S,
    breakers: Breakers,
}

impl<S, B> Service<Request<B>> for WithBreakers<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        request.extensions_mut().insert(self.breakers.clone());
        self.inner.call(request)
    }
}
