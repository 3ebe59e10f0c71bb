//! A hyper server on loopback.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tower::BoxError;

use super::corpus::Case;

/// The body of a response: the pieces that its [`Sender`] sends, each flushed.
pub(crate) struct Pieces {
    pieces: mpsc::UnboundedReceiver<Result<Bytes, BoxError>>,
    rest: bool,
}

/// The sender of a body. The body ends when the sender is dropped.
pub(crate) struct Sender(mpsc::UnboundedSender<Result<Bytes, BoxError>>);

impl Pieces {
    pub(crate) fn new() -> (Sender, Self) {
        let (sender, pieces) = mpsc::unbounded_channel();
        (Sender(sender), Self { pieces, rest: false })
    }

    pub(crate) fn of<'a>(all: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let (sender, pieces) = Self::new();
        all.into_iter().for_each(|piece| sender.send(piece));
        pieces
    }
}

impl Sender {
    pub(crate) fn send(&self, piece: &[u8]) {
        if !piece.is_empty() {
            // The receiver may be gone.
            let _ = self.0.send(Ok(Bytes::copy_from_slice(piece)));
        }
    }

    /// Breaks the connection, or the stream of HTTP/2.
    pub(crate) fn tear(self) {
        let _ = self.0.send(Err("torn".into()));
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        // hyper writes its buffer when a body is not ready.
        if std::mem::take(&mut self.rest) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = self.pieces.poll_recv(cx);
        self.rest = polled.is_ready();
        polled.map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

/// The framing and the protocol of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// HTTP/1.1 with a content length.
    Length,
    /// HTTP/1.1 in chunks.
    Chunked,
    Http2,
}

impl Wire {
    pub(crate) const ALL: [Self; 3] = [Self::Length, Self::Chunked, Self::Http2];
}

/// A server that returns the response that was put at a path, once. It runs until it is dropped.
pub(crate) struct Server {
    http1: SocketAddr,
    http2: SocketAddr,
    answers: Arc<Mutex<Answers>>,
    tasks: [AbortHandle; 2],
}

#[derive(Default)]
struct Answers {
    count: u64,
    by_path: HashMap<String, Response<Pieces>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let answers = Arc::new(Mutex::new(Answers::default()));
        let take = {
            let answers = Arc::clone(&answers);
            move |request: &Request<Incoming>| {
                answers.lock().unwrap().by_path.remove(request.uri().path()).expect("a response")
            }
        };
        let (http1, first) = serve(false, take.clone()).await;
        let (http2, second) = serve(true, take).await;
        Self { http1, http2, answers, tasks: [first, second] }
    }

    /// Puts a response at a new path and returns its URI.
    pub(crate) fn put(&self, case: &Case, wire: Wire, body: Pieces) -> http::Uri {
        let mut answer = Response::new(body);
        *answer.status_mut() = case.status;
        *answer.headers_mut() = case.headers.clone();
        if wire == Wire::Length {
            answer.headers_mut().insert("content-length", case.body.len().into());
        }
        let address = if wire == Wire::Http2 { self.http2 } else { self.http1 };
        let mut answers = self.answers.lock().unwrap();
        answers.count += 1;
        let path = format!("/{}", answers.count);
        answers.by_path.insert(path.clone(), answer);
        format!("http://{address}{path}").parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// Starts a server that handles every request with `answer`, over HTTP/1.1 or HTTP/2.
pub(crate) async fn serve(
    two: bool,
    answer: impl Fn(&Request<Incoming>) -> Response<Pieces> + Clone + Send + 'static,
) -> (SocketAddr, AbortHandle) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accept = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let response = answer(&request);
                async move { Ok::<_, Infallible>(response) }
            });
            tokio::spawn(async move {
                // A broken body and a client that disconnects are errors here.
                let _ = match two {
                    true => {
                        http2::Builder::new(TokioExecutor::new())
                            .serve_connection(TokioIo::new(stream), service)
                            .await
                    }
                    false => {
                        http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
                    }
                };
            });
        }
    });
    (address, accept.abort_handle())
}
