//! The example `tonic` keeps what it claims, and its claims can fail: at a server that is well.

use std::process::Output;

use crate::support::program::{self, stderr, stdout};

fn tonic(arguments: &[&str]) -> Output {
    program::run("tonic", "cargo build --example tonic --features tonic", arguments)
}

#[test]
fn unary_calls_and_streams_open_the_circuit_and_close_it_again() {
    let output = tonic(&[]);
    let table = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{table}{}", stderr(&output));
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
    let mut rest = table.as_str();
    for text in [
        "2 replies, OK",
        "1 reply, OK",
        "Unavailable: no database",
        "2 replies, Unavailable: no database",
        "Cancelled: Timeout expired",
        "closed → open: consecutive_failures",
        "rejected by orders, retry in ",
        "open → half_open: cooldown_elapsed",
        "half_open → open: ",
        "open → half_open: cooldown_elapsed",
        "half_open → closed: recovered",
        "rejected by database, retry in ",
    ] {
        let at = rest.find(text).unwrap_or_else(|| panic!("{text}, in this order: {table}"));
        rest = &rest[at + text.len()..];
    }
}

#[test]
fn at_a_server_that_is_well_there_is_nothing_to_claim() {
    let output = tonic(&["--healthy"]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(stderr(&output).contains("does not hold"), "{}", stderr(&output));
    assert!(!stdout(&output).contains("failure"), "{}", stdout(&output));
    assert!(!stdout(&output).contains("→ open"), "{}", stdout(&output));
}

#[test]
fn an_unknown_argument_is_refused() {
    let output = tonic(&["--helthy"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty() && stderr(&output).contains("usage"), "{}", stderr(&output));
}
