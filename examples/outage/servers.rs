//! The provider and its backup: real HTTP servers on loopback, which keep their own books.

use std::convert::Infallible;
use std::future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};

use crate::clock::{real, scenario};

/// Which server answered.
pub(crate) const SERVED_BY: &str = "x-served-by";

/// How long a healthy server works on a request.
const LATENCY: Duration = Duration::from_millis(200);

/// How a server treats a call that arrives now.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// 200 after [`LATENCY`].
    Healthy,
    /// No answer, ever: also not when the server is healthy again. Only the client's timeout ends it.
    Hang,
    /// 503 at once.
    Refuse,
    /// Holds the call so long, then 503.
    HoldThenRefuse(Duration),
}

/// What a server counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Calls that arrived during the outage.
    pub(crate) calls: u64,
    /// Calls that arrived before or after it.
    pub(crate) calls_outside: u64,
    /// The most of the outage's calls that it held at the same time.
    pub(crate) most_held: u64,
    /// For how long it held the outage's calls, all together, in scenario time.
    pub(crate) held_for: Duration,
    held: u64,
}

struct Book {
    manner: Manner,
    outage: bool,
    counts: Counts,
}

/// A server that is stopped, with all its connections, when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    book: Arc<Mutex<Book>>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Starts a healthy server on a free port.
    pub(crate) async fn start(name: &'static str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let book = Book { manner: Manner::Healthy, outage: false, counts: Counts::default() };
        let book = Arc::new(Mutex::new(book));
        let accepting = tokio::spawn(accept(listener, name, book.clone()));
        Ok(Self { address, book, accepting })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on: how calls are treated, and whether they count as calls of the outage.
    pub(crate) fn set(&self, manner: Manner, outage: bool) {
        let mut book = open(&self.book);
        book.manner = manner;
        book.outage = outage;
    }

    /// The counts, once the last of the outage's calls has gone.
    pub(crate) async fn settled(&self) -> Counts {
        loop {
            let counts = open(&self.book).counts;
            if counts.held == 0 {
                return counts;
            }
            sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn open(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, name: &'static str, book: Arc<Mutex<Book>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                connections.spawn(serve(stream, name, book.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, name: &'static str, book: Arc<Mutex<Book>>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|_| answer(name, book.clone()));
    // An error here is a client that went away, which is what a timeout does.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    name: &'static str,
    book: Arc<Mutex<Book>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let call = Call::arrived(book);
    let (status, body) = match call.manner {
        Manner::Healthy => {
            sleep(real(LATENCY)).await;
            (StatusCode::OK, Full::from("paid"))
        }
        Manner::Hang => future::pending().await,
        Manner::Refuse => (StatusCode::SERVICE_UNAVAILABLE, Full::default()),
        Manner::HoldThenRefuse(time) => {
            sleep(real(time)).await;
            (StatusCode::SERVICE_UNAVAILABLE, Full::default())
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(SERVED_BY, http::HeaderValue::from_static(name));
    Ok(response)
}

/// A call in the book: from its arrival until it is answered or its client has gone.
struct Call {
    book: Arc<Mutex<Book>>,
    manner: Manner,
    /// `None`: not a call of the outage.
    held_since: Option<Instant>,
}

impl Call {
    fn arrived(book: Arc<Mutex<Book>>) -> Self {
        let mut now = open(&book);
        let (manner, outage) = (now.manner, now.outage);
        let counts = &mut now.counts;
        if outage {
            counts.calls += 1;
            counts.held += 1;
            counts.most_held = counts.most_held.max(counts.held);
        } else {
            counts.calls_outside += 1;
        }
        drop(now);
        Self { book, manner, held_since: outage.then(Instant::now) }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(since) = self.held_since {
            let counts = &mut open(&self.book).counts;
            counts.held -= 1;
            counts.held_for += scenario(since.elapsed());
        }
    }
}
