//! `reqwest::Client` behind a circuit breaker, and an outage of its server: some calls get a 503, and the bodies of others
//! break after a 200. The circuit opens, the server gets no more calls, and a probe finds that it has recovered.
//!
//! ```sh
//! cargo run --example reqwest --features reqwest               # about 2 s
//! cargo run --example reqwest --features reqwest -- --healthy  # no outage: exit code 1
//! ```
//!
//! The exit code is 1 if a claim does not hold. The claim is printed to stderr.

mod shared;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tower::{BoxError, ServiceBuilder, ServiceExt};
use tower_breaker::classify::Http;
use tower_breaker::{
    AsRejection, Backoff, CircuitBreaker, CircuitBreakerLayer, Config, Settings, State,
    rejection::RejectWithBoxError,
};

use crate::shared::run::{Claims, run};
use crate::shared::server::{read_head, serve};
use crate::shared::table::cooldown;

/// How the server responds.
#[derive(Clone, Copy)]
enum Answer {
    Well,
    Status503,
    /// The connection ends in the middle of the body.
    Dies,
}

impl Answer {
    fn bytes(self) -> &'static str {
        match self {
            Self::Well => "HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\n[1, 2]",
            Self::Status503 => "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
            Self::Dies => "HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n[1, 2",
        }
    }
}

struct Server {
    address: SocketAddr,
    answer: watch::Sender<Answer>,
    calls: Arc<AtomicUsize>,
}

impl Server {
    async fn start() -> Result<Self, BoxError> {
        let (answer, answers) = watch::channel(Answer::Well);
        let calls = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&calls);
        let address = serve(move |stream| {
            counted.fetch_add(1, Ordering::SeqCst);
            respond(stream, *answers.borrow())
        })
        .await?;
        Ok(Self { address, answer, calls })
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

async fn respond(mut stream: TcpStream, answer: Answer) -> std::io::Result<()> {
    read_head(&mut stream).await?;
    stream.write_all(answer.bytes().as_bytes()).await
}

type Client = CircuitBreaker<reqwest::Client, Http, RejectWithBoxError>;

/// One call. The response is a `reqwest::Response`, with all of its methods.
async fn ask(client: &Client, url: &str) -> Result<Vec<u32>, BoxError> {
    let request = reqwest::Request::new(reqwest::Method::GET, url.parse()?);
    let response = client.clone().oneshot(request).await?;
    Ok(serde_json::from_slice(&response.error_for_status()?.bytes().await?)?)
}

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    run("reqwest", ["--healthy"], play).await
}

async fn play([healthy]: [bool; 1]) -> Result<Claims, BoxError> {
    let server = Server::start().await?;
    let url = format!("http://{}/numbers", server.address);

    let preset = Settings::http_client();
    let settings = preset
        .to_builder()
        // The failures of the preset must span 500 ms. Here they span a few milliseconds.
        .trip(preset.trip().consecutive_over(Duration::ZERO))
        .cooldown(Backoff::fixed(Duration::from_secs(1)).jitter(0.0))
        .build()?;
    let breaker =
        CircuitBreakerLayer::new(Config::http_client().name("numbers").settings(settings));
    let handle = breaker.handle();
    let client = ServiceBuilder::new()
        .layer(breaker)
        .service(reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?);

    let mut claims = Claims::default();
    let mut claim = |holds: bool, what: &str| claims.claim(holds, || what.to_owned());
    let say = |what: &str, result: &Result<Vec<u32>, BoxError>| {
        let result = match result {
            Ok(numbers) => format!("{numbers:?}"),
            Err(error) => match error.as_rejection() {
                Some(open) => {
                    format!("rejected, retry in {:.1?}", open.retry_after().unwrap_or_default())
                }
                None => error.to_string().replace(&url, "…"),
            },
        };
        println!("{what:<12} {:<10} {result}", handle.state().to_string());
    };

    for _ in 0..2 {
        let result = ask(&client, &url).await;
        say("well", &result);
        claim(result.is_ok(), "a call to a healthy server succeeds");
    }
    for n in 1..=5 {
        claim(handle.state() == State::Closed, "the circuit is closed until the fifth failure");
        let answer = if n % 2 == 0 { Answer::Dies } else { Answer::Status503 };
        server.answer.send_replace(if healthy { Answer::Well } else { answer });
        let result = ask(&client, &url).await;
        say("outage", &result);
        claim(result.is_err(), "a call of the outage fails");
    }
    claim(handle.state() == State::Open, "five consecutive failures open the circuit");
    claim(handle.snapshot().totals.failure == 5, "a body that breaks after a 200 is a failure");

    let before = server.calls();
    for _ in 0..2 {
        let result = ask(&client, &url).await;
        say("outage", &result);
        let rejected = result.is_err_and(|error| error.as_rejection().is_some());
        claim(rejected, "an open circuit rejects");
    }
    claim(server.calls() == before, "rejected calls do not reach the server");

    cooldown(&handle).await;
    server.answer.send_replace(Answer::Well);
    claim(handle.state() == State::HalfOpen, "after the cooldown the circuit is half-open");
    let result = ask(&client, &url).await;
    say("well again", &result);
    claim(result.is_ok() && handle.state() == State::Closed, "a probe closes the circuit");
    claim(handle.snapshot().totals.rejected == 2, "two calls were rejected");

    Ok(claims)
}
