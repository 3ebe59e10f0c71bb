//! gRPC with tonic on both sides, a breaker on both sides, and a server that fails in three ways: at once, behind the
//! replies of a stream, and by hanging.
//!
//! ```sh
//! cargo run --example tonic --features tonic               # a table of all calls; about 3 s
//! cargo run --example tonic --features tonic -- --healthy  # the server is well: exit 1
//! ```
//!
//! It exits with 1 when something is not as it claims, and names it on stderr.

mod calls;
#[allow(
    clippy::all,
    missing_debug_implementations,
    missing_docs,
    rust_2018_idioms,
    unreachable_pub
)]
mod orders {
    include!("orders.rs");
}
mod service;

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use tokio::time::timeout;
use tonic::transport::Endpoint;
use tower::{BoxError, ServiceBuilder};
use tower_breaker::{Backoff, CircuitBreakerLayer, Config, ConfigError, Settings, State, Trip};

use crate::calls::{DEADLINE, Run};
use crate::orders::orders_client::OrdersClient;
use crate::service::{Mood, Service};

const USAGE: &str = "usage: tonic [--healthy]";

/// Longer than any run.
const TOO_LONG: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let healthy = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--healthy"] => true,
        _ => {
            eprintln!("{USAGE}");
            return Ok(ExitCode::from(2));
        }
    };
    let broken = timeout(TOO_LONG, play(healthy)).await??;
    for claim in &broken {
        eprintln!("does not hold: {claim}");
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// So many failures in a row open the circuit, for less than a second: here somebody waits for the end of the example.
/// The presets say five that span 500 ms, and 5 s.
fn settings(preset: &Settings, failures: u32) -> Result<Settings, ConfigError> {
    let cooldown = Backoff::exponential(Duration::from_millis(600), Duration::from_secs(5));
    preset.to_builder().trip(Trip::none().consecutive(failures)).cooldown(cooldown).build()
}

/// What happens, and what is claimed of it. Returns what did not hold.
async fn play(healthy: bool) -> Result<Vec<String>, BoxError> {
    let on_server = Config::grpc().name("database").settings(settings(&Settings::grpc(), 3)?);
    let on_server = CircuitBreakerLayer::new(on_server);
    let database = on_server.handle();
    let service = Service::new();
    let address = service.start(on_server).await?;

    let on_client =
        Config::grpc_client().name("orders").settings(settings(&Settings::grpc_client(), 4)?);
    let on_client = CircuitBreakerLayer::new(on_client);
    let orders = on_client.handle();
    // The channel's own timeout. One that the request carries starts a second clock in the server, which may be faster.
    let channel = Endpoint::from_shared(format!("http://{address}"))?.timeout(DEADLINE);
    let channel = channel.connect_lazy();
    let client = OrdersClient::new(ServiceBuilder::new().layer(on_client).service(channel));

    // The breaker of the client. That of the server lets everything pass meanwhile.
    database.disable();
    let mut run = Run::new(client, service, orders, healthy);
    run.get(Mood::Well, "OK", "success", State::Closed).await;
    run.watch(Mood::Well, "2 replies, OK", "success", State::Closed).await;
    run.leave(Mood::Waits, "success", State::Closed).await;
    run.get(Mood::Down, "Unavailable", "failure: UNAVAILABLE (14)", State::Closed).await;
    run.watch(Mood::Down, "2 replies, Unavailable", "failure: UNAVAILABLE (14)", State::Closed)
        .await;
    run.get(Mood::Hangs, "Cancelled", "failure: error", State::Closed).await;
    run.get(Mood::Down, "Unavailable", "failure: UNAVAILABLE (14)", State::Open).await;
    run.get(Mood::Down, "rejected by orders", "rejected", State::Open).await;
    run.watch(Mood::Down, "rejected by orders", "rejected", State::Open).await;

    run.cooldown().await;
    run.get(Mood::Down, "Unavailable", "failure: UNAVAILABLE (14)", State::Open).await;

    // A stream is a probe that closes the circuit at its first reply; others pass while it goes on.
    run.cooldown().await;
    let stream = run.begin(Mood::Waits, "success", State::Closed).await;
    run.get(Mood::Well, "OK", "success", State::Closed).await;
    run.end(stream, State::Closed).await;

    // The breaker of the server: its rejections are no failures of the client's.
    database.reset();
    for _ in 0..3 {
        run.get(Mood::Down, "Unavailable", "failure: UNAVAILABLE (14)", State::Closed).await;
    }
    run.claim(database.state() == State::Open, || "the circuit of the server is open".to_owned());
    for _ in 0..4 {
        run.get(Mood::Down, "rejected by database", "ignored", State::Closed).await;
    }
    Ok(run.broken())
}
