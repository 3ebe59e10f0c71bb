//! async-openai behind a breaker and a second provider, by its own tower hook. Two servers in the form of OpenAI's run on
//! loopback; the primary is overloaded, breaks in a stream, recovers, and runs out of quota.
//!
//! ```sh
//! cargo run --manifest-path tests/integrations/Cargo.toml --example async_openai               # a table of all calls; about 4 s
//! cargo run --manifest-path tests/integrations/Cargo.toml --example async_openai -- --healthy  # the primary is well: exit 1
//! ```
//!
//! What a stack needs beside the layers is in `recipe.rs`. It exits with 1 when something is not as it claims, and names it
//! on stderr.

mod recipe;
mod run;
mod server;

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::middleware::retry::OpenAIRetryLayer;
use async_openai::middleware::{HttpRequestFactory, ReqwestService};
use reqwest::Url;
use reqwest::header::HeaderValue;
use tokio::time::timeout;
use tower::{BoxError, ServiceBuilder};
use tower_breaker::llm::Llm;
use tower_breaker::{
    Backoff, BreakerHandle, CircuitBreakerLayer, Config, FallbackLayer, Provider, Settings, State,
};

use crate::recipe::{Target, good, openai_error, outcome};
use crate::run::{Run, Wants};
use crate::server::{Answer, DIES, ERROR_EVENT, HELD, NO_DONE, OVERLOADED, QUOTA, Server};

const USAGE: &str = "usage: async_openai [--healthy]";

/// Longer than any run.
const TOO_LONG: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let healthy = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--healthy"] => true,
        _ => {
            eprintln!("{USAGE}");
            return Ok(ExitCode::from(2));
        }
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (primary, second) = (Server::start("primary").await?, Server::start("second").await?);
    let (client, handle) = guarded(&primary, &second)?;
    let run = Run::new(primary, second, client, handle, healthy);
    let broken = timeout(TOO_LONG, play(run)).await??;
    for claim in &broken {
        eprintln!("does not hold: {claim}");
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The stack, from the outside in: fallback, async-openai's retries, breaker, timeout, reqwest.
fn guarded(
    primary: &Server,
    second: &Server,
) -> Result<(Client<OpenAIConfig>, BreakerHandle), BoxError> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let breaker = CircuitBreakerLayer::new(config("primary")?.classify_caused_by(outcome));
    let handle = breaker.handle();

    let from = Url::parse(&primary.base())?;
    let to = Target {
        base: Url::parse(&second.base())?,
        authorization: HeaderValue::from_static("Bearer second-key"),
        model: "second-model".to_owned(),
    };
    let backup = ServiceBuilder::new()
        .map_result(good)
        .map_request(move |request: HttpRequestFactory| to.clone().redirect(from.clone(), request))
        .layer(CircuitBreakerLayer::new(config("second")?))
        .service(ReqwestService::new(http.clone()));

    let stack = ServiceBuilder::new()
        .layer(FallbackLayer::service(backup))
        .layer(OpenAIRetryLayer::new(2)) // stops at a rejection
        .map_err(openai_error)
        .layer(breaker) // sees every attempt
        .timeout(Duration::from_secs(60))
        .service(ReqwestService::new(http));

    let config = OpenAIConfig::new().with_api_base(primary.base()).with_api_key("primary-key");
    Ok((Client::with_config(config).with_http_service(stack), handle))
}

fn config(name: &'static str) -> Result<Config<Llm>, BoxError> {
    let preset = Settings::llm();
    let settings = preset
        .to_builder()
        // In the preset they must span 500 ms, as one reset connection ends many calls at once. Here they follow one
        // another within a few. Its second rule is left out, that one may be followed.
        .trip(preset.trip().consecutive_over(Duration::ZERO).no_failure_rate())
        // 30 s to 5 min in the preset, for a real outage; here somebody waits for the end of the example.
        .cooldown(Backoff::exponential(Duration::from_secs(1), Duration::from_secs(4)))
        .build()?;
    Ok(Config::llm(Provider::OpenAi).name(name).settings(settings))
}

/// What happens, and what is claimed of it. Returns what did not hold.
async fn play(mut run: Run) -> Result<Vec<String>, BoxError> {
    use State::{Closed, Open};
    use Wants::{Stream, Whole};

    run.call("answers well", Answer::Good, Whole, "primary", 1, "success 1", Closed).await?;
    run.call("streams well", Answer::Good, Stream, "Hello", 1, "success 1", Closed).await?;

    // What breaks behind a good head is for the caller: no layer can take back what was read. The breaker counts it.
    for (says, broken, gets) in [
        ("a token, an error event", ERROR_EVENT, "Hel, an error"),
        ("a token, dies", DIES, "Hel, an error"),
        ("a token, no [DONE]", NO_DONE, "Hel"),
    ] {
        run.call(says, broken, Stream, gets, 1, "failure 1", Closed).await?;
    }
    run.call("answers well", Answer::Good, Whole, "primary", 1, "success 1", Closed).await?;

    // Every attempt of the retry layer is a failure of its own; the fifth in a row opens the circuit, and the sixth is
    // rejected and ends the retries.
    let (busy, down) = ("503", OVERLOADED);
    run.call(busy, down, Whole, "second", 3, "failure 3", Closed).await?;
    run.call(busy, down, Whole, "second", 2, "failure 2, rejected 1", Open).await?;
    run.call(busy, down, Whole, "second", 0, "rejected 1", Open).await?;
    run.call(busy, down, Stream, "Hello", 0, "rejected 1", Open).await?;

    // A probe that fails, and one that closes the circuit at its first token.
    run.cooldown().await;
    run.call(busy, down, Whole, "second", 1, "failure 1, rejected 1", Open).await?;
    run.cooldown().await;
    let probe = run.begin("a token, goes on later", HELD, "Hel", "success 1", Closed).await?;
    run.call("answers well", Answer::Good, Whole, "primary", 1, "success 1", Closed).await?;
    run.end("  … and ends well", probe, "lo", Closed).await?;

    // A used-up quota opens it at once, and for long.
    run.call("429, no quota", QUOTA, Whole, "second", 1, "exhausted 1", Open).await?;
    run.call("429, no quota", QUOTA, Whole, "second", 0, "rejected 1", Open).await?;
    let left = run.left();
    run.claim(left > Duration::from_secs(500), || format!("it stays open for 10 min: {left:?}"));

    Ok(run.broken())
}
