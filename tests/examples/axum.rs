//! The example `axum` keeps what it claims, and its claims can fail: where the handler never fails.

use std::process::Output;

use crate::support::program::{self, stderr, stdout};

fn example(arguments: &[&str]) -> Output {
    program::run("axum", "cargo build --example axum --features axum", arguments)
}

#[test]
fn the_circuit_opens_half_opens_and_closes_and_health_shows_it() {
    let output = example(&[]);
    let table = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{table}{}", stderr(&output));
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
    let mut rest = &*table;
    for text in [
        "200 3 orders",
        "200 orders is closed, 0 rejected",
        "502 ",
        "closed → open: consecutive_failures",
        ", of orders",
        "200 orders is open, 2 rejected",
        "200 orders is half_open, 2 rejected",
        "open → half_open: cooldown_elapsed",
        "half_open → open: probe_failed",
        "503, retry-after: ",
        "half_open → closed: recovered",
        "200 orders is closed, 3 rejected",
    ] {
        let at = rest.find(text).unwrap_or_else(|| panic!("{text}: {table}"));
        rest = &rest[at + text.len()..];
    }
}

#[test]
fn where_the_handler_never_fails_there_is_nothing_to_claim() {
    let output = example(&["--healthy"]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(stderr(&output).contains("does not hold"), "{}", stderr(&output));
    assert!(!stdout(&output).contains("→"), "{}", stdout(&output));
}

#[test]
fn an_unknown_argument_is_refused() {
    let output = example(&["--helthy"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty() && stderr(&output).contains("usage"), "{}", stderr(&output));
}
