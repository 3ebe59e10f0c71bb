//! Streams that break behind a good head. A server in the form of OpenAI's answers with 200 and breaks in the stream, in
//! four ways; one client judges calls by their status, the other has a breaker that reads the streams in passing.
//!
//! ```sh
//! cargo run --example streaming --features llm               # a table of all calls; about 2 s
//! cargo run --example streaming --features llm -- --healthy  # the server is well: exit 1
//! cargo run --example streaming --features llm -- --heads    # the breaker is told not to read bodies: exit 1
//! ```
//!
//! It exits with 1 when something is not as it claims, and names it on stderr.

mod calls;
mod server;

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use tokio::time::timeout;
use tower::BoxError;
use tower_breaker::{Backoff, Config, Provider, Settings, State};
use tower_breaker::{classify::SettleAt, llm::Llm};

use crate::calls::Run;
use crate::server::{Answer, Server};

const USAGE: &str = "usage: streaming [--healthy | --heads]";

/// The ways to break, with what is to be counted.
const BREAKS: [(Answer, &str); 4] = [
    (Answer::ErrorEvent, "failure: server_is_overloaded"),
    (Answer::DiesInEvent, "failure: body broke"),
    (Answer::NoDone, "failure: stream ended early"),
    (Answer::OnlyComments, "failure: server_error"),
];

/// So many failures in a row open the circuit, as in the preset.
const FAILURES: usize = 5;

/// Longer than any run.
const TOO_LONG: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (healthy, heads) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => (false, false),
        ["--healthy"] => (true, false),
        ["--heads"] => (false, true),
        _ => {
            eprintln!("{USAGE}");
            return Ok(ExitCode::from(2));
        }
    };
    let run = Run::new(Server::start().await?, config(heads)?, healthy);
    let broken = timeout(TOO_LONG, play(run)).await??;
    for claim in &broken {
        eprintln!("does not hold: {claim}");
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn config(heads: bool) -> Result<Config<Llm>, BoxError> {
    let preset = Settings::llm();
    let settings = preset
        .to_builder()
        // In the preset they must span 500 ms, as one reset connection ends many calls at once. Here they follow one
        // another within a few.
        .trip(preset.trip().consecutive_over(Duration::ZERO))
        // 30 s to 5 min in the preset, for a real outage; here somebody waits for the end of the example.
        .cooldown(Backoff::exponential(Duration::from_secs(1), Duration::from_secs(4)))
        .build()?;
    let at = if heads { SettleAt::Head } else { SettleAt::End };
    let llm = Llm::new(Provider::OpenAi).settle_at(at);
    Ok(Config::llm(Provider::OpenAi).settings(settings).classify(llm))
}

/// What happens, and what is claimed of it. Returns what did not hold.
async fn play(mut run: Run) -> Result<Vec<String>, BoxError> {
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

    // A probe closes the circuit at its first token, and others pass while its stream goes on.
    run.cooldown().await;
    let probe = run.begin(Answer::HeldThenGood, "success", State::Closed).await?;
    run.call(Answer::Good, "success", State::Closed).await?;
    run.end(probe, "nothing more", State::Closed).await?;

    // A probe whose stream breaks behind its first token has closed the circuit all the same. That is one failure.
    run.call(Answer::Limited, "throttled: rate_limit_exceeded (429)", State::Open).await?;
    run.cooldown().await;
    let probe = run.begin(Answer::HeldThenDies, "success", State::Closed).await?;
    run.end(probe, "broken_after: body broke", State::Closed).await?;
    let in_a_row = run.handle().snapshot().window.consecutive_failures;
    run.claim(in_a_row == 1, || format!("that is 1 failure in a row: {in_a_row}"));
    run.call(Answer::Good, "success", State::Closed).await?;

    Ok(run.broken())
}
