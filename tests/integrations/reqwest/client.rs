//! A client behind a breaker, as a service and as a middleware.

use std::time::Duration;

use reqwest::{Client, ClientBuilder, Method, Request, Response};
use reqwest_middleware::ClientWithMiddleware;
use tower::{Layer, ServiceExt};
use tower_breaker::classify::Http;
use tower_breaker::{
    Backoff, BoxError, BreakerHandle, CircuitBreaker, CircuitBreakerLayer, CircuitOpen, Config,
    Probe, SettingsBuilder, Trip, integration::with_reqwest_middleware::CircuitBreakerMiddleware,
    rejection::RejectWithBoxError,
};

pub(crate) use crate::support::counts::{counting, ended_now, pending};
pub(crate) use crate::support::until::{LONG, until};

/// A builder, after the TLS provider of ring is installed. This reqwest is built without a provider.
pub(crate) fn builder() -> ClientBuilder {
    // An error means that another test has installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy()
}

pub(crate) fn client() -> Client {
    builder().build().unwrap()
}

/// Settings that open the circuit with the third consecutive failure, for 50 ms. One probe closes it.
pub(crate) fn tripping() -> SettingsBuilder {
    let cooldown = Backoff::fixed(Duration::from_millis(50)).jitter(0.0);
    counting().trip(Trip::none().consecutive(3)).cooldown(cooldown).probe(Probe::successes(1))
}

pub(crate) fn config(settings: SettingsBuilder) -> Config<Http> {
    Config::http_client().settings(settings.build().unwrap())
}

/// The two ways to guard a client.
#[derive(Clone)]
pub(crate) enum Guarded {
    Service(CircuitBreaker<Client, Http, RejectWithBoxError>),
    Middleware(ClientWithMiddleware),
}

impl Guarded {
    /// A client in each way, each with its own breaker.
    pub(crate) fn both(
        client: impl Fn() -> Client,
        settings: SettingsBuilder,
    ) -> [(Self, BreakerHandle); 2] {
        let layer = CircuitBreakerLayer::new(config(settings.clone()));
        let middleware = CircuitBreakerMiddleware::new(config(settings));
        let (first, second) = (layer.handle(), middleware.handle());
        let service = layer.layer(client());
        let client = reqwest_middleware::ClientBuilder::new(client()).with(middleware).build();
        [(Self::Service(service), first), (Self::Middleware(client), second)]
    }

    pub(crate) async fn send(&self, method: Method, url: &str) -> Result<Response, BoxError> {
        let request = Request::new(method, url.parse().unwrap());
        match self.clone() {
            Self::Service(service) => service.oneshot(request).await,
            Self::Middleware(client) => Ok(client.execute(request).await?),
        }
    }

    pub(crate) async fn get(&self, url: &str) -> Result<Response, BoxError> {
        self.send(Method::GET, url).await
    }
}

/// The error of the client.
pub(crate) fn of_client(error: &BoxError) -> &reqwest::Error {
    match error.downcast_ref::<reqwest_middleware::Error>() {
        Some(reqwest_middleware::Error::Reqwest(error)) => error,
        _ => {
            error.downcast_ref().unwrap_or_else(|| panic!("not an error of the client: {error:?}"))
        }
    }
}

pub(crate) fn rejection(error: &BoxError) -> &CircuitOpen {
    CircuitOpen::find(&**error).unwrap_or_else(|| panic!("no rejection: {error:?}"))
}
