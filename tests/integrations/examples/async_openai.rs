//! The example `async_openai` keeps what it claims, and its claims can fail: at a primary that is well.

use std::process::Output;

use crate::support::program::{self, stderr, stdout};

fn example(arguments: &[&str]) -> Output {
    program::run("async_openai", "cargo build --example async_openai", arguments)
}

#[test]
fn the_circuit_opens_half_opens_and_closes_behind_async_openai() {
    let output = example(&[]);
    let table = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{table}{}", stderr(&output));
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
    let mut rest = &table[..];
    for text in [
        "failure 2, rejected 1",
        "closed → open: consecutive_failures, server_error (503)",
        "open → half_open: cooldown_elapsed",
        "half_open → open: probe_failed",
        "half_open → closed: recovered",
        "closed → open: exhausted, insufficient_quota (429), for ",
    ] {
        let (_, behind) = rest.split_once(text).unwrap_or_else(|| panic!("{text}: {table}"));
        rest = behind;
    }
}

#[test]
fn at_a_primary_that_is_well_there_is_nothing_to_claim() {
    let output = example(&["--healthy"]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(stderr(&output).contains("does not hold"), "{}", stderr(&output));
    assert!(!stdout(&output).contains("failure"), "{}", stdout(&output));
    assert!(!stdout(&output).contains("→"), "{}", stdout(&output));
}

#[test]
fn an_unknown_argument_is_refused() {
    let output = example(&["--helthy"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty() && stderr(&output).contains("usage"), "{}", stderr(&output));
}
