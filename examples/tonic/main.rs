//! gRPC with tonic and a breaker on both sides, and a server that fails in three ways: at once, after the replies of a
//! stream, and by hanging.
//!
//! ```sh
//! cargo run --example tonic --features tonic               # a table of all calls; about 3 s
//! cargo run --example tonic --features tonic -- --healthy  # the server does not fail: exit code 1
//! ```
//!
//! The exit code is 1 if a claim does not hold. The claim is printed to stderr.

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
#[path = "../shared/mod.rs"]
mod shared;

use std::process::ExitCode;
use std::time::Duration;

use tonic::transport::Endpoint;
use tower::{BoxError, ServiceBuilder};
use tower_breaker::{Backoff, CircuitBreakerLayer, Config, ConfigError, Settings, State, Trip};

use crate::calls::{DEADLINE, Run};
use crate::orders::orders_client::OrdersClient;
use crate::service::{Mood, Service};
use crate::shared::run::{Claims, run};
use crate::shared::table::cooldown;

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    run("tonic", ["--healthy"], play).await
}

/// The settings of a preset, with one rule (the given number of consecutive failures) and a cooldown of 600 ms. The
/// presets use five failures that span 500 ms, and a cooldown of 5 s; the example must not take that long.
fn settings(preset: &Settings, failures: u32) -> Result<Settings, ConfigError> {
    let cooldown = Backoff::exponential(Duration::from_millis(600), Duration::from_secs(5));
    preset.to_builder().trip(Trip::none().consecutive(failures)).cooldown(cooldown).build()
}

async fn play([healthy]: [bool; 1]) -> Result<Claims, BoxError> {
    let on_server = Config::grpc().name("database").settings(settings(&Settings::grpc(), 3)?);
    let on_server = CircuitBreakerLayer::new(on_server);
    let database = on_server.handle();
    let service = Service::new();
    let address = service.start(on_server).await?;

    let on_client =
        Config::grpc_client().name("orders").settings(settings(&Settings::grpc_client(), 4)?);
    let on_client = CircuitBreakerLayer::new(on_client);
    let orders = on_client.handle();
    // The timeout of the channel. A timeout in the request would start a second clock in the server, which may end first.
    let channel = Endpoint::from_shared(format!("http://{address}"))?.timeout(DEADLINE);
    let channel = channel.connect_lazy();
    let client = OrdersClient::new(ServiceBuilder::new().layer(on_client).service(channel));

    // The breaker of the client. The breaker of the server is disabled meanwhile.
    database.disable();
    let mut run = Run::new(client, service, &orders, healthy);
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

    cooldown(&orders).await;
    run.get(Mood::Down, "Unavailable", "failure: UNAVAILABLE (14)", State::Open).await;

    // The first reply of a stream closes the circuit. Other calls pass while the stream goes on.
    cooldown(&orders).await;
    let stream = run.begin(Mood::Waits, "success", State::Closed).await;
    run.get(Mood::Well, "OK", "success", State::Closed).await;
    run.end(stream, State::Closed).await;

    // The breaker of the server. The breaker of the client ignores its rejections.
    database.reset();
    for _ in 0..3 {
        run.get(Mood::Down, "Unavailable", "failure: UNAVAILABLE (14)", State::Closed).await;
    }
    run.account
        .claim(database.state() == State::Open, || "the circuit of the server is open".to_owned());
    for _ in 0..4 {
        run.get(Mood::Down, "rejected by database", "ignored", State::Closed).await;
    }
    Ok(run.account.claims)
}
