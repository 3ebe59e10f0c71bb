//! A breaker in axum: a server whose handler can be made to fail, and a client that calls it over real sockets with one
//! connection per request. `/health` shows the state of the breaker and is not behind it.
//!
//! ```sh
//! cargo run --example axum --features axum               # a table of all requests; about 3 s
//! cargo run --example axum --features axum -- --healthy  # the handler never fails: exit code 1
//! ```
//!
//! The exit code is 1 if a claim does not hold. The claim is printed to stderr.

mod shared;

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
use tower::BoxError;
use tower_breaker::classify::Http;
use tower_breaker::{
    Backoff, BreakerHandle, CircuitBreakerLayer, Config, Settings, State,
    integration::with_axum::Breakers, rejection::RejectWithHttp,
};

use crate::shared::run::{Claims, run};
use crate::shared::table::{Account, cooldown};

/// The number of consecutive failures that open the circuit, as in the preset.
const FAILURES: u64 = 5;

/// The preset uses 5 s, doubled up to 60 s. The example must not take that long.
const COOLDOWN: Duration = Duration::from_secs(1);

/// The state of the handler: whether it fails, and how often it was called.
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
    run("axum", ["--healthy"], play).await
}

async fn play([healthy]: [bool; 1]) -> Result<Claims, BoxError> {
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
    cooldown(&handle).await;
    run.health("orders is half_open, 2 rejected").await?;
    run.orders(502, State::Open).await?;
    run.orders(503, State::Open).await?;

    shop.down.store(false, Ordering::SeqCst);
    cooldown(&handle).await;
    run.orders(200, State::Closed).await?;
    run.health("orders is closed, 3 rejected").await?;
    run.orders(200, State::Closed).await?;

    // Two successes, five failures, the failed probe, and the successful probe.
    let asked = shop.asked.load(Ordering::SeqCst);
    run.account.claim(asked == 2 + FAILURES + 2, || {
        format!("rejected requests reach no handler: {asked}")
    });
    server.abort();
    Ok(run.account.claims)
}

/// The client, and the breaker of the server.
struct Run {
    client: Client<HttpConnector, Body>,
    address: SocketAddr,
    shop: Arc<Shop>,
    account: Account,
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
            // axum applies layers once per connection. All connections must share one breaker.
            client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http(),
            address,
            shop,
            account: Account::new(handle),
        }
    }

    /// Calls `/orders`. Claims the status, and the state after the call.
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
        let now = self.account.handle.state();
        self.row("GET /orders", &shown, &now.to_string());

        let rejected = status == 503;
        self.account.claim(answer.status == status, || format!("the status is {status}: {shown}"));
        self.account
            .claim(now == state, || format!("the circuit is {state} after the call: {now}"));
        self.account
            .claim((came == 0) == rejected, || format!("a {status} reaches the handler: {came}"));
        let seconds = retry_after.and_then(|seconds| seconds.parse::<u64>().ok());
        self.account.claim(seconds.is_some_and(|seconds| seconds >= 1) == rejected, || {
            format!("only a rejection has a retry-after: {shown}")
        });
        Ok(())
    }

    async fn health(&mut self, text: &str) -> Result<(), BoxError> {
        let answer = self.get("/health").await?;
        self.row("GET /health", &format!("{} {}", answer.status.as_u16(), answer.text), "");
        self.account.claim(answer.status == 200, || {
            format!("/health responds with 200: {}", answer.status)
        });
        self.account
            .claim(answer.text == text, || format!("/health shows {text:?}: {:?}", answer.text));
        Ok(())
    }

    async fn get(&self, path: &str) -> Result<Answer, BoxError> {
        let uri = format!("http://{}{path}", self.address);
        let answer = self.client.request(Request::get(uri).body(Body::empty())?).await?;
        let (head, body) = answer.into_parts();
        let text = String::from_utf8_lossy(&body.collect().await?.to_bytes()).into_owned();
        Ok(Answer { status: head.status, headers: head.headers, text })
    }

    fn row(&mut self, request: &str, answer: &str, state: &str) {
        let at = self.account.time();
        let row = format!("{at:>6}  {request:<12}  {answer:<36}  {state}");
        println!("{}", row.trim_end());
        self.account.transitions(false);
    }
}
