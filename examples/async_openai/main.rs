//! async-openai with a breaker and a second provider, through its own tower hook. Two servers with OpenAI's API run on
//! loopback. The primary is overloaded, breaks in a stream, recovers, and runs out of quota.
//!
//! ```sh
//! cargo run --manifest-path tests/integrations/Cargo.toml --example async_openai               # about 4 s
//! cargo run --manifest-path tests/integrations/Cargo.toml --example async_openai -- --healthy  # no outage: exit code 1
//! ```
//!
//! `recipe.rs` contains the functions that a stack needs beside the layers. The exit code is 1 if a claim does not hold.
//! The claim is printed to stderr.

mod calls;
mod recipe;
mod server;
#[path = "../shared/mod.rs"]
mod shared;

use std::process::ExitCode;
use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::middleware::retry::OpenAIRetryLayer;
use async_openai::middleware::{HttpRequestFactory, ReqwestService};
use reqwest::Url;
use reqwest::header::HeaderValue;
use tower::{BoxError, ServiceBuilder};
use tower_breaker::llm::Llm;
use tower_breaker::{
    Backoff, BreakerHandle, CircuitBreakerLayer, Config, FallbackLayer, Provider, Settings, State,
};

use crate::calls::{Run, Wants};
use crate::recipe::{Target, good, openai_error, outcome};
use crate::server::{Answer, DIES, ERROR_EVENT, HELD, NO_DONE, OVERLOADED, QUOTA, Server};
use crate::shared::run::{Claims, run};
use crate::shared::table::cooldown;

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    run("async_openai", ["--healthy"], play).await
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
        // The failures of the preset must span 500 ms, because one reset connection ends many calls at once. Here they
        // span a few milliseconds. The rule on the failure rate is left out: one rule is easier to follow.
        .trip(preset.trip().consecutive_over(Duration::ZERO).no_failure_rate())
        // The preset uses 30 s to 5 min, for real outages. The example must not take that long.
        .cooldown(Backoff::exponential(Duration::from_secs(1), Duration::from_secs(4)))
        .build()?;
    Ok(Config::llm(Provider::OpenAi).name(name).settings(settings))
}

async fn play([healthy]: [bool; 1]) -> Result<Claims, BoxError> {
    use State::{Closed, Open};
    use Wants::{Stream, Whole};

    // An error means that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (primary, second) = (Server::start("primary").await?, Server::start("second").await?);
    let (client, handle) = guarded(&primary, &second)?;
    let mut run = Run::new(primary, second, client, &handle, healthy);

    run.call("answers well", Answer::Good, Whole, "primary", 1, "success 1", Closed).await?;
    run.call("streams well", Answer::Good, Stream, "Hello", 1, "success 1", Closed).await?;

    // A stream that breaks after a good head reaches the caller, because no layer can take back data that was read. The
    // breaker counts it.
    for (says, broken, gets) in [
        ("a token, an error event", ERROR_EVENT, "Hel, an error"),
        ("a token, dies", DIES, "Hel, an error"),
        ("a token, no [DONE]", NO_DONE, "Hel"),
    ] {
        run.call(says, broken, Stream, gets, 1, "failure 1", Closed).await?;
    }
    run.call("answers well", Answer::Good, Whole, "primary", 1, "success 1", Closed).await?;

    // Every attempt of the retry layer counts as one failure. The fifth consecutive failure opens the circuit. The
    // sixth attempt is rejected, which ends the retries.
    let (busy, down) = ("503", OVERLOADED);
    run.call(busy, down, Whole, "second", 3, "failure 3", Closed).await?;
    run.call(busy, down, Whole, "second", 2, "failure 2, rejected 1", Open).await?;
    run.call(busy, down, Whole, "second", 0, "rejected 1", Open).await?;
    run.call(busy, down, Stream, "Hello", 0, "rejected 1", Open).await?;

    // One probe fails. The first token of the next closes the circuit.
    cooldown(&handle).await;
    run.call(busy, down, Whole, "second", 1, "failure 1, rejected 1", Open).await?;
    cooldown(&handle).await;
    let probe = run.begin("a token, goes on later", HELD, "Hel", "success 1", Closed).await?;
    run.call("answers well", Answer::Good, Whole, "primary", 1, "success 1", Closed).await?;
    run.end("  … and ends well", probe, "lo", Closed).await?;

    // An exhausted quota opens the circuit at once, for 10 min.
    run.call("429, no quota", QUOTA, Whole, "second", 1, "exhausted 1", Open).await?;
    run.call("429, no quota", QUOTA, Whole, "second", 0, "rejected 1", Open).await?;
    let left = run.left();
    run.account.claim(left > Duration::from_secs(500), || {
        format!("the circuit stays open for 10 min: {left:?}")
    });

    Ok(run.account.claims)
}
