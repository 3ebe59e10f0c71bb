//! The claims of the example `soak` hold in two seconds.

use crate::support::program::Program;

const EXAMPLE: Program = Program { example: "soak", build: "cargo build --example soak" };

#[test]
fn two_seconds_of_everything_lose_no_call() {
    let table = EXAMPLE.holds(&["--seconds", "2", "--seed", "1"]);
    assert!(table.starts_with("soak: 2 s, --seed 1\n") && table.contains("calls/s"), "{table}");
}

#[test]
fn an_unknown_argument_is_refused() {
    for arguments in [&["--second"][..], &["--seconds"], &["--seconds", "two"], &["--seed", "-1"]] {
        EXAMPLE.refuses(arguments);
    }
}
