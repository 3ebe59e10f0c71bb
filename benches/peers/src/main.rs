//! `cargo run --release --locked --manifest-path benches/peers/Cargo.toml -- [--json] [--quick] [--filter TEXT]`
//! measures all crates.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use tower_breaker_peers::options::Options;
use tower_breaker_peers::row::{json, markdown};
use tower_breaker_peers::run;

fn main() -> ExitCode {
    let options = match Options::read(
        std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()),
    ) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let (rows, errors) = run::all(&options);
    println!("{}", if options.json { json(&rows) } else { markdown(&rows) });
    if errors.is_empty() {
        return ExitCode::SUCCESS;
    }
    errors.iter().for_each(|error| eprintln!("not as its name says: {error}"));
    ExitCode::FAILURE
}
