//! The examples `plain` and `hyper` keep what they claim, and their claims can fail: at a server that is well.

use std::process::Output;

use crate::support::program;

const EXAMPLES: [&str; 2] = ["plain", "hyper"];

fn run(example: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let build = format!("cargo build --example {example}");
    let Output { status, stdout, stderr } = program::run(example, &build, arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn the_circuit_opens_rejects_probes_and_closes() {
    for example in EXAMPLES {
        let (code, table, stderr) = run(example, &[]);
        assert_eq!((code, &*stderr), (Some(0), ""), "{table}");
        let mut rest = &*table;
        for text in [
            "closed → open: consecutive_failures",
            "rejected, retry in ",
            "open → half_open: cooldown_elapsed",
            "half_open → closed: recovered",
        ] {
            let Some(at) = rest.find(text) else { panic!("{example}, {text}: {table}") };
            rest = &rest[at..];
        }
    }
}

#[test]
fn at_a_server_that_is_well_there_is_nothing_to_claim() {
    for example in EXAMPLES {
        let (code, table, stderr) = run(example, &["--healthy"]);
        assert_eq!(code, Some(1), "{table}");
        assert!(stderr.contains("does not hold") && !table.contains('→'), "{table}{stderr}");
    }
}

#[test]
fn an_unknown_argument_is_refused() {
    for example in EXAMPLES {
        let (code, table, stderr) = run(example, &["--helthy"]);
        assert_eq!((code, &*table), (Some(2), ""));
        assert!(stderr.contains("usage"), "{stderr}");
    }
}
