//! The guarded client, and one row for each call of it.

use std::time::Duration;

use tokio::time::Instant;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};
use tower_breaker::classify::Grpc;
use tower_breaker::integration::with_tonic::rejection;
use tower_breaker::{
    BreakerHandle, CircuitBreaker, State,
    handle::{Events, Totals, Watch},
    rejection::RejectWithGrpc,
};

use crate::orders::orders_client::OrdersClient;
use crate::orders::{Order, Reply};
use crate::service::{Mood, Service};

pub(crate) type Client = OrdersClient<CircuitBreaker<Channel, Grpc, RejectWithGrpc>>;

/// For so long a caller waits for the head of an answer.
pub(crate) const DEADLINE: Duration = Duration::from_millis(500);

/// The client, the service, and what was claimed of them.
pub(crate) struct Run {
    client: Client,
    service: Service,
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
        client: Client,
        service: Service,
        handle: BreakerHandle,
        healthy: bool,
    ) -> Self {
        println!(
            "{:>6}  {:<5}  {:<8}  {:<40}  {:<26}  circuit",
            "time", "call", "server", "the caller got", "the breaker counted"
        );
        Self {
            client,
            service,
            healthy,
            events: handle.events(),
            watch: handle.watch(),
            totals: handle.snapshot().totals,
            handle,
            start: Instant::now(),
            broken: Vec::new(),
        }
    }

    /// A unary call.
    pub(crate) async fn get(&mut self, mood: Mood, got: &str, counted: &str, state: State) {
        let (mood, came) = self.set(mood);
        let result = self.client.get(request()).await.map(|_| ());
        self.reached(came, result.as_ref().err());
        self.row("Get", mood, (0, result.err()), got, counted, state);
    }

    /// A stream, read to its end.
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

    /// A stream that is left behind its first reply.
    pub(crate) async fn leave(&mut self, mood: Mood, counted: &str, state: State) {
        if let Some(replies) = self.first(mood).await {
            drop(replies);
        }
        self.row("Watch", mood, (1, None), "1 reply, OK", counted, state);
    }

    /// A stream, read to its first reply.
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

    /// The rest of what was begun.
    pub(crate) async fn end(&mut self, replies: Option<Streaming<Reply>>, state: State) {
        self.service.let_go();
        let mut count = 0;
        if let Some(mut replies) = replies {
            while let Ok(Some(_)) = replies.message().await {
                count += 1;
            }
        }
        self.row("  …", Mood::Waits, (count, None), "1 reply, OK", "nothing more", state);
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

    /// What did not hold.
    pub(crate) fn broken(self) -> Vec<String> {
        self.broken
    }

    /// Sets the mood of the service. With how many calls came there before.
    fn set(&self, mood: Mood) -> (Mood, usize) {
        let mood = if self.healthy { Mood::Well } else { mood };
        self.service.set(mood);
        (mood, self.service.calls())
    }

    /// A rejected call reaches nobody, and every other one the service.
    fn reached(&mut self, came: usize, error: Option<&Status>) {
        let rejected = error.and_then(rejection);
        if let Some(rejected) = rejected {
            let wait = rejected.retry_after();
            self.claim(wait.is_some_and(|wait| !wait.is_zero()), || {
                format!("a rejection says when to come back: {wait:?}")
            });
        }
        let calls = self.service.calls() - came;
        let expected = usize::from(rejected.is_none());
        self.claim(calls == expected, || format!("{calls} calls came to the service"));
    }

    async fn first(&mut self, mood: Mood) -> Option<Streaming<Reply>> {
        self.set(mood);
        let mut replies = self.client.watch(request()).await.ok()?.into_inner();
        replies.message().await.ok()??;
        Some(replies)
    }

    /// Prints what has been counted since the last row, and every change of the circuit.
    fn row(
        &mut self,
        call: &str,
        mood: Mood,
        (replies, error): (usize, Option<Status>),
        claimed_got: &str,
        claimed: &str,
        state: State,
    ) {
        let seen = self.handle.snapshot();
        let counted = match (counted(&self.totals, &seen.totals), &seen.last_error) {
            ("failure", Some(error)) => format!("failure: {error}"),
            (counted, _) => counted.to_owned(),
        };
        self.totals = seen.totals;

        let (got, more) = got(replies, error.as_ref());
        let at = secs(self.start.elapsed());
        let (shown, mood) = (format!("{got}{more}"), format!("{mood:?}").to_lowercase());
        println!("{at:>6}  {call:<5}  {mood:<8}  {shown:<40}  {counted:<26}  {}", seen.state);
        let call = call.trim();
        self.claim(got == claimed_got, || {
            format!("{call} of {mood} gets {claimed_got:?}: {got:?}")
        });
        self.claim(counted == claimed, || format!("{call} of {mood} is {claimed:?}: {counted:?}"));
        self.claim(seen.state == state, || format!("{call} leaves it {state}: {}", seen.state));
        while let Some(change) = self.events.try_recv() {
            match change {
                Ok(change) => {
                    let time = change.open_for.map(|time| format!(", for {}", secs(time)));
                    let (from, to, cause) = (change.from, change.to, change.cause);
                    println!("        {from} → {to}: {cause}{}", time.unwrap_or_default());
                }
                Err(lagged) => self.claim(false, || lagged.to_string()),
            }
        }
    }
}

/// What the caller got, and what else its status says.
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

/// What has been counted between the two. Nothing while a call is under way.
fn counted(before: &Totals, now: &Totals) -> &'static str {
    let classes = [
        ("success", before.success, now.success),
        ("failure", before.failure, now.failure),
        ("ignored", before.ignored, now.ignored),
        ("cancelled", before.cancelled, now.cancelled),
        ("rejected", before.rejected, now.rejected),
        ("broken_after", before.broken_after, now.broken_after),
    ];
    let changed = classes.into_iter().find(|(_, before, now)| before != now);
    changed.map_or("nothing more", |(class, ..)| class)
}

fn secs(time: Duration) -> String {
    format!("{:.2}s", time.as_secs_f64())
}
