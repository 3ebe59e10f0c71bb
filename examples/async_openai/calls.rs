//! The client, and a row for each of its calls.

use std::time::{Duration, Instant};

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::types::chat::{
    ChatCompletionRequestUserMessage, ChatCompletionResponseStream, CreateChatCompletionRequest,
};
use futures_util::StreamExt;
use tower::BoxError;
use tower_breaker::{BreakerHandle, State, handle::Totals};

use crate::recipe::rejection;
use crate::server::{Answer, Server};
use crate::shared::table::Account;

/// The kind of response that a call asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wants {
    Whole,
    Stream,
}

/// Two servers, the client, and its breaker.
pub(crate) struct Run {
    primary: Server,
    second: Server,
    client: Client<OpenAIConfig>,
    healthy: bool,
    pub(crate) account: Account,
}

impl Run {
    pub(crate) fn new(
        primary: Server,
        second: Server,
        client: Client<OpenAIConfig>,
        handle: &BreakerHandle,
        healthy: bool,
    ) -> Self {
        println!(
            "{:>6}  {:<23}  {:<15}  {:<9}  {:<21}  circuit",
            "time", "the primary", "the caller gets", "attempts", "the breaker counted"
        );
        Self { primary, second, client, healthy, account: Account::new(handle) }
    }

    /// Makes a call while the primary responds with `answer`. Claims the result of the caller, the number of attempts
    /// that reach the primary, the classes that the breaker counts, and the state of the circuit.
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
        self.account.claim(asked.len() == usize::from(served), || {
            format!("the second provider is called: {served}")
        });
        self.account.claim(asked.iter().all(|asked| asked.key == key), || {
            "each provider gets its own key".to_owned()
        });
        Ok(())
    }

    /// Reads a stream to its first token. The primary holds the rest.
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

    /// Reads the rest of a stream that was counted at its first token.
    pub(crate) async fn end(
        &mut self,
        says: &str,
        stream: ChatCompletionResponseStream,
        gets: &str,
        state: State,
    ) -> Result<(), BoxError> {
        self.primary.resume();
        let got = read(stream).await;
        self.row(says, &got, gets, None, "", state);
        Ok(())
    }

    /// The time for which the circuit stays open.
    pub(crate) fn left(&self) -> Duration {
        let until = self.account.handle.snapshot().until;
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    fn primary_answers(&self, answer: Answer) {
        self.primary.answer([], if self.healthy { Answer::Good } else { answer });
    }

    /// Prints a call, how it was counted, and every transition since the last row.
    fn row(
        &mut self,
        says: &str,
        got: &str,
        gets: &str,
        calls: Option<usize>,
        claimed: &str,
        state: State,
    ) {
        let (before, seen) = self.account.next();
        let counted = counted(&before, &seen.totals);
        let came = self.primary.asked().len();
        let shown = calls.map(|_| came.to_string()).unwrap_or_default();
        let at = self.account.time();
        println!("{at:>6}  {says:<23}  {got:<15}  {shown:<9}  {counted:<21}  {}", seen.state);
        self.account.claim(got == gets, || format!("{says:?} gives {gets:?}: {got:?}"));
        self.account
            .claim(came == calls.unwrap_or(0), || format!("{says:?} is called {calls:?}: {came}"));
        self.account
            .claim(counted == claimed, || format!("{says:?} counts as {claimed:?}: {counted:?}"));
        self.account
            .claim(seen.state == state, || format!("{says:?} leaves it {state}: {}", seen.state));
        self.account.transitions(true);
    }
}

fn request() -> CreateChatCompletionRequest {
    CreateChatCompletionRequest {
        model: "model".to_owned(),
        messages: vec![ChatCompletionRequestUserMessage::from("Hello?").into()],
        ..Default::default()
    }
}

/// The tokens of a stream, and whether it contained an error.
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

/// The classes that count more calls in `now` than in `before`.
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
