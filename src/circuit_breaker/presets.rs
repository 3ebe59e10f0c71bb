//! One line for each kind of service.

use crate::circuit_breaker::config::Config;
use crate::classify::ErrorsAsFailures;
#[cfg(feature = "http")]
use crate::classify::{Grpc, Http};
#[cfg(feature = "llm")]
use crate::llm::{Llm, Provider};
use crate::machine::Settings;
use crate::rejection::RejectWithBoxError;
#[cfg(feature = "http")]
use crate::rejection::{RejectWithGrpc, RejectWithHttp};

/// For any service: `Err` is a failure, a rejection is a [`BoxError`](crate::BoxError) that holds a
/// [`CircuitOpen`](crate::CircuitOpen).
impl Default for Config {
    fn default() -> Self {
        Self::of("default", Settings::default(), ErrorsAsFailures, RejectWithBoxError)
    }
}

#[cfg(feature = "http")]
impl Config {
    /// For HTTP servers and routers: 5xx is a failure, a 429 moves nothing (one caller's limit must not close the
    /// house), a rejection is a 503 with `Retry-After`. The error type stays, axum's `Infallible` too.
    pub fn http() -> Config<Http, RejectWithHttp> {
        Config::of("http", Settings::http(), Http::server(), RejectWithHttp)
    }

    /// For HTTP clients: 5xx and transport errors are failures, a 429 holds, a rejection is a
    /// [`BoxError`](crate::BoxError) that holds a [`CircuitOpen`](crate::CircuitOpen).
    ///
    /// Around hyper-util's pooled client it counts calls, not connections: a request that the client repeats by itself,
    /// because it could not send it on a pooled connection that had died, is one call.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # use std::time::Duration;
    /// # use bytes::Bytes;
    /// # use http_body_util::Full;
    /// use hyper_util::{client::legacy::Client, rt::TokioExecutor};
    /// use tower::{ServiceBuilder, timeout::TimeoutLayer};
    /// use tower_breaker::{CircuitBreakerLayer, Config};
    ///
    /// let client = ServiceBuilder::new()
    ///     .layer(CircuitBreakerLayer::new(Config::http_client()))
    ///     .layer(TimeoutLayer::new(Duration::from_secs(30))) // inside: what it ends is a failure
    ///     .service(Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>());
    /// # let request = http::Request::get("http://127.0.0.1:1/").body(Full::default()).unwrap();
    /// # assert!(tower::ServiceExt::oneshot(client, request).await.is_err());
    /// # }
    /// ```
    pub fn http_client() -> Config<Http, RejectWithBoxError> {
        Config::of("http_client", Settings::http_client(), Http::client(), RejectWithBoxError)
    }

    /// For tonic servers: a rejection is `UNAVAILABLE` with pushback. The error type stays.
    pub fn grpc() -> Config<Grpc, RejectWithGrpc> {
        Config::of("grpc", Settings::grpc(), Grpc::server(), RejectWithGrpc)
    }

    /// For tonic clients: `RESOURCE_EXHAUSTED` holds, a rejection is `UNAVAILABLE` with pushback. The error type
    /// stays.
    pub fn grpc_client() -> Config<Grpc, RejectWithGrpc> {
        Config::of("grpc_client", Settings::grpc_client(), Grpc::client(), RejectWithGrpc)
    }

    /// For LLM APIs: the provider's signals, longer waits, longer leases. A rejection is a
    /// [`BoxError`](crate::BoxError) that holds a [`CircuitOpen`](crate::CircuitOpen).
    #[cfg(feature = "llm")]
    pub fn llm(provider: Provider) -> Config<Llm, RejectWithBoxError> {
        Config::of("llm", Settings::llm(), Llm::new(provider), RejectWithBoxError)
    }
}
