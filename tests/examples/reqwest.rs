//! The claims of the example `reqwest` hold, and do not hold without an outage.

use crate::support::program::Program;

const EXAMPLE: Program =
    Program { example: "reqwest", build: "cargo build --example reqwest --features reqwest" };

#[test]
fn an_outage_opens_the_circuit_and_ends() {
    let table = EXAMPLE.holds(&[]);
    for text in ["closed", "open", "rejected, retry in "] {
        assert!(table.contains(text), "{text}: {table}");
    }
}

#[test]
fn without_an_outage_the_claims_fail() {
    let table = EXAMPLE.does_not_hold(&["--healthy"]);
    assert!(!table.contains("rejected, "), "{table}");
}

#[test]
fn an_unknown_argument_is_refused() {
    EXAMPLE.refuses(&["--helthy"]);
}
