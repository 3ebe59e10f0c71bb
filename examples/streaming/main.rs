//! Streams that break after a good head. A server with OpenAI's API responds with 200 and breaks in the stream, in four
//! ways. One client looks only at the status; the other has a breaker that observes the streams as they pass.
//!
//! ```sh
//! cargo run --example streaming --features llm               # a table of all calls; about 2 s
//! cargo run --example streaming --features llm -- --healthy  # the server does not fail: exit code 1
//! cargo run --example streaming --features llm -- --heads    # the breaker does not observe bodies: exit code 1
//! ```
//!
//! The exit code is 1 if a claim does not hold. The claim is printed to stderr.

mod calls;
mod server;
#[path = "../shared/mod.rs"]
mod shared;

use std::process::ExitCode;
use std::time::Duration;

use tower::BoxError;
use tower_breaker::{Backoff, Config, Provider, Settings, State};
use tower_breaker::{classify::SettleAt, llm::Llm};

use crate::calls::Run;
use crate::server::{Answer, Server};
use crate::shared::run::{Claims, run};
use crate::shared::table::cooldown;

/// The ways to break, and the class in which each is counted.
const BREAKS: [(Answer, &str); 4] = [
    (Answer::ErrorEvent, "failure: server_is_overloaded"),
    (Answer::DiesInEvent, "failure: body broke"),
    (Answer::NoDone, "failure: stream ended early"),
    (Answer::OnlyComments, "failure: server_error"),
];

/// The number of consecutive failures that open the circuit, as in the preset.
const FAILURES: usize = 5;

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    run("streaming", ["--healthy", "--heads"], play).await
}

fn config(heads: bool) -> Result<Config<Llm>, BoxError> {
    let preset = Settings::llm();
    let settings = preset
        .to_builder()
        // The failures of the preset must span 500 ms, because one reset connection ends many calls at once. Here they
        // span a few milliseconds.
        .trip(preset.trip().consecutive_over(Duration::ZERO))
        // The preset uses 30 s to 5 min, for real outages. The example must not take that long.
        .cooldown(Backoff::exponential(Duration::from_secs(1), Duration::from_secs(4)))
        .build()?;
    let at = if heads { SettleAt::Head } else { SettleAt::End };
    let llm = Llm::new(Provider::OpenAi).settle_at(at);
    Ok(Config::llm(Provider::OpenAi).settings(settings).classify(llm))
}

async fn play([healthy, heads]: [bool; 2]) -> Result<Claims, BoxError> {
    let mut run = Run::new(Server::start().await?, config(heads)?, healthy);
    for _ in 0..2 {
        run.call(Answer::Good, "success", State::Closed).await?;
    }
    for (n, (answer, counted)) in (1..=FAILURES).zip(BREAKS.into_iter().cycle()) {
        let state = if n < FAILURES { State::Closed } else { State::Open };
        run.call(answer, counted, state).await?;
    }
    for (answer, _) in BREAKS.into_iter().take(2) {
        run.call(answer, "rejected", State::Open).await?;
    }

    // The first token of a probe closes the circuit. Other calls pass while its stream goes on.
    cooldown(&run.account.handle).await;
    let probe = run.begin(Answer::HeldThenGood, "success", State::Closed).await?;
    run.call(Answer::Good, "success", State::Closed).await?;
    run.end(probe, "nothing more", State::Closed).await?;

    // A probe whose stream breaks after its first token has closed the circuit. The break is one failure.
    run.call(Answer::Limited, "throttled: rate_limit_exceeded (429)", State::Open).await?;
    cooldown(&run.account.handle).await;
    let probe = run.begin(Answer::HeldThenDies, "success", State::Closed).await?;
    run.end(probe, "broken_after: body broke", State::Closed).await?;
    let in_a_row = run.account.handle.snapshot().window.consecutive_failures;
    run.account.claim(in_a_row == 1, || format!("the streak is 1 failure: {in_a_row}"));
    run.call(Answer::Good, "success", State::Closed).await?;

    Ok(run.account.claims)
}
