//! The example `reqwest` keeps its claims, and its claims fail if there is no outage.

use std::process::Output;

use crate::support::program::{self, stderr, stdout};

fn example(arguments: &[&str]) -> Output {
    program::run("reqwest", "cargo build --example reqwest --features reqwest", arguments)
}

#[test]
fn an_outage_is_seen_rejected_and_over() {
    let output = example(&[]);
    let table = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{table}{}", stderr(&output));
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
    for text in ["closed", "open", "rejected, retry in "] {
        assert!(table.contains(text), "{text}: {table}");
    }
}

#[test]
fn without_an_outage_there_is_nothing_to_claim() {
    let output = example(&["--healthy"]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(stderr(&output).contains("does not hold"), "{}", stderr(&output));
    assert!(!stdout(&output).contains("rejected, "), "{}", stdout(&output));
}

#[test]
fn an_unknown_argument_is_refused() {
    let output = example(&["--helthy"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("usage"), "{}", stderr(&output));
}
