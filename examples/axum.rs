//! A breaker in axum. A server whose handler fails while it is told to, and a client that asks it over real sockets, with
//! a connection per request. `/health` shows the breaker, and is not behind it.
//!
//! ```sh
//! cargo run --example axum --features axum               # a table of all requests; about 3 s
//! cargo run --example axum --features axum -- --healthy  # the handler never fails: exit 1
//! ```
//!
//! It exits with 1 when something is not as it claims, and names it on stderr.

use std::env;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::get;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};
use tower::BoxError;
use tower_breaker::classify::Http;
use tower_breaker::{
    Backoff, BreakerHandle, CircuitBreakerLayer, Config, Settings, State,
    handle::{Events, Watch},
    integration::with_axum::Breakers,
    rejection::RejectWithHttp,
};

/// So many failures in a row open the circuit, as in the preset.
const FAILURES: u64 = 5;

/// 5 s, doubled to 60 s, in the preset. Here somebody waits for the end of the example.
const COOLDOWN: Duration = Duration::from_secs(1);

/// Longer than any run.
const TOO_LONG: Duration = Duration::from_secs(60);

/// What is sold, and whether that works at the moment.
#[derive(Debug, Default)]
struct Shop {
    down: AtomicBool,
    asked: AtomicU64,
}

async fn orders(Shared(shop): Shared<Arc<Shop>>) -> Result<&'static str, StatusCode> {
    shop.asked.fetch_add(1, Ordering::SeqCst);
    if shop.down.load(Ordering::SeqCst) {
        return Err(StatusCode::BAD_GATEWAY);
    }
    Ok("3 orders")
}

async fn health(breaker: BreakerHandle) -> String {
    let seen = breaker.snapshot();
    format!("{} is {}, {} rejected", breaker.name(), seen.state, seen.totals.rejected)
}

