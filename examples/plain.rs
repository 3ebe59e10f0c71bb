//! One breaker around plain functions, without tower: blocking work, a future, an async function, a stream. The server
//! behind them goes down and comes back.
//!
//! ```sh
//! cargo run --example plain               # a table of all calls; about 2 s
//! cargo run --example plain -- --healthy  # the server does not go down: exit 1
//! ```
//!
//! It exits with 1 when something is not as it claims, and names it on stderr.

#[path = "shared/table.rs"]
mod table;

use std::env;
use std::fmt;
use std::io::{self, BufRead as _, ErrorKind};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_blocking;
use tower::BoxError;
use tower_breaker::{Backoff, BreakerError, BreakerHandle, Outcome, Settings, State, Trip};

use crate::table::{Table, rejected};

const DOWN: &str = "error: ";
const REJECTED: &str = "rejected, retry in ";

/// The dependency: it writes two lines to everybody, and hangs up behind the first while it is down.
struct Server {
    address: SocketAddr,
    down: Arc<AtomicBool>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = Self { address, down: Arc::default(), connections: Arc::default() };
        let (down, connections) = (Arc::clone(&server.down), Arc::clone(&server.connections));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::Relaxed);
                let down = down.load(Ordering::Relaxed);
                let lines = if down { "one\n" } else { "one\ntwo\n" };
                let _ = stream.write_all(lines.as_bytes()).await;
            }
        });
        Ok(server)
    }
}

/// The last of two lines, on a thread that waits for it.
fn last_blocking(address: SocketAddr) -> io::Result<String> {
    let mut lines = io::BufReader::new(std::net::TcpStream::connect(address)?).lines();
    lines.nth(1).unwrap_or_else(|| Err(cut()))
}

/// The same for who need not wait.
async fn last(address: SocketAddr) -> io::Result<String> {
    let mut lines = BufReader::new(TcpStream::connect(address).await?).lines();
    lines.next_line().await?;
    lines.next_line().await?.ok_or_else(cut)
}

/// Both lines, one by one.
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
    let healthy = match env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [argument] if argument == "--healthy" => true,
        _ => {
            eprintln!("usage: plain [--healthy]");
            return Ok(ExitCode::from(2));
        }
    };
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
    table.cooldown().await;
    all(&mut table, &handle, server.address, well).await?;

    // An `Err` that is no failure, in one line.
    let judge = |result: &io::Result<String>| {
        Outcome::failure_if(!matches!(result, Err(error) if error.kind() == ErrorKind::NotFound))
    };
    let missing = handle.run_with(async { Err(ErrorKind::NotFound.into()) }, judge).await;
    table.call("run_with(…, judge)", &shown(missing), DOWN, State::Closed);
    let in_a_row = handle.snapshot().window.consecutive_failures;
    table.claim(in_a_row == 0, || format!("what is not found is no failure: {in_a_row}"));

    for claim in &table.broken {
        eprintln!("does not hold: {claim}");
    }
    Ok(if table.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The same line in four ways.
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
