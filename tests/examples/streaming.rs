//! The claims of the example `streaming` hold, and do not hold if the server does not fail or the breaker observes only
//! heads.

use crate::support::program::Program;

const EXAMPLE: Program =
    Program { example: "streaming", build: "cargo build --example streaming --features llm" };

/// Returns the rows of a table for this response of the server.
fn rows<'a>(table: &'a str, answer: &str) -> Vec<&'a str> {
    table.lines().filter(|line| line.contains(answer)).collect()
}

#[test]
fn every_break_is_counted_with_its_reason_and_logged_as_a_success_without_it() {
    let table = EXAMPLE.holds(&[]);
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
fn with_a_healthy_server_the_claims_fail() {
    let table = EXAMPLE.does_not_hold(&["--healthy"]);
    assert!(!table.contains("failure"), "{table}");
    assert!(!table.contains("→"), "{table}");
}

#[test]
fn a_breaker_that_only_sees_heads_sees_no_break() {
    let table = EXAMPLE.does_not_hold(&["--heads"]);
    assert!(!table.contains("consecutive_failures"), "{table}");
    // A limit is in the head.
    assert!(table.contains("closed → open: throttled"), "{table}");
}

#[test]
fn an_unknown_argument_is_refused() {
    EXAMPLE.refuses(&["--helthy"]);
}
