//! `cargo run --release --locked --manifest-path benches/peers/Cargo.toml -- [--json] [--quick] [--filter TEXT]`
//! measures everybody.
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
    let (rows, wrong) = run::all(&options);
    println!("{}", if options.json { json(&rows) } else { markdown(&rows) });
    if wrong.is_empty() {
        return ExitCode::SUCCESS;
    }
    wrong.iter().for_each(|wrong| eprintln!("not what it says: {wrong}"));
    ExitCode::FAILURE
}
