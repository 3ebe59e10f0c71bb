//! Servers that write exactly the given bytes.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

/// One step of a server on a connection. The server closes the connection after the last step.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Reads to the end of a request's head.
    Request,
    /// Reads to the `HEADERS` of a request, past the preface of HTTP/2.
    Headers,
    Write(Vec<u8>),
    /// Waits for [`RawServer::go_on`].
    Wait,
    /// Keeps the connection open until its client closes it.
    Hang,
    /// Ends the connection with a `RST`.
    Reset,
}

pub(crate) fn write(bytes: impl AsRef<[u8]>) -> Act {
    Act::Write(bytes.as_ref().to_vec())
}

/// Sends one HTTP/1 response with a status and a body, and closes the connection.
pub(crate) fn answer(status: &str, body: &str) -> Vec<Act> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n");
    answer_and_close(&format!("{head}\r\n{body}"))
}

/// Sends these bytes in response to one HTTP/1 request, and closes the connection.
pub(crate) fn answer_and_close(answer: &str) -> Vec<Act> {
    vec![Act::Request, write(answer)]
}

/// Sends these bytes in response to one HTTP/1 request, and keeps the connection open.
pub(crate) fn answer_and_hang(answer: &str) -> Vec<Act> {
    vec![Act::Request, write(answer), Act::Hang]
}

/// A server that performs the same steps on every connection. Dropping it closes all connections.
pub(crate) struct RawServer {
    pub(crate) address: SocketAddr,
    acts: Arc<Mutex<Vec<Act>>>,
    connections: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
    go: Arc<Semaphore>,
    accepting: JoinHandle<()>,
}

impl RawServer {
    pub(crate) async fn start(acts: Vec<Act>) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), acts)
    }

    /// Returns an address that refuses connections. The socket reserves its port until [`RawServer::on`] listens there.
    pub(crate) fn nowhere() -> (TcpSocket, SocketAddr) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    }

    pub(crate) fn on(listener: TcpListener, acts: Vec<Act>) -> Self {
        let address = listener.local_addr().unwrap();
        let acts = Arc::new(Mutex::new(acts));
        let (connections, closed) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let go = Arc::new(Semaphore::new(0));
        let accepting = {
            let (acts, connections) = (Arc::clone(&acts), Arc::clone(&connections));
            let (closed, go) = (Arc::clone(&closed), Arc::clone(&go));
            tokio::spawn(async move {
                let mut open = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    connections.fetch_add(1, Ordering::SeqCst);
                    let acts = acts.lock().unwrap().clone();
                    let (closed, go) = (Arc::clone(&closed), Arc::clone(&go));
                    open.spawn(async move {
                        let _ = perform(stream, acts, go).await;
                        closed.fetch_add(1, Ordering::SeqCst);
                    });
                }
            })
        };
        Self { address, acts, connections, closed, go, accepting }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Sets the steps of all later connections.
    pub(crate) fn acts(&self, acts: Vec<Act>) {
        *self.acts.lock().unwrap() = acts;
    }

    /// Ends one [`Act::Wait`].
    pub(crate) fn go_on(&self) {
        self.go.add_permits(1);
    }

    /// The number of connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The number of connections that have ended.
    pub(crate) fn closed(&self) -> usize {
        self.closed.load(Ordering::SeqCst)
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Returns `None` if the client closes the connection before the last step.
async fn perform(mut stream: TcpStream, acts: Vec<Act>, go: Arc<Semaphore>) -> Option<()> {
    let _ = stream.set_nodelay(true);
    let mut preface = true;
    for act in acts {
        match act {
            Act::Request => read_head(&mut stream).await?,
            Act::Headers => {
                if std::mem::take(&mut preface) {
                    stream.read_exact(&mut [0; 24]).await.ok()?;
                }
                while !frame_is_headers(&mut stream).await? {}
            }
            Act::Write(bytes) => stream.write_all(&bytes).await.ok()?,
            Act::Wait => go.acquire().await.ok()?.forget(),
            Act::Hang => while stream.read_u8().await.is_ok() {},
            Act::Reset => {
                stream.set_zero_linger().ok()?;
                return None;
            }
        }
    }
    Some(())
}

/// Reads the head of an HTTP/1 request. Returns `None` if the connection ends first.
pub(crate) async fn read_head(stream: &mut TcpStream) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(())
}

/// Reads a frame of HTTP/2 (RFC 9113, section 4.1).
async fn frame_is_headers(stream: &mut TcpStream) -> Option<bool> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    stream.read_exact(&mut payload).await.ok()?;
    Some(head[3] == 1)
}
