//! A client of reqwest-middleware with a circuit breaker per host, and retries outside of it. One of two servers goes
//! down: its circuit opens, the retries stop at the rejection, calls to the other server go on, and a probe finds that the
//! first server has recovered.
//!
//! ```sh
//! cargo run --manifest-path tests/integrations/Cargo.toml --example reqwest_middleware               # about 2 s
//! cargo run --manifest-path tests/integrations/Cargo.toml --example reqwest_middleware -- --healthy  # no outage: exit code 1
//! ```
//!
//! The exit code is 1 if a claim does not hold. The claim is printed to stderr.

mod shared;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::RetryTransientMiddleware;
use reqwest_retry::policies::ExponentialBackoff;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tower::BoxError;
use tower_breaker::{
    AsRejection, Backoff, Config, Settings, State,
    integration::with_reqwest_middleware::CircuitBreakerMiddleware,
};

use crate::shared::run::{Claims, run};
use crate::shared::server::{read_head, serve};
use crate::shared::table::cooldown;

struct Server {
    address: SocketAddr,
    down: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
}

impl Server {
    async fn start() -> Result<Self, BoxError> {
        let (down, calls) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (is_down, counted) = (Arc::clone(&down), Arc::clone(&calls));
        let address = serve(move |stream| {
            counted.fetch_add(1, Ordering::SeqCst);
            respond(stream, is_down.load(Ordering::SeqCst))
        })
        .await?;
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
    read_head(&mut stream).await?;
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
    run("reqwest_middleware", ["--healthy"], play).await
}

async fn play([healthy]: [bool; 1]) -> Result<Claims, BoxError> {
    // This reqwest is built without a provider of TLS. An error means that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (first, second) = (Server::start().await?, Server::start().await?);

    let preset = Settings::http_client();
    let settings = preset
        .to_builder()
        // The failures of the preset must span 500 ms. Here they span a few milliseconds.
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

    let mut claims = Claims::default();
    let mut claim = |holds: bool, what: &str| claims.claim(holds, || what.to_owned());
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
        claim(result.is_ok(), "a call to a healthy server succeeds");
    }

    first.down.store(!healthy, Ordering::SeqCst);
    // Each call makes up to three attempts. The fifth attempt opens the circuit, in the middle of the second call.
    for _ in 0..3 {
        let result = ask(&client, &first).await;
        say("first", &first, &result);
        claim(result.is_err(), "a call to a server that is down fails");
        let result = ask(&client, &second).await;
        say("second", &second, &result);
        claim(result.is_ok(), "calls to the other server succeed");
    }
    claim(state(&first) == Some(State::Open), "five consecutive failures open the circuit");
    claim(
        state(&second) == Some(State::Closed),
        "only the circuit of the server that is down opens",
    );
    claim(first.calls() == 6, "one call before, and five attempts: retries end at a rejection");
    let result = ask(&client, &first).await;
    say("first", &first, &result);
    let rejected = result.is_err_and(|error| error.as_rejection().is_some());
    claim(rejected, "the error of the retry contains the rejection");

    first.down.store(false, Ordering::SeqCst);
    if let Some(handle) = breakers.handle(first.url()) {
        cooldown(&handle).await;
        claim(handle.state() == State::HalfOpen, "after the cooldown the circuit is half-open");
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

    Ok(claims)
}
