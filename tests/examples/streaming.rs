//! The example `streaming` keeps what it claims, and its claims can fail: at a server that is well, and where only heads
//! are judged.

use std::process::Output;

use crate::support::program::{self, stderr, stdout};

fn streaming(arguments: &[&str]) -> Output {
    program::run("streaming", "cargo build --example streaming --features llm", arguments)
}

/// The table's rows of calls with this answer of the server.
fn rows<'a>(table: &'a str, answer: &str) -> Vec<&'a str> {
    table.lines().filter(|line| line.contains(answer)).collect()
}

#[test]
fn every_break_is_counted_with_its_reason_and_logged_as_a_success_without_it() {
    let output = streaming(&[]);
    let table = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{table}{}", stderr(&output));
    assert!(output.stderr.is_empty(), "{}", stderr(&output));

    for (answer, reason) in [
        ("an error event", "failure: server_is_overloaded"),
        ("dies in an event", "failure: body broke"),
        ("no [DONE]", "failure: stream ended early"),
        ("comments, then an error", "failure: server_error"),
    ] {
        let rows = rows(&table, answer);
        assert!(!rows.is_empty(), "{answer}: {table}");
        assert!(rows.iter().any(|row| row.contains(reason)), "{answer}: {table}");
        assert!(rows.iter().all(|row| row.contains("200 success")), "{answer}: {table}");
    }
    for text in [
        "broken_after: body broke",
        "rejected, retry in ",
        "closed → open: consecutive_failures",
        "open → half_open: cooldown_elapsed",
        "half_open → closed: recovered",
        "closed → open: throttled, rate_limit_exceeded (429)",
    ] {
        assert!(table.contains(text), "{text}: {table}");
    }
}

#[test]
fn at_a_server_that_is_well_there_is_nothing_to_claim() {
    let output = streaming(&["--healthy"]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(stderr(&output).contains("does not hold"), "{}", stderr(&output));
    assert!(!stdout(&output).contains("failure"), "{}", stdout(&output));
    assert!(!stdout(&output).contains("→"), "{}", stdout(&output));
}

#[test]
fn a_breaker_that_only_sees_heads_sees_no_break() {
    let output = streaming(&["--heads"]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(stderr(&output).contains("does not hold"), "{}", stderr(&output));
    assert!(!stdout(&output).contains("consecutive_failures"), "{}", stdout(&output));
    // A limit is in the head.
    assert!(stdout(&output).contains("closed → open: throttled"), "{}", stdout(&output));
}

#[test]
fn an_unknown_argument_is_refused() {
    let output = streaming(&["--helthy"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty() && stderr(&output).contains("usage"), "{}", stderr(&output));
}
