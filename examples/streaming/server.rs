//! An HTTP server on loopback with the API of OpenAI's chat completions, and scripted responses.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::stream::Stream;
use http::{Response, StatusCode};
use http_body_util::StreamBody;
use hyper::body::Frame;
use tokio::sync::watch;

use crate::shared::http1::Piece::{self, Dies, Held, Says};
use crate::shared::http1::{self, pieces};

/// How the server responds to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Good,
    ErrorEvent,
    DiesInEvent,
    NoDone,
    OnlyComments,
    Limited,
    /// One token, and the rest after [`Server::resume`].
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

    /// The answer of a server that does not fail.
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

/// A running server. Dropping it closes all connections.
pub(crate) struct Server {
    server: http1::Server,
    script: Arc<Script>,
}

impl Server {
    pub(crate) async fn start() -> io::Result<Self> {
        let (answer, go) = (watch::Sender::new(Answer::Good), watch::Sender::new(true));
        let script = Arc::new(Script { answer, go, calls: AtomicU64::new(0) });
        let responding = Arc::clone(&script);
        let server = http1::Server::start(move |_| {
            let response = respond(&responding);
            async move { Ok(response?) }
        });
        Ok(Self { server: server.await?, script })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Sets the answer to all later calls.
    pub(crate) fn answer(&self, answer: Answer) {
        self.script.go.send_replace(false);
        self.script.answer.send_replace(answer);
    }

    /// Resumes the streams that are held.
    pub(crate) fn resume(&self) {
        self.script.go.send_replace(true);
    }

    /// The number of calls so far.
    pub(crate) fn calls(&self) -> u64 {
        self.script.calls.load(Ordering::SeqCst)
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
    response.body(StreamBody::new(pieces(answer.pieces(), script.go.subscribe())))
}