fn app(shop: Arc<Shop>, breaker: CircuitBreakerLayer<Http, RejectWithHttp>) -> Router {
    let handle = breaker.handle();
    Router::new()
        .route("/orders", get(orders))
        .layer(breaker)
        .route("/health", get(health))
        .layer(Breakers::new([handle]))
        .with_state(shop)
}

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let healthy = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--healthy"] => true,
        _ => {
            eprintln!("usage: axum [--healthy]");
            return Ok(ExitCode::from(2));
        }
    };
    let broken = timeout(TOO_LONG, play(healthy)).await??;
    for claim in &broken {
        eprintln!("does not hold: {claim}");
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What happens, and what is claimed of it. Returns what did not hold.
async fn play(healthy: bool) -> Result<Vec<String>, BoxError> {
    let settings = Settings::http()
        .to_builder()
        .cooldown(Backoff::exponential(COOLDOWN, 4 * COOLDOWN))
        .build()?;
    let breaker = CircuitBreakerLayer::new(Config::http().name("orders").settings(settings));
    let handle = breaker.handle();
    let shop = Arc::new(Shop::default());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = axum::serve(listener, app(Arc::clone(&shop), breaker));
    let server = tokio::spawn(async move { server.await });
    let mut run = Run::new(address, Arc::clone(&shop), &handle);

    run.orders(200, State::Closed).await?;
    run.health("orders is closed, 0 rejected").await?;

    shop.down.store(!healthy, Ordering::SeqCst);
    for failure in 1..=FAILURES {
        let state = if failure < FAILURES { State::Closed } else { State::Open };
        run.orders(502, state).await?;
    }
    for _ in 0..2 {
        run.orders(503, State::Open).await?;
    }
    run.health("orders is open, 2 rejected").await?;

    // The shop is still down: the probe fails, and the next cooldown is twice as long.
    run.cooldown().await;
    run.health("orders is half_open, 2 rejected").await?;
    run.orders(502, State::Open).await?;
    run.orders(503, State::Open).await?;

    shop.down.store(false, Ordering::SeqCst);
    run.cooldown().await;
    run.orders(200, State::Closed).await?;
    run.health("orders is closed, 3 rejected").await?;
    run.orders(200, State::Closed).await?;

    // Two that were well, five failures, the probe that failed, and the one that did not.
    let asked = shop.asked.load(Ordering::SeqCst);
    run.claim(asked == 2 + FAILURES + 2, || format!("rejected requests reach no handler: {asked}"));
    server.abort();
    Ok(run.broken)
}

/// The client, and what was claimed.
struct Run {
    client: Client<HttpConnector, Body>,
    address: SocketAddr,
    shop: Arc<Shop>,
    events: Events,
    watch: Watch,
    start: Instant,
    broken: Vec<String>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Run {
    fn new(address: SocketAddr, shop: Arc<Shop>, handle: &BreakerHandle) -> Self {
        println!("{:>6}  {:<12}  {:<36}  circuit", "time", "request", "answer");
        Self {
            // axum applies layers once for each connection: that must not make a new breaker.
            client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http(),
            address,
            shop,
            events: handle.events(),
            watch: handle.watch(),
            start: Instant::now(),
            broken: Vec::new(),
        }
    }

    /// `status` and `state` are what is claimed of it.
    async fn orders(&mut self, status: u16, state: State) -> Result<(), BoxError> {
        let asked = self.shop.asked.load(Ordering::SeqCst);
        let answer = self.get("/orders").await?;
        let came = self.shop.asked.load(Ordering::SeqCst) - asked;
        let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
        let (retry_after, open) = (header("retry-after"), header("x-circuit-open"));
        let shown = match (retry_after, open) {
            (Some(seconds), Some(name)) => {
                format!("{}, retry-after: {seconds}, of {name}", answer.status.as_u16())
            }
            _ => format!("{} {}", answer.status.as_u16(), answer.text),
        };
        let now = self.watch.state();
        self.row("GET /orders", &shown, &now.to_string());

        let rejected = status == 503;
        self.claim(answer.status == status, || format!("it answers {status}: {shown}"));
        self.claim(now == state, || format!("the circuit is {state} then: {now}"));
        self.claim((came == 0) == rejected, || format!("a {status} reaches the handler: {came}"));
        let seconds = retry_after.and_then(|seconds| seconds.parse::<u64>().ok());
        self.claim(seconds.is_some_and(|seconds| seconds >= 1) == rejected, || {
            format!("a rejection, and nothing else, says when to come back: {shown}")
        });
        Ok(())
    }

    async fn health(&mut self, text: &str) -> Result<(), BoxError> {
        let answer = self.get("/health").await?;
        self.row("GET /health", &format!("{} {}", answer.status.as_u16(), answer.text), "");
        self.claim(answer.status == 200, || format!("/health answers always: {}", answer.status));
        self.claim(answer.text == text, || format!("{text:?} is what it shows: {:?}", answer.text));
        Ok(())
    }

    /// Until the next request would be a probe.
    async fn cooldown(&mut self) {
        while self.watch.state() == State::Open {
            self.watch.changed().await;
        }
    }

    async fn get(&self, path: &str) -> Result<Answer, BoxError> {
        let uri = format!("http://{}{path}", self.address);
        let answer = self.client.request(Request::get(uri).body(Body::empty())?).await?;
        let (head, body) = answer.into_parts();
        let text = String::from_utf8_lossy(&body.collect().await?.to_bytes()).into_owned();
        Ok(Answer { status: head.status, headers: head.headers, text })
    }

    fn row(&mut self, request: &str, answer: &str, state: &str) {
        let at = secs(self.start.elapsed());
        let row = format!("{at:>6}  {request:<12}  {answer:<36}  {state}");
        println!("{}", row.trim_end());
        while let Some(change) = self.events.try_recv() {
            match change {
                Ok(change) => {
                    let time = change.open_for.map(|time| format!(", for {}", secs(time)));
                    let (from, to, cause) = (change.from, change.to, change.cause);
                    println!("        {from} → {to}: {cause}{}", time.unwrap_or_default());
                }
                Err(lagged) => self.claim(false, || lagged.to_string()),
            }
        }
    }

    /// Notes what does not hold.
    fn claim(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(what());
        }
    }
}

fn secs(time: Duration) -> String {
    format!("{:.2}s", time.as_secs_f64())
}
