//! An API in the form of OpenAI's chat completions: a real HTTP server on loopback that answers as it is told.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http::{Response, StatusCode};
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet, yield_now};

use self::Piece::{Dies, Held, Says};

/// What the server does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Good,
    ErrorEvent,
    DiesInEvent,
    NoDone,
    OnlyComments,
    Limited,
    /// One token, and the rest when it is [let go](Server::let_go).
    HeldThenGood,
    HeldThenDies,
}

impl Answer {
    pub(crate) const fn says(self) -> &'static str {
        match self {
            Self::Good => "answers well",
            Self::ErrorEvent => "a token, an error event",
            Self::DiesInEvent => "a token, dies in an event",
            Self::NoDone => "a token, no [DONE]",
            Self::OnlyComments => "comments, then an error",
            Self::Limited => "429, retry-after: 1",
            Self::HeldThenGood => "a token, goes on later",
            Self::HeldThenDies => "a token, dies later",
        }
    }

    /// What it is where nothing breaks.
    pub(crate) const fn if_well(self) -> Self {
        match self {
            Self::HeldThenGood | Self::HeldThenDies => Self::HeldThenGood,
            _ => Self::Good,
        }
    }

    const fn pieces(self) -> &'static [Piece] {
        match self {
            Self::Good => &[Says(ROLE), Says(HEL), Says(LO), Says(END)],
            Self::ErrorEvent => &[Says(ROLE), Says(HEL), Says(OVERLOADED)],
            Self::DiesInEvent => &[Says(ROLE), Says(HEL), Says(HALF), Dies],
            Self::NoDone => &[Says(ROLE), Says(HEL)],
            Self::OnlyComments => &[Says(COMMENT), Says(COMMENT), Says(SERVER_ERROR)],
            Self::Limited => &[Says(LIMIT)],
            Self::HeldThenGood => &[Says(ROLE), Says(HEL), Held, Says(LO), Says(END)],
            Self::HeldThenDies => &[Says(ROLE), Says(HEL), Held, Dies],
        }
    }
}

/// A piece of a response body.
#[derive(Clone, Copy)]
enum Piece {
    Says(&'static str),
    /// Waits until it is let go.
    Held,
    /// The connection ends.
    Dies,
}

const ROLE: &str = concat!(
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"#,
    r#""delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
    "\n\n"
);
const HEL: &str = concat!(
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"#,
    r#""delta":{"content":"Hel"},"finish_reason":null}]}"#,
    "\n\n"
);
const HALF: &str = r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choi"#;
const LO: &str = concat!(
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"#,
    r#""delta":{"content":"lo"},"finish_reason":null}]}"#,
    "\n\n"
);
const END: &str = concat!(
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"#,
    r#""delta":{},"finish_reason":"stop"}]}"#,
    "\n\ndata: [DONE]\n\n"
);
const COMMENT: &str = ": keep-alive\n\n";
const OVERLOADED: &str = concat!(
    "event: error\n",
    r#"data: {"error":{"message":"The engine is currently overloaded, please try again later","#,
    r#""type":"service_unavailable_error","code":"server_is_overloaded"}}"#,
    "\n\n"
);
const SERVER_ERROR: &str = concat!(
    r#"data: {"error":{"message":"The server had an error while processing your request","#,
    r#""type":"server_error","code":null}}"#,
    "\n\n"
);
const LIMIT: &str = concat!(
    r#"{"error":{"message":"Rate limit reached for requests","type":"requests","#,
    r#""code":"rate_limit_exceeded"}}"#
);

#[derive(Debug)]
struct Script {
    answer: watch::Sender<Answer>,
    go: watch::Sender<bool>,
    calls: AtomicU64,
}

/// A server that is stopped, with all its connections, when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    script: Arc<Script>,
    accepting: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (answer, go) = (watch::Sender::new(Answer::Good), watch::Sender::new(true));
        let script = Arc::new(Script { answer, go, calls: AtomicU64::new(0) });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&script)));
        Ok(Self { address, script, accepting })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it answers like this.
    pub(crate) fn answer(&self, answer: Answer) {
        self.script.go.send_replace(false);
        self.script.answer.send_replace(answer);
    }

    /// What is held goes on.
    pub(crate) fn let_go(&self) {
        self.script.go.send_replace(true);
    }

    /// The calls that arrived.
    pub(crate) fn calls(&self) -> u64 {
        self.script.calls.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, script: Arc<Script>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let _ = stream.set_nodelay(true);
                let script = Arc::clone(&script);
                let service = service_fn(move |_| {
                    let script = Arc::clone(&script);
                    async move { respond(&script) }
                });
                // An error here is a connection that was told to die.
                connections.spawn(async move {
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

fn respond(
    script: &Script,
) -> http::Result<Response<StreamBody<impl Stream<Item = io::Result<Frame<Bytes>>> + use<>>>> {
    script.calls.fetch_add(1, Ordering::SeqCst);
    let answer = *script.answer.borrow();
    let response = match answer {
        Answer::Limited => Response::builder()
            .status(StatusCode::TOO_MANY_REQUESTS)
            .header("content-type", "application/json")
            .header("retry-after", "1"),
        _ => Response::builder().header("content-type", "text/event-stream"),
    };
    response.body(StreamBody::new(body(answer.pieces(), script.go.subscribe())))
}

fn body(
    pieces: &'static [Piece],
    go: watch::Receiver<bool>,
) -> impl Stream<Item = io::Result<Frame<Bytes>>> {
    stream::unfold((pieces.iter(), go), |(mut pieces, mut go)| async move {
        // While the body has nothing to say, hyper sends what it has: nothing is lost when the connection dies.
        yield_now().await;
        let mut piece = pieces.next()?;
        if let Held = piece {
            let _ = go.wait_for(|go| *go).await;
            piece = pieces.next()?;
        }
        let frame = match piece {
            Says(text) => Ok(Frame::data(Bytes::from_static(text.as_bytes()))),
            Held | Dies => Err(io::Error::other("the server died")),
        };
        Some((frame, (pieces, go)))
    })
}
