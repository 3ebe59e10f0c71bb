//! The effect of a circuit breaker and a fallback in three outages of a real HTTP server. One client is
//! `Fallback → Retry → CircuitBreaker → Timeout → hyper`. The other is the same client without fallback and breaker.
//!
//! ```sh
//! cargo run --example outage                       # a table, a timeline and the claims; about 30 s
//! cargo run --example outage -- --json             # the same figures as JSON
//! cargo run --example outage -- --only retry_storm
//! cargo run --example outage -- --healthy          # no outage: exit code 1
//! cargo run --example outage -- --no-breaker       # the protected client is the naive one: exit code 1
//! ```
//!
//! The exit code is 1 if a claim does not hold. The claim is printed to stderr.

mod claims;
mod clock;
mod load;
mod report;
mod scenarios;
mod servers;
#[path = "../shared/mod.rs"]
mod shared;
mod stack;
mod timeline;

use std::env;
use std::process::ExitCode;

use tower::BoxError;

use crate::load::Options;
use crate::scenarios::NAMES;

const USAGE: &str = "usage: outage [--json] [--healthy] [--no-breaker] [--only SCENARIO]";

struct Arguments {
    json: bool,
    options: Options,
    only: Option<&'static str>,
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments { json: false, options: Options::default(), only: None };
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--json" => arguments.json = true,
            "--healthy" => arguments.options.healthy = true,
            "--no-breaker" => arguments.options.no_breaker = true,
            "--only" => {
                let name = given.next().ok_or("--only needs the name of a scenario")?;
                let known = NAMES.into_iter().find(|known| *known == name);
                let unknown = || format!("no scenario {name:?}: one of {}", NAMES.join(", "));
                arguments.only = Some(known.ok_or_else(unknown)?);
            }
            unknown => return Err(format!("unknown argument {unknown:?}")),
        }
    }
    Ok(arguments)
}

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    let arguments = match arguments(env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("{message}\n{USAGE}");
            return Ok(ExitCode::from(2));
        }
    };
    if !arguments.json {
        print!("{}", report::heading());
    }
    let mut reports = Vec::new();
    let mut broken = Vec::new();
    for name in NAMES.into_iter().filter(|name| arguments.only.is_none_or(|only| only == *name)) {
        if !arguments.json {
            println!("\n{name}\n{}", scenarios::story(name));
        }
        let report = scenarios::play(name, arguments.options).await?;
        let claims = claims::claims(&report);
        if !arguments.json {
            print!("{}", report::text(&report, &claims));
        }
        broken.extend(claims.into_iter().filter(|claim| !claim.holds()));
        reports.push(report);
    }
    if arguments.json {
        println!("{}", report::json(&reports)?);
    }
    for claim in &broken {
        eprintln!("does not hold: {}: {claim}", claim.scenario);
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
