//! The two clients, and a row for each pair of calls.

use std::time::Instant;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinHandle;
use tower::{BoxError, Layer, ServiceExt};
use tower_breaker::{BreakerBody, llm::Llm};
use tower_breaker::{
    CircuitBreaker, CircuitBreakerLayer, CircuitOpen, Config, State, rejection::RejectWithBoxError,
};

use crate::server::{Answer, Server};
use crate::shared::table::{Account, counted, secs};

type Plain = Client<HttpConnector, Full<Bytes>>;

/// A server, the two clients, and the breaker of one.
pub(crate) struct Run {
    server: Server,
    healthy: bool,
    naive: Plain,
    guarded: CircuitBreaker<Plain, Llm, RejectWithBoxError>,
    pub(crate) account: Account,
}

/// A call of each client. Their streams have begun.
pub(crate) struct Begun {
    answer: Answer,
    naive: JoinHandle<Bytes>,
    guarded: Option<BreakerBody<Incoming>>,
    read: Vec<u8>,
}

impl Run {
    pub(crate) fn new(server: Server, config: Config<Llm>, healthy: bool) -> Self {
        let breaker = CircuitBreakerLayer::new(config);
        let client = || Client::builder(TokioExecutor::new()).build_http();
        println!(
            "{:>6}  {:<25}  {:<12}  {:<38}  circuit",
            "time", "the server", "naive client", "the breaker counted"
        );
        Self {
            server,
            healthy,
            naive: client(),
            guarded: breaker.layer(client()),
            account: Account::new(&breaker.handle()),
        }
    }

    /// Makes a call with each client, and reads both to the end. Claims the class of the guarded call, and the state
    /// after it.
    pub(crate) async fn call(
        &mut self,
        answer: Answer,
        counted: &str,
        state: State,
    ) -> Result<(), BoxError> {
        let answer = self.now(answer);
        let (begun, log) = self.send(answer).await?;
        self.read_on(begun).await?;
        self.row(answer.says(), &log, counted, state);
        Ok(())
    }

    /// Makes a call with each client, and reads the guarded one to its first token. The server holds the rest.
    pub(crate) async fn begin(
        &mut self,
        answer: Answer,
        counted: &str,
        state: State,
    ) -> Result<Begun, BoxError> {
        let answer = self.now(answer);
        let (mut begun, log) = self.send(answer).await?;
        if let Some(body) = &mut begun.guarded {
            while !has_token(&begun.read) && read(body, &mut begun.read).await {}
        }
        self.row(answer.says(), &log, counted, state);
        Ok(begun)
    }

    /// Reads the rest of two calls.
    pub(crate) async fn end(
        &mut self,
        begun: Begun,
        counted: &str,
        state: State,
    ) -> Result<(), BoxError> {
        let says = match begun.answer {
            Answer::HeldThenDies => "  … and dies",
            _ => "  … and ends well",
        };
        self.server.resume();
        self.read_on(begun).await?;
        self.row(says, "", counted, state);
        Ok(())
    }

    fn now(&self, answer: Answer) -> Answer {
        if self.healthy { answer.if_well() } else { answer }
    }

    async fn send(&mut self, answer: Answer) -> Result<(Begun, String), BoxError> {
        self.server.answer(answer);

        let response = self.naive.clone().oneshot(self.request()?).await?;
        let status = response.status();
        // An access log is written when the head arrives, and contains no more than this.
        let log = if status.is_success() { "success" } else { "error" };
        let log = format!("{} {log}", status.as_u16());
        self.account.claim(status.is_success() || answer == Answer::Limited, || {
            format!("{answer:?} has a good head")
        });
        let naive = tokio::spawn(collect(response));

        let calls = self.server.calls();
        let guarded = match self.guarded.clone().oneshot(self.request()?).await {
            Ok(response) => Some(response.into_body()),
            Err(error) => match CircuitOpen::find(&*error) {
                Some(open) => {
                    let (wait, came) = (open.retry_after(), self.server.calls());
                    self.account.claim(wait.is_some_and(|wait| !wait.is_zero()), || {
                        format!("a rejection has a retry-after: {wait:?}")
                    });
                    self.account.claim(came == calls, || {
                        "a rejected call does not reach the server".to_owned()
                    });
                    None
                }
                None => return Err(error),
            },
        };
        Ok((Begun { answer, naive, guarded, read: Vec::new() }, log))
    }

    async fn read_on(&mut self, begun: Begun) -> Result<(), BoxError> {
        let Begun { answer: _, naive, guarded, read: mut text } = begun;
        let naive = naive.await?;
        if let Some(mut body) = guarded {
            while read(&mut body, &mut text).await {}
            self.account.claim(naive == text, || "both clients read the same bytes".to_owned());
        }
        Ok(())
    }

    fn request(&self) -> http::Result<Request<Full<Bytes>>> {
        let body = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
        let uri = format!("http://{}/v1/chat/completions", self.server.address());
        Request::post(uri).header("content-type", "application/json").body(Full::from(body))
    }

    /// Prints two calls, how the guarded one was counted, and every transition since the last row.
    fn row(&mut self, says: &str, log: &str, claimed: &str, state: State) {
        let (before, seen) = self.account.next();
        let counted = counted(&before, &seen.totals);
        let why = match (counted, seen.last_error) {
            ("failure" | "throttled" | "broken_after", Some(error)) => {
                format!("{counted}: {error}")
            }
            _ => counted.to_owned(),
        };
        let shown = match (counted, seen.until) {
            ("rejected", Some(until)) => {
                let wait = until.saturating_duration_since(Instant::now());
                format!("rejected, retry in {}", secs(wait))
            }
            _ => why.clone(),
        };
        let at = self.account.time();
        println!("{at:>6}  {says:<25}  {log:<12}  {shown:<38}  {}", seen.state);
        self.account.claim(why == claimed, || format!("{says:?} counts as {claimed:?}: {why:?}"));
        self.account
            .claim(seen.state == state, || format!("{says:?} leaves it {state}: {}", seen.state));
        self.account.transitions(true);
    }
}

async fn collect(response: Response<Incoming>) -> Bytes {
    let (mut body, mut text) = (response.into_body(), Vec::new());
    while read(&mut body, &mut text).await {}
    text.into()
}

/// Reads one frame. Returns `false` if the body has ended or breaks.
async fn read<B>(body: &mut B, text: &mut Vec<u8>) -> bool
where
    B: Body<Data = Bytes> + Unpin,
{
    match body.frame().await {
        Some(Ok(frame)) => {
            text.extend_from_slice(frame.data_ref().map_or(&[], |data| &data[..]));
            true
        }
        Some(Err(_)) | None => false,
    }
}

fn has_token(read: &[u8]) -> bool {
    String::from_utf8_lossy(read).contains(r#""delta":{"content":"#)
}
