//! hyper-util's pooled client with a breaker, and a server that fails in five ways and recovers.
//!
//! ```sh
//! cargo run --example hyper               # a table of all calls; about 4 s
//! cargo run --example hyper -- --healthy  # the server does not fail: exit code 1
//! ```
//!
//! The exit code is 1 if a claim does not hold. The claim is printed to stderr.

mod shared;

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::sleep;
use tower::timeout::{TimeoutLayer, error::Elapsed};
use tower::{BoxError, ServiceBuilder, ServiceExt};
use tower_breaker::{Backoff, CircuitBreakerLayer, CircuitOpen, Config, Settings, State};

use crate::shared::run::{Claims, run};
use crate::shared::server::{read_head, serve};
use crate::shared::table::{Table, cooldown, rejected};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
const UNAVAILABLE: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";

/// Starts a server that fails as the path of each request demands, and counts its requests.
async fn start() -> io::Result<(SocketAddr, Arc<AtomicUsize>)> {
    let requests = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&requests);
    let address = serve(move |stream| respond(stream, Arc::clone(&seen))).await?;
    Ok((address, requests))
}

async fn respond(mut stream: TcpStream, requests: Arc<AtomicUsize>) -> io::Result<()> {
    loop {
        let head = read_head(&mut stream).await?;
        requests.fetch_add(1, Ordering::Relaxed);
        let head = String::from_utf8_lossy(&head);
        match head.split(' ').nth(1) {
            Some("/unavailable") => stream.write_all(UNAVAILABLE.as_bytes()).await?,
            Some("/hangs") => sleep(Duration::from_secs(3600)).await,
            Some("/closes") => return Ok(()),
            Some("/breaks-in-head") => return stream.write_all(b"HTTP/1.1 200 O").await,
            Some("/breaks-in-body") => {
                return stream.write_all(&OK.as_bytes()[..OK.len() - 2]).await;
            }
            _ => stream.write_all(OK.as_bytes()).await?,
        }
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    run("hyper", ["--healthy"], play).await
}

async fn play([healthy]: [bool; 1]) -> Result<Claims, BoxError> {
    let (address, requests) = start().await?;
    let preset = Settings::http_client();
    let settings = preset
        .to_builder()
        // The failures of the preset must span 500 ms, because one reset connection ends many calls at once. Here they
        // span a few milliseconds.
        .trip(preset.trip().consecutive_over(Duration::ZERO))
        .cooldown(Backoff::fixed(Duration::from_secs(1)))
        .build()?;
    let breaker = CircuitBreakerLayer::new(Config::http_client().name("api").settings(settings));
    let handle = breaker.handle();
    let client = ServiceBuilder::new()
        .layer(breaker)
        .layer(TimeoutLayer::new(Duration::from_millis(500)))
        .service(Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>());
    let mut table = Table::new(&handle);

    let get = async |path: &str| {
        let path = if healthy { "/" } else { path };
        let request = Request::get(format!("http://{address}{path}")).body(Empty::new());
        let call = async {
            let response = client.clone().oneshot(request?).await?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await;
            Ok(match body {
                Ok(body) => format!("{status}, {} bytes", body.to_bytes().len()),
                Err(_) => format!("{status}, then its body broke"),
            })
        };
        call.await.unwrap_or_else(|error: BoxError| match CircuitOpen::find(&*error) {
            Some(open) => rejected(open),
            None if error.is::<Elapsed>() => "error: timed out".to_owned(),
            None => format!("error: {error}"),
        })
    };

    for (path, claimed, state) in [
        ("/", "200, 5 bytes", State::Closed),
        ("/unavailable", "503, 0 bytes", State::Closed),
        ("/closes", "error: client error", State::Closed),
        ("/breaks-in-head", "error: client error", State::Closed),
        ("/breaks-in-body", "200, then its body broke", State::Closed),
        ("/hangs", "error: timed out", State::Open),
    ] {
        table.call(path, &get(path).await, claimed, state);
    }

    let before = requests.load(Ordering::Relaxed);
    for _ in 0..3 {
        table.call("/", &get("/").await, "rejected", State::Open);
    }
    let made = requests.load(Ordering::Relaxed) - before;
    table.claim(made == 0, || format!("no request is sent while the circuit is open: {made}"));

    cooldown(&handle).await;
    table.call("/hangs (a probe)", &get("/hangs").await, "error: timed out", State::Open);
    cooldown(&handle).await;
    table.call("/ (a probe)", &get("/").await, "200, 5 bytes", State::Closed);
    table.call("/", &get("/").await, "200, 5 bytes", State::Closed);
    let failures = handle.snapshot().totals.failure;
    table.claim(failures == 6, || format!("each fault is one failure, 6 in total: {failures}"));

    Ok(table.claims)
}
