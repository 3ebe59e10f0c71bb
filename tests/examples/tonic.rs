//! The claims of the example `tonic` hold, and do not hold if the server does not fail.

use crate::support::program::{Program, assert_in_order};

const EXAMPLE: Program =
    Program { example: "tonic", build: "cargo build --example tonic --features tonic" };

#[test]
fn unary_calls_and_streams_open_the_circuit_and_close_it_again() {
    let table = EXAMPLE.holds(&[]);
    assert_in_order(
        &table,
        &[
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
        ],
    );
}

#[test]
fn with_a_healthy_server_the_claims_fail() {
    let table = EXAMPLE.does_not_hold(&["--healthy"]);
    assert!(!table.contains("failure"), "{table}");
    assert!(!table.contains("→ open"), "{table}");
}

#[test]
fn an_unknown_argument_is_refused() {
    EXAMPLE.refuses(&["--helthy"]);
}
