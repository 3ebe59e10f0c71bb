//! An HTTP server on loopback with the API of OpenAI's chat completions, and scripted responses.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::stream::Stream;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::BoxError;

pub(crate) use crate::shared::http1::Piece;
use crate::shared::http1::Piece::{Dies, Held, Says};
use crate::shared::http1::{self, pieces};

/// How the server responds to a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// A completion that contains the name of the server; two tokens if the call asks for a stream.
    Good,
    /// Any other complete response.
    Plain { status: u16, headers: &'static [(&'static str, &'static str)], body: &'static str },
    /// A stream, even if the call does not ask for one.
    Stream(&'static [Piece]),
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
/// An error after the first tokens. The stream does not end with `[DONE]`.
pub(crate) const ERROR_EVENT: Answer = Answer::Stream(&[Says(ROLE), Says(HEL), Says(ERROR)]);
pub(crate) const NO_DONE: Answer = Answer::Stream(&[Says(ROLE), Says(HEL)]);
pub(crate) const DIES: Answer = Answer::Stream(&[Says(ROLE), Says(HEL), Dies]);
/// One token, and the rest after [`Server::resume`].
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

/// A call as the server received it.
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

/// A running server. Dropping it closes all connections.
pub(crate) struct Server {
    server: http1::Server,
    script: Arc<Script>,
}

impl Server {
    pub(crate) async fn start(name: &'static str) -> io::Result<Self> {
        let plan = Plan { next: VecDeque::new(), then: Answer::Good, asked: Vec::new() };
        let script = Script { name, plan: Mutex::new(plan), go: watch::Sender::new(false) };
        let script = Arc::new(script);
        let responding = Arc::clone(&script);
        let server = http1::Server::start(move |request| respond(Arc::clone(&responding), request));
        Ok(Self { server: server.await?, script })
    }

    /// The base of the URLs of a client.
    pub(crate) fn base(&self) -> String {
        format!("http://{}/v1", self.server.address)
    }

    /// Sets the answers to the next calls, and the answer to all calls after them.
    pub(crate) fn answer<const N: usize>(&self, next: [Answer; N], then: Answer) {
        self.script.go.send_replace(false);
        let mut plan = self.script.plan();
        plan.next = next.into();
        plan.then = then;
    }

    /// Resumes the streams that are held.
    pub(crate) fn resume(&self) {
        self.script.go.send_replace(true);
    }

    /// Takes the calls since the last call of this method.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.script.plan().asked)
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
    let streamed = |stream| {
        let body = StreamBody::new(pieces(stream, script.go.subscribe()));
        Response::builder().header(CONTENT_TYPE, "text/event-stream").body(Either::Right(body))
    };
    Ok(match answer {
        Answer::Good if asked["stream"] == true => streamed(GOOD_STREAM)?,
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
        Answer::Stream(pieces) => streamed(pieces)?,
    })
}
