//! The guarded client, and a row for each of its calls.

use std::time::Duration;

use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};
use tower_breaker::classify::Grpc;
use tower_breaker::integration::with_tonic::rejection;
use tower_breaker::{BreakerHandle, CircuitBreaker, State, rejection::RejectWithGrpc};

use crate::orders::orders_client::OrdersClient;
use crate::orders::{Order, Reply};
use crate::service::{Mood, Service};
use crate::shared::table::{Account, counted, secs};

pub(crate) type Client = OrdersClient<CircuitBreaker<Channel, Grpc, RejectWithGrpc>>;

/// The time within which the head of a response must arrive.
pub(crate) const DEADLINE: Duration = Duration::from_millis(500);

/// The client, its breaker, and the service.
pub(crate) struct Run {
    client: Client,
    service: Service,
    healthy: bool,
    pub(crate) account: Account,
}

impl Run {
    pub(crate) fn new(
        client: Client,
        service: Service,
        handle: &BreakerHandle,
        healthy: bool,
    ) -> Self {
        println!(
            "{:>6}  {:<5}  {:<8}  {:<40}  {:<26}  circuit",
            "time", "call", "server", "the caller got", "the breaker counted"
        );
        Self { client, service, healthy, account: Account::new(handle) }
    }

    /// Makes a unary call. Claims its result, its class, and the state after it.
    pub(crate) async fn get(&mut self, mood: Mood, got: &str, counted: &str, state: State) {
        let (mood, came) = self.set(mood);
        let result = self.client.get(request()).await.map(|_| ());
        self.reached(came, result.as_ref().err());
        self.row("Get", mood, (0, result.err()), got, counted, state);
    }

    /// Reads a stream to its end.
    pub(crate) async fn watch(&mut self, mood: Mood, got: &str, counted: &str, state: State) {
        let (mood, came) = self.set(mood);
        let (mut count, mut error) = (0, None);
        match self.client.watch(request()).await {
            Ok(replies) => {
                let mut replies = replies.into_inner();
                loop {
                    match replies.message().await {
                        Ok(Some(_)) => count += 1,
                        Ok(None) => break,
                        Err(status) => {
                            error = Some(status);
                            break;
                        }
                    }
                }
            }
            Err(status) => error = Some(status),
        }
        self.reached(came, error.as_ref());
        self.row("Watch", mood, (count, error), got, counted, state);
    }

    /// Reads a stream to its first reply, and drops it.
    pub(crate) async fn leave(&mut self, mood: Mood, counted: &str, state: State) {
        if let Some(replies) = self.first(mood).await {
            drop(replies);
        }
        self.row("Watch", mood, (1, None), "1 reply, OK", counted, state);
    }

    /// Reads a stream to its first reply.
    pub(crate) async fn begin(
        &mut self,
        mood: Mood,
        counted: &str,
        state: State,
    ) -> Option<Streaming<Reply>> {
        let replies = self.first(mood).await;
        self.row("Watch", mood, (1, None), "1 reply, OK", counted, state);
        replies
    }

    /// Reads the rest of a stream.
    pub(crate) async fn end(&mut self, replies: Option<Streaming<Reply>>, state: State) {
        self.service.resume();
        let mut count = 0;
        if let Some(mut replies) = replies {
            while let Ok(Some(_)) = replies.message().await {
                count += 1;
            }
        }
        self.row("  …", Mood::Waits, (count, None), "1 reply, OK", "nothing more", state);
    }

    /// Sets the mood of the service, and returns it with the number of calls so far.
    fn set(&self, mood: Mood) -> (Mood, usize) {
        let mood = if self.healthy { Mood::Well } else { mood };
        self.service.set(mood);
        (mood, self.service.calls())
    }

    /// Claims that the service received the call if and only if it was not rejected.
    fn reached(&mut self, came: usize, error: Option<&Status>) {
        let rejected = error.and_then(rejection);
        if let Some(rejected) = rejected {
            let wait = rejected.retry_after();
            self.account.claim(wait.is_some_and(|wait| !wait.is_zero()), || {
                format!("a rejection has a retry-after: {wait:?}")
            });
        }
        let calls = self.service.calls() - came;
        let expected = usize::from(rejected.is_none());
        self.account.claim(calls == expected, || format!("{calls} calls reached the service"));
    }

    async fn first(&mut self, mood: Mood) -> Option<Streaming<Reply>> {
        self.set(mood);
        let mut replies = self.client.watch(request()).await.ok()?.into_inner();
        replies.message().await.ok()??;
        Some(replies)
    }

    /// Prints a call, how it was counted, and every transition since the last row.
    fn row(
        &mut self,
        call: &str,
        mood: Mood,
        (replies, error): (usize, Option<Status>),
        claimed_got: &str,
        claimed: &str,
        state: State,
    ) {
        let (before, seen) = self.account.next();
        let counted = match (counted(&before, &seen.totals), &seen.last_error) {
            ("failure", Some(error)) => format!("failure: {error}"),
            (counted, _) => counted.to_owned(),
        };

        let (got, more) = got(replies, error.as_ref());
        let at = self.account.time();
        let (shown, mood) = (format!("{got}{more}"), format!("{mood:?}").to_lowercase());
        println!("{at:>6}  {call:<5}  {mood:<8}  {shown:<40}  {counted:<26}  {}", seen.state);
        let call = call.trim();
        self.account.claim(got == claimed_got, || {
            format!("{call} of {mood} gets {claimed_got:?}: {got:?}")
        });
        self.account
            .claim(counted == claimed, || format!("{call} of {mood} is {claimed:?}: {counted:?}"));
        self.account
            .claim(seen.state == state, || format!("{call} leaves it {state}: {}", seen.state));
        self.account.transitions(false);
    }
}

/// The result of a call as text, and the details of its status.
fn got(replies: usize, error: Option<&Status>) -> (String, String) {
    let replies = match replies {
        0 => String::new(),
        1 => "1 reply, ".to_owned(),
        more => format!("{more} replies, "),
    };
    let Some(status) = error else { return (format!("{replies}OK"), String::new()) };
    match rejection(status) {
        Some(rejection) => {
            let wait = rejection.retry_after().map(|wait| format!(", retry in {}", secs(wait)));
            (format!("rejected by {}", rejection.name()), wait.unwrap_or_default())
        }
        None => (format!("{replies}{:?}", status.code()), format!(": {}", status.message())),
    }
}

fn request() -> Request<Order> {
    Request::new(Order { replies: 2, ..Order::default() })
}
