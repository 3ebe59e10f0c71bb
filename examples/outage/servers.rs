//! The provider and its backup: HTTP servers on loopback that count their calls.

use std::future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use tokio::time::{Instant, sleep};
use tower::BoxError;

use crate::clock::{real, scenario};
use crate::shared::http1;

/// The header that names the server of a response.
pub(crate) const SERVED_BY: &str = "x-served-by";

/// The time that a healthy server takes for a request.
const LATENCY: Duration = Duration::from_millis(200);

/// The behaviour of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// 200 after [`LATENCY`].
    Healthy,
    /// No response, not even after the server is healthy again. Only the timeout of the client ends the call.
    Hang,
    /// 503 at once.
    Refuse,
    /// 503 after the given time.
    HoldThenRefuse(Duration),
}

/// The counts of a server.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Calls that arrived during the outage.
    pub(crate) calls: u64,
    /// Calls that arrived before or after the outage.
    pub(crate) calls_outside: u64,
    /// The maximum number of calls of the outage that it held at the same time.
    pub(crate) most_held: u64,
    /// The total time for which it held calls of the outage, in scenario time.
    pub(crate) held_for: Duration,
    held: u64,
}

struct Book {
    manner: Manner,
    outage: bool,
    counts: Counts,
}

/// A running server. Dropping it closes all connections.
pub(crate) struct Server {
    server: http1::Server,
    book: Arc<Mutex<Book>>,
}

impl Server {
    /// Starts a healthy server on a free port.
    pub(crate) async fn start(name: &'static str) -> io::Result<Self> {
        let book = Book { manner: Manner::Healthy, outage: false, counts: Counts::default() };
        let book = Arc::new(Mutex::new(book));
        let responding = Arc::clone(&book);
        let server = http1::Server::start(move |_| answer(name, Arc::clone(&responding)));
        Ok(Self { server: server.await?, book })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Sets how later calls are treated, and whether they count as calls of the outage.
    pub(crate) fn set(&self, manner: Manner, outage: bool) {
        let mut book = open(&self.book);
        book.manner = manner;
        book.outage = outage;
    }

    /// Waits until the server holds no call of the outage, and returns the counts.
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

fn open(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    name: &'static str,
    book: Arc<Mutex<Book>>,
) -> Result<Response<Full<Bytes>>, BoxError> {
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
    response.headers_mut().insert(SERVED_BY, HeaderValue::from_static(name));
    Ok(response)
}

/// A call, from its arrival until its response, or until its client has closed the connection.
struct Call {
    book: Arc<Mutex<Book>>,
    manner: Manner,
    /// `None` if the call is not part of the outage.
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
