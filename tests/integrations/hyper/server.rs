//! Servers that handle each connection with a function.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use crate::support::sockets::read_head;

/// A server that counts its connections.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server that calls `serve` with the number of each connection, from 0, and the connection.
    pub(crate) async fn new<F>(serve: impl Fn(usize, TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(seen.fetch_add(1, Ordering::Relaxed), stream));
            }
        });
        Self { address, connections }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// Reads the head of an HTTP/1 request. Returns `false` if the connection ends first.
pub(crate) async fn read_request(stream: &mut TcpStream) -> bool {
    read_head(stream).await.is_some()
}

/// Reads a request except for its end. The kernel resets a connection that is closed with unread bytes.
pub(crate) async fn read_but_the_end(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r") {
        head.push(stream.read_u8().await.unwrap());
    }
    stream.readable().await.unwrap();
}

/// Waits until the client closes the connection.
pub(crate) async fn hang(mut stream: TcpStream) {
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}

/// Returns an address without a listener.
pub(crate) async fn refused() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}
