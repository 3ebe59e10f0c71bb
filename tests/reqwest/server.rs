//! A server that does with its sockets what it is told to, byte for byte.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

/// What the server does on a connection, in order. It closes the connection when it has done it all.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Reads to the end of a request's head.
    Request,
    /// Reads to the `HEADERS` of a request, past the preface of HTTP/2.
    Headers,
    Write(Vec<u8>),
    /// Waits for [`Server::go_on`].
    Wait,
    /// Keeps the connection open until its client closes it.
    Hang,
    /// Ends the connection with a `RST`.
    Reset,
}

pub(crate) fn write(bytes: impl AsRef<[u8]>) -> Act {
    Act::Write(bytes.as_ref().to_vec())
}

/// Answers one request with a whole response, and closes the connection.
pub(crate) fn answer(status: &str, body: &str) -> Vec<Act> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n");
    vec![Act::Request, write(format!("{head}\r\n{body}"))]
}

/// A server that is stopped, with all its connections, when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    acts: Arc<Mutex<Vec<Act>>>,
    connections: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
    go: Arc<Semaphore>,
    accepting: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(acts: Vec<Act>) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), acts)
    }

    /// Where nobody listens. The socket keeps the port from everybody else until [`Server::on`] listens there.
    pub(crate) fn nowhere() -> (tokio::net::TcpSocket, SocketAddr) {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
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
                        // `None` if the client is gone.
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

    /// From the next connection on it does this.
    pub(crate) fn acts(&self, acts: Vec<Act>) {
        *self.acts.lock().unwrap() = acts;
    }

    /// Lets one [`Act::Wait`] end.
    pub(crate) fn go_on(&self) {
        self.go.add_permits(1);
    }

    /// The connections that were made.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Those that are over.
    pub(crate) fn closed(&self) -> usize {
        self.closed.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn perform(mut stream: TcpStream, acts: Vec<Act>, go: Arc<Semaphore>) -> Option<()> {
    let _ = stream.set_nodelay(true);
    let mut preface = true;
    for act in acts {
        match act {
            Act::Request => {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.ok()?);
                }
            }
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

/// Reads a frame of HTTP/2 (RFC 9113, section 4.1).
async fn frame_is_headers(stream: &mut TcpStream) -> Option<bool> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    stream.read_exact(&mut payload).await.ok()?;
    Some(head[3] == 1)
}
