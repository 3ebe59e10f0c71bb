//! The presets of [`Config`].

use crate::circuit_breaker::config::Config;
use crate::classify::ErrorsAsFailures;
#[cfg(feature = "http")]
use crate::classify::{Grpc, Http};
#[cfg(feature = "llm")]
use crate::llm::{Llm, Provider};
use crate::rejection::RejectWithBoxError;
#[cfg(feature = "http")]
use crate::rejection::{RejectWithGrpc, RejectWithHttp};
use crate::settings::Settings;

/// The preset for any service.
///
/// An `Err` is a failure. A rejection is a [`BoxError`](crate::BoxError) that holds a
/// [`CircuitOpen`](crate::CircuitOpen).
impl Default for Config {
    fn default() -> Self {
        Self::of("default", Settings::default(), ErrorsAsFailures, RejectWithBoxError)
    }
}

#[cfg(feature = "http")]
impl Config {
    /// Returns the preset for HTTP servers and routers.
    ///
    /// A 5xx is a failure. A 429 is ignored: the rate limit of one caller must not open the circuit for everyone. A
    /// rejection is a 503 with `Retry-After`. The error type stays that of the inner service, such as axum's
    /// `Infallible`.
    pub fn http() -> Config<Http, RejectWithHttp> {
        Config::of("http", Settings::http(), Http::server(), RejectWithHttp)
    }

    /// Returns the preset for HTTP clients.
    ///
    /// A 5xx and a transport error are failures. A 429 holds the circuit open for its wait. A rejection is a
    /// [`BoxError`](crate::BoxError) that holds a [`CircuitOpen`](crate::CircuitOpen).
    ///
    /// Around hyper-util's pooled client, the breaker counts calls, not connections. If the client repeats a request
    /// because a pooled connection was dead, it is still one call.
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
    ///     .layer(TimeoutLayer::new(Duration::from_secs(30))) // inside the breaker, so that a timeout is a failure
    ///     .service(Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>());
    /// # let request = http::Request::get("http://127.0.0.1:1/").body(Full::default()).unwrap();
    /// # assert!(tower::ServiceExt::oneshot(client, request).await.is_err());
    /// # }
    /// ```
    pub fn http_client() -> Config<Http, RejectWithBoxError> {
        Config::of("http_client", Settings::http_client(), Http::client(), RejectWithBoxError)
    }

    /// Returns the preset for tonic servers.
    ///
    /// A rejection is `UNAVAILABLE` with pushback. The error type stays that of the inner service.
    pub fn grpc() -> Config<Grpc, RejectWithGrpc> {
        Config::of("grpc", Settings::grpc(), Grpc::server(), RejectWithGrpc)
    }

    /// Returns the preset for tonic clients.
    ///
    /// `RESOURCE_EXHAUSTED` holds the circuit open for its wait. A rejection is `UNAVAILABLE` with pushback. The error type
    /// stays that of the inner service.
    pub fn grpc_client() -> Config<Grpc, RejectWithGrpc> {
        Config::of("grpc_client", Settings::grpc_client(), Grpc::client(), RejectWithGrpc)
    }

    /// Returns the preset for LLM APIs.
    ///
    /// It classifies by the signals of the provider, and has longer waits and leases. A rejection is a
    /// [`BoxError`](crate::BoxError) that holds a [`CircuitOpen`](crate::CircuitOpen).
    #[cfg(feature = "llm")]
    pub fn llm(provider: Provider) -> Config<Llm, RejectWithBoxError> {
        Config::of("llm", Settings::llm(), Llm::new(provider), RejectWithBoxError)
    }
}
