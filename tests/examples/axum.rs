//! The claims of the example `axum` hold, and do not hold if the handler never fails.

use crate::support::program::{Program, assert_in_order};

const EXAMPLE: Program =
    Program { example: "axum", build: "cargo build --example axum --features axum" };

#[test]
fn the_circuit_opens_half_opens_and_closes_and_health_shows_it() {
    let table = EXAMPLE.holds(&[]);
    assert_in_order(
        &table,
        &[
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
        ],
    );
}

#[test]
fn with_a_handler_that_never_fails_the_claims_fail() {
    let table = EXAMPLE.does_not_hold(&["--healthy"]);
    assert!(!table.contains("→"), "{table}");
}

#[test]
fn an_unknown_argument_is_refused() {
    EXAMPLE.refuses(&["--helthy"]);
}
