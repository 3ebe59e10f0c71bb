//! HTTP/1 servers on loopback, and bodies that pause and break.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet, yield_now};
use tower::BoxError;

/// A piece of a response body.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece {
    Says(&'static str),
    /// Waits until the receiver of [`pieces`] holds `true`.
    Held,
    /// Ends the connection.
    Dies,
}

/// A body of these pieces.
pub(crate) fn pieces(
    pieces: &'static [Piece],
    go: watch::Receiver<bool>,
) -> impl Stream<Item = io::Result<Frame<Bytes>>> {
    stream::unfold((pieces.iter(), go), |(mut pieces, mut go)| async move {
        // hyper flushes its buffer when a body is pending. Without this the connection could end before the last piece
        // is sent.
        yield_now().await;
        let mut piece = pieces.next()?;
        if let Piece::Held = piece {
            let _ = go.wait_for(|go| *go).await;
            piece = pieces.next()?;
        }
        let frame = match piece {
            Piece::Says(text) => Ok(Frame::data(Bytes::from_static(text.as_bytes()))),
            Piece::Held | Piece::Dies => Err(io::Error::other("the server died")),
        };
        Some((frame, (pieces, go)))
    })
}

/// A running server. Dropping it closes all connections.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Starts a server that responds to every request.
    pub(crate) async fn start<F, B>(
        respond: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    ) -> io::Result<Self>
    where
        F: Future<Output = Result<Response<B>, BoxError>> + Send + 'static,
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((stream, _)) = listener.accept() => {
                        let _ = stream.set_nodelay(true);
                        let service = service_fn(respond.clone());
                        // An error is a stream that breaks, or a client that leaves.
                        connections.spawn(async move {
                            let stream = TokioIo::new(stream);
                            let _ = http1::Builder::new().serve_connection(stream, service).await;
                        });
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self { address, accepting })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
