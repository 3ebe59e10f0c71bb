//! The claims of the example `async_openai` hold, and do not hold if the primary does not fail.

use crate::support::program::{Program, assert_in_order};

const EXAMPLE: Program =
    Program { example: "async_openai", build: "cargo build --example async_openai" };

#[test]
fn the_circuit_opens_half_opens_and_closes_behind_async_openai() {
    let table = EXAMPLE.holds(&[]);
    assert_in_order(
        &table,
        &[
            "failure 2, rejected 1",
            "closed → open: consecutive_failures, server_error (503)",
            "open → half_open: cooldown_elapsed",
            "half_open → open: probe_failed",
            "half_open → closed: recovered",
            "closed → open: exhausted, insufficient_quota (429), for ",
        ],
    );
}

#[test]
fn with_a_healthy_primary_the_claims_fail() {
    let table = EXAMPLE.does_not_hold(&["--healthy"]);
    assert!(!table.contains("failure"), "{table}");
    assert!(!table.contains("→"), "{table}");
}

#[test]
fn an_unknown_argument_is_refused() {
    EXAMPLE.refuses(&["--helthy"]);
}
