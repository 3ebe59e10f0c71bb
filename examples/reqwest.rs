//! `reqwest::Client` under a circuit breaker, and an outage of its server: some calls are answered with 503, others break
//! in a body that began with a 200. The circuit opens, the server is left alone, a probe finds it well again.
//!
//! ```sh
//! cargo run --example reqwest --features reqwest               # about 2 s
//! cargo run --example reqwest --features reqwest -- --healthy  # no outage: exit 1
//! ```
//!
//! It exits with 1 when something is not as it claims, and names it on stderr.

use std::env;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::{BoxError, ServiceBuilder, ServiceExt};
use tower_breaker::classify::Http;
use tower_breaker::{
    AsRejection, Backoff, CircuitBreaker, CircuitBreakerLayer, Config, Settings, State,
    rejection::RejectWithBoxError,
};

/// What the server does with a call.
#[derive(Clone, Copy)]
enum Answer {
    Well,
    Status503,
    /// It dies in the middle of its body.
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
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (answer, answers) = watch::channel(Answer::Well);
        let calls = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&calls);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(respond(stream, *answers.borrow()));
            }
        });
        Ok(Self { address, answer, calls })
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

async fn respond(mut stream: TcpStream, answer: Answer) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    stream.write_all(answer.bytes().as_bytes()).await
}

type Client = CircuitBreaker<reqwest::Client, Http, RejectWithBoxError>;

/// What a caller does: the response is reqwest's, and so is all that can be done with it.
async fn ask(client: &Client, url: &str) -> Result<Vec<u32>, BoxError> {
    let request = reqwest::Request::new(reqwest::Method::GET, url.parse()?);
    let response = client.clone().oneshot(request).await?;
    Ok(serde_json::from_slice(&response.error_for_status()?.bytes().await?)?)
}

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let healthy = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--healthy"] => true,
        _ => {
            eprintln!("usage: reqwest [--healthy]");
            return Ok(ExitCode::from(2));
        }
    };
    let server = Server::start().await?;
    let url = format!("http://{}/numbers", server.address);

    let preset = Settings::http_client();
    let settings = preset
        .to_builder()
        // In the preset they must span 500 ms; here they follow one another within a few.
        .trip(preset.trip().consecutive_over(Duration::ZERO))
        .cooldown(Backoff::fixed(Duration::from_secs(1)).jitter(0.0))
        .build()?;
    let breaker =
        CircuitBreakerLayer::new(Config::http_client().name("numbers").settings(settings));
    let handle = breaker.handle();
    let client = ServiceBuilder::new()
        .layer(breaker)
        .service(reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?);

    let mut broken = Vec::new();
    let mut claim = |holds: bool, what: &str| {
        if !holds {
            broken.push(what.to_owned());
        }
    };
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
        claim(result.is_ok(), "a server that is well is heard");
    }
    for n in 1..=5 {
        claim(handle.state() == State::Closed, "the circuit is closed until the fifth failure");
        let answer = if n % 2 == 0 { Answer::Dies } else { Answer::Status503 };
        server.answer.send_replace(if healthy { Answer::Well } else { answer });
        let result = ask(&client, &url).await;
        say("outage", &result);
        claim(result.is_err(), "a call of the outage fails");
    }
    claim(handle.state() == State::Open, "five failures in a row open the circuit");
    claim(handle.snapshot().totals.failure == 5, "a body that breaks behind a 200 is a failure");

    let before = server.calls();
    for _ in 0..2 {
        let result = ask(&client, &url).await;
        say("outage", &result);
        let rejected = result.is_err_and(|error| error.as_rejection().is_some());
        claim(rejected, "an open circuit rejects");
    }
    claim(server.calls() == before, "what is rejected does not reach the server");

    let mut watch = handle.watch();
    while handle.state() == State::Open {
        watch.changed().await;
    }
    server.answer.send_replace(Answer::Well);
    claim(handle.state() == State::HalfOpen, "after the cooldown a probe may go");
    let result = ask(&client, &url).await;
    say("well again", &result);
    claim(result.is_ok() && handle.state() == State::Closed, "a probe closes the circuit");
    claim(handle.snapshot().totals.rejected == 2, "two calls were rejected");

    for claim in &broken {
        eprintln!("does not hold: {claim}");
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
