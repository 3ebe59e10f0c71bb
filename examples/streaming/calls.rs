//! The two clients, and one row for each call of them.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tower::{BoxError, Layer, ServiceExt};
use tower_breaker::{BreakerBody, llm::Llm};
use tower_breaker::{
    BreakerHandle, CircuitBreaker, CircuitBreakerLayer, CircuitOpen, Config, State,
    handle::{Events, Totals, Watch},
    rejection::RejectWithBoxError,
};

use crate::server::{Answer, Server};

type Plain = Client<HttpConnector, Full<Bytes>>;

/// A server, the two clients, and what was claimed of them.
pub(crate) struct Run {
    server: Server,
    healthy: bool,
    naive: Plain,
    guarded: CircuitBreaker<Plain, Llm, RejectWithBoxError>,
    handle: BreakerHandle,
    events: Events,
    watch: Watch,
    /// As of the last row.
    totals: Totals,
    start: Instant,
    broken: Vec<String>,
}

/// A call of each client whose stream has begun.
pub(crate) struct Begun {
    answer: Answer,
    naive: JoinHandle<Bytes>,
    guarded: Option<BreakerBody<Incoming>>,
    read: Vec<u8>,
}

impl Run {
    pub(crate) fn new(server: Server, config: Config<Llm>, healthy: bool) -> Self {
        let breaker = CircuitBreakerLayer::new(config);
        let handle = breaker.handle();
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
            events: handle.events(),
            watch: handle.watch(),
            totals: handle.snapshot().totals,
            handle,
            start: Instant::now(),
            broken: Vec::new(),
        }
    }

    /// A call of each client, read to its end. `counted` and `state` are what is claimed of the guarded one.
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

    /// A call of each client, read to the first token. The server holds the rest.
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

    /// The rest of what was begun.
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
        self.server.let_go();
        self.read_on(begun).await?;
        self.row(says, "", counted, state);
        Ok(())
    }

    /// Until the next call would be a probe.
    pub(crate) async fn cooldown(&mut self) {
        while self.watch.state() == State::Open {
            self.watch.changed().await;
        }
    }

    /// Notes what does not hold.
    pub(crate) fn claim(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(what());
        }
    }

    pub(crate) fn handle(&self) -> &BreakerHandle {
        &self.handle
    }

    /// What did not hold.
    pub(crate) fn broken(self) -> Vec<String> {
        self.broken
    }

    fn now(&self, answer: Answer) -> Answer {
        if self.healthy { answer.if_well() } else { answer }
    }

    async fn send(&mut self, answer: Answer) -> Result<(Begun, String), BoxError> {
        self.server.answer(answer);

        let response = self.naive.clone().oneshot(self.request()?).await?;
        let status = response.status();
        // All that an access log knows: it is written at the head.
        let log = if status.is_success() { "success" } else { "error" };
        let log = format!("{} {log}", status.as_u16());
        self.claim(status.is_success() || answer == Answer::Limited, || {
            format!("{answer:?} has a good head")
        });
        let naive = tokio::spawn(collect(response));

        let calls = self.server.calls();
        let guarded = match self.guarded.clone().oneshot(self.request()?).await {
            Ok(response) => Some(response.into_body()),
            Err(error) => match CircuitOpen::find(&*error) {
                Some(open) => {
                    let (wait, came) = (open.retry_after(), self.server.calls());
                    self.claim(wait.is_some_and(|wait| !wait.is_zero()), || {
                        format!("a rejection says when to come back: {wait:?}")
                    });
                    self.claim(came == calls, || "a rejected call reaches nobody".to_owned());
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
            self.claim(naive == text, || "both clients read the same bytes".to_owned());
        }
        Ok(())
    }

    fn request(&self) -> http::Result<Request<Full<Bytes>>> {
        let body = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
        let uri = format!("http://{}/v1/chat/completions", self.server.address());
        Request::post(uri).header("content-type", "application/json").body(Full::from(body))
    }

    /// Prints what has been counted since the last row, and every change of the circuit.
    fn row(&mut self, says: &str, log: &str, claimed: &str, state: State) {
        let seen = self.handle.snapshot();
        let counted = counted(&self.totals, &seen.totals);
        let why = match (counted, seen.last_error) {
            ("failure" | "throttled" | "broken_after", Some(error)) => {
                format!("{counted}: {error}")
            }
            _ => counted.to_owned(),
        };
        self.totals = seen.totals;
        let shown = match (counted, seen.until) {
            ("rejected", Some(until)) => {
                let wait = until.saturating_duration_since(Instant::now().into_std());
                format!("rejected, retry in {}", secs(wait))
            }
            _ => why.clone(),
        };
        let at = secs(self.start.elapsed());
        println!("{at:>6}  {says:<25}  {log:<12}  {shown:<38}  {}", seen.state);
        self.claim(why == claimed, || format!("{says:?} counts as {claimed:?}: {why:?}"));
        self.claim(seen.state == state, || format!("{says:?} leaves it {state}: {}", seen.state));
        while let Some(change) = self.events.try_recv() {
            match change {
                Ok(change) => {
                    let last = change.last_error.filter(|_| change.to == State::Open);
                    let last = last.map(|error| format!(", {error}")).unwrap_or_default();
                    let time = change.open_for.map(|time| format!(", for {}", secs(time)));
                    let (from, to, cause) = (change.from, change.to, change.cause);
                    println!("        {from} → {to}: {cause}{last}{}", time.unwrap_or_default());
                }
                Err(lagged) => self.claim(false, || lagged.to_string()),
            }
        }
    }
}

/// What has been counted between the two. Nothing while a call is under way.
fn counted(before: &Totals, now: &Totals) -> &'static str {
    let classes = [
        ("success", before.success, now.success),
        ("failure", before.failure, now.failure),
        ("throttled", before.throttled, now.throttled),
        ("rejected", before.rejected, now.rejected),
        ("broken_after", before.broken_after, now.broken_after),
    ];
    let changed = classes.into_iter().find(|(_, before, now)| before != now);
    changed.map_or("nothing more", |(class, ..)| class)
}

async fn collect(response: Response<Incoming>) -> Bytes {
    let (mut body, mut text) = (response.into_body(), Vec::new());
    while read(&mut body, &mut text).await {}
    text.into()
}

/// Reads one frame; `false` at the end, and where the body breaks.
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

fn secs(time: Duration) -> String {
    format!("{:.2}s", time.as_secs_f64())
}
