//! Servers on loopback, and requests with and without a socket.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower::{BoxError, ServiceExt};
use tower_breaker::{Backoff, Settings, Trip};

/// Longer than any test takes.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// Settings that open the circuit after 3 consecutive failures, for longer than any test.
pub(crate) fn settings() -> Settings {
    let trip = Trip::none().consecutive(3);
    let settings = Settings::http().to_builder().trip(trip).cooldown(Backoff::fixed(HOUR / 12));
    settings.build().unwrap()
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

pub(crate) async fn read(response: Response<Body>) -> Answer {
    let (head, body) = response.into_parts();
    let text = String::from_utf8(to_bytes(body, 10_000).await.unwrap().to_vec()).unwrap();
    Answer { status: head.status.as_u16(), headers: head.headers, text }
}

/// Makes a request without a socket.
pub(crate) async fn ask(router: &Router, path: &str) -> Answer {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let Ok(response) = router.clone().oneshot(request).await;
    read(response).await
}

pub(crate) async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await });
    address
}

/// Makes a request on a new connection.
pub(crate) async fn fetch(address: SocketAddr, path: &str) -> Result<Answer, BoxError> {
    let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
    let request = Request::get(format!("http://{address}{path}")).body(Body::empty())?;
    let (head, body) = client.request(request).await?.into_parts();
    let text = String::from_utf8(body.collect().await?.to_bytes().to_vec())?;
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, text })
}
