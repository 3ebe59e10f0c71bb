//! A client of reqwest-middleware with a circuit breaker for each host, and retries outside of it. One of two servers
//! goes down: its circuit opens, the retries stop there, the other server is not touched, and a probe finds the first
//! one well again.
//!
//! ```sh
//! cargo run --manifest-path tests/integrations/Cargo.toml --example reqwest_middleware               # about 2 s
//! cargo run --manifest-path tests/integrations/Cargo.toml --example reqwest_middleware -- --healthy  # no outage: exit 1
//! ```
//!
//! It exits with 1 when something is not as it claims, and names it on stderr.

use std::env;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::RetryTransientMiddleware;
use reqwest_retry::policies::ExponentialBackoff;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::BoxError;
use tower_breaker::{
    AsRejection, Backoff, Config, Settings, State,
    integration::with_reqwest_middleware::CircuitBreakerMiddleware,
};

struct Server {
    address: SocketAddr,
    down: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
}

impl Server {
    async fn start() -> Result<Self, BoxError> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (down, calls) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (is_down, counted) = (Arc::clone(&down), Arc::clone(&calls));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(respond(stream, is_down.load(Ordering::SeqCst)));
            }
        });
        Ok(Self { address, down, calls })
    }

    fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

async fn respond(mut stream: TcpStream, down: bool) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let answer = match down {
        true => "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        false => "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello",
    };
    stream.write_all(answer.as_bytes()).await
}

async fn ask(client: &ClientWithMiddleware, server: &Server) -> reqwest_middleware::Result<String> {
    Ok(client.get(server.url()).send().await?.error_for_status()?.text().await?)
}

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let healthy = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--healthy"] => true,
        _ => {
            eprintln!("usage: reqwest_middleware [--healthy]");
            return Ok(ExitCode::from(2));
        }
    };
    // reqwest is built without a provider of its own here. It fails only where there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (first, second) = (Server::start().await?, Server::start().await?);

    let preset = Settings::http_client();
    let settings = preset
        .to_builder()
        // In the preset they must span 500 ms; here they follow one another within a few.
        .trip(preset.trip().consecutive_over(Duration::ZERO))
        .cooldown(Backoff::fixed(Duration::from_secs(1)).jitter(0.0))
        .build()?;
    let breakers = CircuitBreakerMiddleware::per_host(Config::http_client().settings(settings));
    let retries = ExponentialBackoff::builder()
        .retry_bounds(Duration::from_millis(10), Duration::from_millis(20))
        .build_with_max_retries(2);
    let client = ClientBuilder::new(reqwest::Client::builder().no_proxy().build()?)
        .with(RetryTransientMiddleware::new_with_policy(retries))
        .with(breakers.clone())
        .build();

    let mut broken = Vec::new();
    let mut claim = |holds: bool, what: &str| {
        if !holds {
            broken.push(what.to_owned());
        }
    };
    let state = |server: &Server| breakers.handle(server.url()).map(|handle| handle.state());
    let say = |name: &str, server: &Server, result: &reqwest_middleware::Result<String>| {
        let result = match result {
            Ok(text) => text.clone(),
            Err(error) => match error.as_rejection() {
                Some(open) => {
                    format!("rejected, retry in {:.1?}", open.retry_after().unwrap_or_default())
                }
                None => error.to_string().replace(&server.url(), "…"),
            },
        };
        let state = state(server).map(|state| state.to_string()).unwrap_or_default();
        println!("{name:<7} {state:<10} {:>2} calls  {result}", server.calls());
    };

    for (name, server) in [("first", &first), ("second", &second)] {
        let result = ask(&client, server).await;
        say(name, server, &result);
        claim(result.is_ok(), "a server that is well is heard");
    }

    first.down.store(!healthy, Ordering::SeqCst);
    // Three attempts each: the fifth one opens the circuit, in the middle of the second call.
    for _ in 0..3 {
        let result = ask(&client, &first).await;
        say("first", &first, &result);
        claim(result.is_err(), "a call of a server that is down fails");
        let result = ask(&client, &second).await;
        say("second", &second, &result);
        claim(result.is_ok(), "the other server is not touched");
    }
    claim(state(&first) == Some(State::Open), "five failures in a row open the circuit");
    claim(state(&second) == Some(State::Closed), "only that of the server that is down");
    claim(first.calls() == 6, "one call before, and five attempts: retries end at a rejection");
    let result = ask(&client, &first).await;
    say("first", &first, &result);
    let rejected = result.is_err_and(|error| error.as_rejection().is_some());
    claim(rejected, "a rejection is found in the error of the retry");

    first.down.store(false, Ordering::SeqCst);
    if let Some(handle) = breakers.handle(first.url()) {
        let mut watch = handle.watch();
        while handle.state() == State::Open {
            watch.changed().await;
        }
        claim(handle.state() == State::HalfOpen, "after the cooldown a probe may go");
    }
    let result = ask(&client, &first).await;
    say("first", &first, &result);
    claim(result.is_ok() && state(&first) == Some(State::Closed), "a probe closes the circuit");
    println!();
    for handle in breakers.handles() {
        let totals = handle.snapshot().totals;
        let (well, failed, rejected) = (totals.success, totals.failure, totals.rejected);
        let port = handle.name().rsplit(':').next().unwrap_or_default()
            == first.address.port().to_string();
        let name = if port { "first" } else { "second" };
        println!("{name:<7} {well} well, {failed} failed, {rejected} rejected");
    }

    for claim in &broken {
        eprintln!("does not hold: {claim}");
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
