//! One row for each call.

use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::types::chat::{
    ChatCompletionRequestUserMessage, ChatCompletionResponseStream, CreateChatCompletionRequest,
};
use futures_util::StreamExt;
use tokio::time::Instant;
use tower::BoxError;
use tower_breaker::{
    BreakerHandle, State,
    handle::{Events, Totals, Watch},
};

use crate::recipe::rejection;
use crate::server::{Answer, Server};

/// What a call asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wants {
    Whole,
    Stream,
}

/// Two servers, the client, and what was claimed of them.
pub(crate) struct Run {
    primary: Server,
    second: Server,
    client: Client<OpenAIConfig>,
    healthy: bool,
    handle: BreakerHandle,
    events: Events,
    watch: Watch,
    /// As of the last row.
    totals: Totals,
    start: Instant,
    broken: Vec<String>,
}

impl Run {
    pub(crate) fn new(
        primary: Server,
        second: Server,
        client: Client<OpenAIConfig>,
        handle: BreakerHandle,
        healthy: bool,
    ) -> Self {
        println!(
            "{:>6}  {:<23}  {:<15}  {:<9}  {:<21}  circuit",
            "time", "the primary", "the caller gets", "attempts", "the breaker counted"
        );
        Self {
            primary,
            second,
            client,
            healthy,
            events: handle.events(),
            watch: handle.watch(),
            totals: handle.snapshot().totals,
            handle,
            start: Instant::now(),
            broken: Vec::new(),
        }
    }

    /// A call while the primary answers like this. The rest is what is claimed: what the caller gets, how many attempts
    /// reach the primary, what the breaker counts, and the state of the circuit.
    #[expect(clippy::too_many_arguments, reason = "the columns of a table")]
    pub(crate) async fn call(
        &mut self,
        says: &str,
        answer: Answer,
        wants: Wants,
        gets: &str,
        calls: usize,
        counted: &str,
        state: State,
    ) -> Result<(), BoxError> {
        self.primary_answers(answer);
        let got = match wants {
            Wants::Whole => self.client.chat().create(request()).await.map(|response| {
                let texts =
                    response.choices.into_iter().filter_map(|choice| choice.message.content);
                texts.collect()
            }),
            Wants::Stream => match self.client.chat().create_stream(request()).await {
                Ok(stream) => Ok(read(stream).await),
                Err(error) => Err(error),
            },
        };
        let got = got.unwrap_or_else(|error| told(&error));
        let served = got == "second" || (calls == 0 && state == State::Open);
        self.row(says, &got, gets, Some(calls), counted, state);
        let (key, asked) = ("Bearer second-key", self.second.asked());
        self.claim(asked.len() == usize::from(served), || {
            format!("the second is called: {served}")
        });
        self.claim(asked.iter().all(|asked| asked.key == key), || "each key to its own".to_owned());
        Ok(())
    }

    /// A stream, read to its first token. The primary holds the rest.
    pub(crate) async fn begin(
        &mut self,
        says: &str,
        answer: Answer,
        gets: &str,
        counted: &str,
        state: State,
    ) -> Result<ChatCompletionResponseStream, BoxError> {
        self.primary_answers(answer);
        let mut stream = self.client.chat().create_stream(request()).await?;
        let mut got = String::new();
        while got.is_empty() {
            let Some(chunk) = stream.next().await else { break };
            got.extend(chunk?.choices.into_iter().filter_map(|choice| choice.delta.content));
        }
        self.row(says, &got, gets, Some(1), counted, state);
        Ok(stream)
    }

    /// The rest of a stream. It was counted when it began.
    pub(crate) async fn end(
        &mut self,
        says: &str,
        stream: ChatCompletionResponseStream,
        gets: &str,
        state: State,
    ) -> Result<(), BoxError> {
        self.primary.let_go();
        let got = read(stream).await;
        self.row(says, &got, gets, None, "", state);
        Ok(())
    }

    /// Until the next call would be a probe.
    pub(crate) async fn cooldown(&mut self) {
        while self.watch.state() == State::Open {
            self.watch.changed().await;
        }
    }

    /// How long the circuit stays open.
    pub(crate) fn left(&self) -> Duration {
        let until = self.handle.snapshot().until;
        until.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now().into_std())
        })
    }

    /// Notes what does not hold.
    pub(crate) fn claim(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(what());
        }
    }

    /// What did not hold.
    pub(crate) fn broken(self) -> Vec<String> {
        self.broken
    }

    fn primary_answers(&self, answer: Answer) {
        self.primary.answer([], if self.healthy { Answer::Good } else { answer });
    }

    /// Prints what has been counted since the last row, and every change of the circuit.
    fn row(
        &mut self,
        says: &str,
        got: &str,
        gets: &str,
        calls: Option<usize>,
        claimed: &str,
        state: State,
    ) {
        let seen = self.handle.snapshot();
        let counted = counted(&self.totals, &seen.totals);
        self.totals = seen.totals;
        let came = self.primary.asked().len();
        let shown = calls.map(|_| came.to_string()).unwrap_or_default();
        let at = secs(self.start.elapsed());
        println!("{at:>6}  {says:<23}  {got:<15}  {shown:<9}  {counted:<21}  {}", seen.state);
        self.claim(got == gets, || format!("{says:?} gives {gets:?}: {got:?}"));
        self.claim(came == calls.unwrap_or(0), || format!("{says:?} is called {calls:?}: {came}"));
        self.claim(counted == claimed, || format!("{says:?} counts as {claimed:?}: {counted:?}"));
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

fn request() -> CreateChatCompletionRequest {
    CreateChatCompletionRequest {
        model: "model".to_owned(),
        messages: vec![ChatCompletionRequestUserMessage::from("Hello?").into()],
        ..Default::default()
    }
}

/// The tokens, and whether there was an error among them.
async fn read(mut stream: ChatCompletionResponseStream) -> String {
    let (mut text, mut error) = (String::new(), "");
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(chunk) => {
                text.extend(chunk.choices.into_iter().filter_map(|choice| choice.delta.content));
            }
            Err(_) => error = ", an error",
        }
    }
    text + error
}

fn told(error: &OpenAIError) -> String {
    match rejection(error) {
        Some(open) => open.to_string(),
        None => error.to_string(),
    }
}

/// What has been counted between the two.
fn counted(before: &Totals, now: &Totals) -> String {
    let classes = [
        ("success", now.success - before.success),
        ("failure", now.failure - before.failure),
        ("throttled", now.throttled - before.throttled),
        ("exhausted", now.exhausted - before.exhausted),
        ("rejected", now.rejected - before.rejected),
        ("broken_after", now.broken_after - before.broken_after),
    ];
    let counted = classes.into_iter().filter(|(_, count)| *count > 0);
    counted.map(|(class, count)| format!("{class} {count}")).collect::<Vec<_>>().join(", ")
}

fn secs(time: Duration) -> String {
    format!("{:.2}s", time.as_secs_f64())
}
