//! An API in the form of OpenAI's chat completions: a real HTTP server on loopback that answers as it is told.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet, yield_now};
use tower::BoxError;

use self::Piece::{Dies, Held, Says};

/// What the server does with a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// A completion that names the server, or a stream of two tokens where that was asked for.
    Good,
    /// Anything else that is whole.
    Plain { status: u16, headers: &'static [(&'static str, &'static str)], body: &'static str },
    /// A stream, whatever was asked for.
    Stream(&'static [Piece]),
}

/// A piece of a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece {
    Says(&'static str),
    /// Waits until it is [let go](Server::let_go).
    Held,
    /// The connection ends.
    Dies,
}

pub(crate) const OVERLOADED: Answer = Answer::Plain {
    status: 503,
    headers: &[],
    body: r#"{"error":{"message":"The engine is currently overloaded","type":"server_error","code":null}}"#,
};
pub(crate) const QUOTA: Answer = Answer::Plain {
    status: 429,
    headers: &[],
    body: concat!(
        r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","#,
        r#""type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#
    ),
};
/// An error behind the first tokens. The stream does not end with `[DONE]`.
pub(crate) const ERROR_EVENT: Answer = Answer::Stream(&[Says(ROLE), Says(HEL), Says(ERROR)]);
pub(crate) const NO_DONE: Answer = Answer::Stream(&[Says(ROLE), Says(HEL)]);
pub(crate) const DIES: Answer = Answer::Stream(&[Says(ROLE), Says(HEL), Dies]);
/// One token, and the rest when it is [let go](Server::let_go).
pub(crate) const HELD: Answer = Answer::Stream(&[Says(ROLE), Says(HEL), Held, Says(LO), Says(END)]);
const GOOD_STREAM: &[Piece] = &[Says(ROLE), Says(HEL), Says(LO), Says(END)];

const ROLE: &str = concat!(
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"#,
    r#""delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
    "\n\n"
);
const HEL: &str = concat!(
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"#,
    r#""delta":{"content":"Hel"},"finish_reason":null}]}"#,
    "\n\n"
);
const LO: &str = concat!(
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"#,
    r#""delta":{"content":"lo"},"finish_reason":null}]}"#,
    "\n\n"
);
const END: &str = concat!(
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"#,
    r#""delta":{},"finish_reason":"stop"}]}"#,
    "\n\ndata: [DONE]\n\n"
);
const ERROR: &str = concat!(
    r#"data: {"error":{"message":"The engine is currently overloaded, please try again later","#,
    r#""type":"service_unavailable_error","code":"server_is_overloaded"}}"#,
    "\n\n"
);

/// What a call asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) key: String,
    pub(crate) model: String,
}

#[derive(Debug)]
struct Script {
    name: &'static str,
    plan: Mutex<Plan>,
    go: watch::Sender<bool>,
}

#[derive(Debug)]
struct Plan {
    next: VecDeque<Answer>,
    then: Answer,
    asked: Vec<Asked>,
}

impl Script {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A server that is stopped, with all its connections, when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    script: Arc<Script>,
    accepting: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(name: &'static str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let plan = Plan { next: VecDeque::new(), then: Answer::Good, asked: Vec::new() };
        let script = Script { name, plan: Mutex::new(plan), go: watch::Sender::new(false) };
        let script = Arc::new(script);
        let accepting = tokio::spawn(accept(listener, Arc::clone(&script)));
        Ok(Self { address, script, accepting })
    }

    /// What a client takes as the base of its URLs.
    pub(crate) fn base(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Answers the next calls like `next`, and from then on like `then`.
    pub(crate) fn answer<const N: usize>(&self, next: [Answer; N], then: Answer) {
        self.script.go.send_replace(false);
        let mut plan = self.script.plan();
        plan.next = next.into();
        plan.then = then;
    }

    /// What is held goes on.
    pub(crate) fn let_go(&self) {
        self.script.go.send_replace(true);
    }

    /// The calls that arrived, since the last time it was asked.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.script.plan().asked)
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
                let service = service_fn(move |request| respond(Arc::clone(&script), request));
                // An error here is a connection that was told to die, or a client that left.
                connections.spawn(async move {
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

type Body<S> = Either<Full<Bytes>, StreamBody<S>>;

async fn respond(
    script: Arc<Script>,
    request: Request<Incoming>,
) -> Result<Response<Body<impl Stream<Item = io::Result<Frame<Bytes>>>>>, BoxError> {
    let path = request.uri().path().to_owned();
    let key = request.headers().get(AUTHORIZATION).map(HeaderValue::to_str).transpose()?;
    let key = key.unwrap_or_default().to_owned();
    let asked: Value = serde_json::from_slice(&request.collect().await?.to_bytes())?;
    let model = asked["model"].as_str().unwrap_or_default().to_owned();
    let answer = {
        let mut plan = script.plan();
        plan.asked.push(Asked { path, key, model: model.clone() });
        plan.next.pop_front().unwrap_or(plan.then)
    };
    let stream = |pieces| {
        let body = StreamBody::new(pieces_of(pieces, script.go.subscribe()));
        Response::builder().header(CONTENT_TYPE, "text/event-stream").body(Either::Right(body))
    };
    Ok(match answer {
        Answer::Good if asked["stream"] == true => stream(GOOD_STREAM)?,
        Answer::Good => {
            let text = json!({
                "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model,
                "choices": [{
                    "index": 0, "finish_reason": "stop",
                    "message": { "role": "assistant", "content": script.name },
                }],
            });
            let body = Either::Left(Full::from(text.to_string()));
            Response::builder().header(CONTENT_TYPE, "application/json").body(body)?
        }
        Answer::Plain { status, headers, body } => {
            let response =
                Response::builder().status(status).header(CONTENT_TYPE, "application/json");
            let with = |response: http::response::Builder, (name, value): &(&str, &str)| {
                response.header(*name, *value)
            };
            headers.iter().fold(response, with).body(Either::Left(Full::from(body)))?
        }
        Answer::Stream(pieces) => stream(pieces)?,
    })
}

fn pieces_of(
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
