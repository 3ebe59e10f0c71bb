//! Servers that write what they are told to, byte for byte.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// What a server does on a connection, in order. It closes the connection when it has done it all.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Reads to the end of a request's head.
    Request,
    /// Reads to the `HEADERS` of a request, past the preface of HTTP/2.
    Headers,
    Write(Vec<u8>),
    /// Waits for [`Raw::go_on`].
    Wait,
    /// Keeps the connection open until its client closes it.
    Hang,
}

pub(crate) fn write(bytes: impl AsRef<[u8]>) -> Act {
    Act::Write(bytes.as_ref().to_vec())
}

/// Answers one request of HTTP/1, and closes the connection.
pub(crate) fn answer_and_close(answer: &str) -> Vec<Act> {
    vec![Act::Request, write(answer)]
}

/// Answers one request of HTTP/1, and keeps the connection.
pub(crate) fn answer_and_hang(answer: &str) -> Vec<Act> {
    vec![Act::Request, write(answer), Act::Hang]
}

/// A server that does the same on every connection.
pub(crate) struct Raw {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    go: Arc<Semaphore>,
}

impl Raw {
    pub(crate) async fn new(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let raw = Self { address, connections: Arc::default(), go: Arc::new(Semaphore::new(0)) };
        let (connections, go) = (Arc::clone(&raw.connections), Arc::clone(&raw.go));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(perform(stream, acts.clone(), Arc::clone(&go)));
            }
        });
        raw
    }

    /// Lets one [`Act::Wait`] end.
    pub(crate) fn go_on(&self) {
        self.go.add_permits(1);
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// `None` if the client is gone.
async fn perform(mut stream: TcpStream, acts: Vec<Act>, go: Arc<Semaphore>) -> Option<()> {
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
