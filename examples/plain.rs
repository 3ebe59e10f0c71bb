//! One breaker around plain functions, without tower: blocking work, a future, an async function and a stream. The server
//! behind them goes down and recovers.
//!
//! ```sh
//! cargo run --example plain               # a table of all calls; about 2 s
//! cargo run --example plain -- --healthy  # the server does not go down: exit code 1
//! ```
//!
//! The exit code is 1 if a claim does not hold. The claim is printed to stderr.

mod shared;

use std::fmt;
use std::io::{self, BufRead as _, ErrorKind};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tower::BoxError;
use tower_breaker::{Backoff, BreakerError, BreakerHandle, Outcome, Settings, State, Trip};

use crate::shared::run::{Claims, run};
use crate::shared::server::serve;
use crate::shared::table::{Table, cooldown, rejected};

const DOWN: &str = "error: ";
const REJECTED: &str = "rejected, retry in ";

/// The dependency. It writes two lines to every client. While it is down, it closes the connection after the first
/// line.
struct Server {
    address: SocketAddr,
    down: Arc<AtomicBool>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    async fn start() -> io::Result<Self> {
        let (down, connections) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (is_down, counted) = (Arc::clone(&down), Arc::clone(&connections));
        let address = serve(move |mut stream| {
            counted.fetch_add(1, Ordering::Relaxed);
            let lines = if is_down.load(Ordering::Relaxed) { "one\n" } else { "one\ntwo\n" };
            async move { stream.write_all(lines.as_bytes()).await }
        })
        .await?;
        Ok(Self { address, down, connections })
    }
}

/// Reads the last of two lines. Blocks the thread.
fn last_blocking(address: SocketAddr) -> io::Result<String> {
    let mut lines = io::BufReader::new(std::net::TcpStream::connect(address)?).lines();
    lines.nth(1).unwrap_or_else(|| Err(cut()))
}

/// Reads the last of two lines.
async fn last(address: SocketAddr) -> io::Result<String> {
    let mut lines = BufReader::new(TcpStream::connect(address).await?).lines();
    lines.next_line().await?;
    lines.next_line().await?.ok_or_else(cut)
}

/// Streams both lines.
fn lines(address: SocketAddr) -> impl Stream<Item = io::Result<String>> {
    let connect = async move {
        let lines = BufReader::new(TcpStream::connect(address).await?).lines();
        Ok(stream::try_unfold((lines, 0), async |(mut lines, seen)| {
            match lines.next_line().await? {
                Some(line) => Ok(Some((line, (lines, seen + 1)))),
                None if seen < 2 => Err(cut()),
                None => Ok(None),
            }
        }))
    };
    stream::once(connect).flat_map(|lines: io::Result<_>| match lines {
        Ok(lines) => lines.left_stream(),
        Err(error) => stream::iter([Err(error)]).right_stream(),
    })
}

fn cut() -> io::Error {
    ErrorKind::UnexpectedEof.into()
}

fn shown<T: fmt::Display, E: fmt::Display>(result: Result<T, BreakerError<E>>) -> String {
    match result {
        Ok(value) => format!("Ok({value})"),
        Err(BreakerError::Inner(error)) => format!("{DOWN}{error}"),
        Err(BreakerError::Open(open)) => rejected(&open),
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    run("plain", ["--healthy"], play).await
}

async fn play([healthy]: [bool; 1]) -> Result<Claims, BoxError> {
    let server = Server::start().await?;
    let settings = Settings::builder()
        .trip(Trip::none().consecutive(4))
        .cooldown(Backoff::fixed(Duration::from_secs(1)))
        .build()?;
    let handle = BreakerHandle::new("lines", settings);
    let mut table = Table::new(&handle);

    let well = [("Ok(two)", State::Closed); 4];
    all(&mut table, &handle, server.address, well).await?;

    server.down.store(!healthy, Ordering::Relaxed);
    let (closed, open) = ((DOWN, State::Closed), (DOWN, State::Open));
    all(&mut table, &handle, server.address, [closed, closed, closed, open]).await?;
    let before = server.connections.load(Ordering::Relaxed);
    all(&mut table, &handle, server.address, [(REJECTED, State::Open); 4]).await?;
    let made = server.connections.load(Ordering::Relaxed) - before;
    table.claim(made == 0, || format!("no call reached the server while it was open: {made}"));

    server.down.store(false, Ordering::Relaxed);
    cooldown(&handle).await;
    all(&mut table, &handle, server.address, well).await?;

    // An `Err` that is not a failure.
    let classify = |result: &io::Result<String>| {
        Outcome::failure_if(matches!(result, Err(error) if error.kind() != ErrorKind::NotFound))
    };
    let missing = handle.run_with(async { Err(ErrorKind::NotFound.into()) }, classify).await;
    table.call("run_with(…, classify)", &shown(missing), DOWN, State::Closed);
    let in_a_row = handle.snapshot().window.consecutive_failures;
    table.claim(in_a_row == 0, || format!("a missing line is not a failure: {in_a_row}"));

    Ok(table.claims)
}

/// Reads the same line in four ways.
async fn all(
    table: &mut Table,
    handle: &BreakerHandle,
    address: SocketAddr,
    claimed: [(&str, State); 4],
) -> Result<(), BoxError> {
    let guard = handle.clone();
    let blocking = spawn_blocking(move || guard.call(|| last_blocking(address))).await?;
    table.call("spawn_blocking(|| handle.call(…))", &shown(blocking), claimed[0].0, claimed[0].1);

    let future = handle.run(last(address)).await;
    table.call("handle.run(last(address))", &shown(future), claimed[1].0, claimed[1].1);

    let last = handle.wrap(last);
    table.call("handle.wrap(last)", &shown(last(address).await), claimed[2].0, claimed[2].1);

    let mut lines = std::pin::pin!(handle.guard_stream(lines(address)));
    let mut seen = Err(BreakerError::Inner(cut()));
    while let Some(line) = lines.next().await {
        seen = line;
    }
    table.call("handle.guard_stream(lines)", &shown(seen), claimed[3].0, claimed[3].1);
    Ok(())
}
