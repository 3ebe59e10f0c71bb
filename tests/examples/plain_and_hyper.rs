//! The claims of the examples `plain` and `hyper` hold, and do not hold if the server does not fail.

use crate::support::program::{Program, assert_in_order};

const EXAMPLES: [Program; 2] = [
    Program { example: "plain", build: "cargo build --example plain" },
    Program { example: "hyper", build: "cargo build --example hyper" },
];

#[test]
fn the_circuit_opens_rejects_probes_and_closes() {
    for example in EXAMPLES {
        let table = example.holds(&[]);
        assert_in_order(
            &table,
            &[
                "closed → open: consecutive_failures",
                "rejected, retry in ",
                "open → half_open: cooldown_elapsed",
                "half_open → closed: recovered",
            ],
        );
    }
}

#[test]
fn with_a_healthy_server_the_claims_fail() {
    for example in EXAMPLES {
        let table = example.does_not_hold(&["--healthy"]);
        assert!(!table.contains('→'), "{table}");
    }
}

#[test]
fn an_unknown_argument_is_refused() {
    for example in EXAMPLES {
        example.refuses(&["--helthy"]);
    }
}
