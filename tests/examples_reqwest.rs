//! The examples `reqwest` and `reqwest_middleware` keep what they claim, and their claims can fail: where there is no
//! outage.

#[path = "shared/program.rs"]
mod program;

use std::process::Output;

fn run(example: &str, arguments: &[&str]) -> Output {
    let build = "cargo build --examples --features reqwest-middleware";
    program::run(example, build, arguments)
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const EXAMPLES: [&str; 2] = ["reqwest", "reqwest_middleware"];

#[test]
fn an_outage_is_seen_rejected_and_over() {
    for example in EXAMPLES {
        let output = run(example, &[]);
        let table = stdout(&output);
        assert_eq!(output.status.code(), Some(0), "{example}: {table}{}", stderr(&output));
        assert!(output.stderr.is_empty(), "{example}: {}", stderr(&output));
        for text in ["closed", "open", "rejected, retry in "] {
            assert!(table.contains(text), "{example}: {text}: {table}");
        }
    }
}

#[test]
fn without_an_outage_there_is_nothing_to_claim() {
    for example in EXAMPLES {
        let output = run(example, &["--healthy"]);
        assert_eq!(output.status.code(), Some(1), "{example}: {}", stdout(&output));
        assert!(stderr(&output).contains("does not hold"), "{example}: {}", stderr(&output));
        assert!(!stdout(&output).contains("rejected, "), "{example}: {}", stdout(&output));
    }
}

#[test]
fn an_unknown_argument_is_refused() {
    for example in EXAMPLES {
        let output = run(example, &["--helthy"]);
        assert_eq!(output.status.code(), Some(2), "{example}");
        assert!(stderr(&output).contains("usage"), "{example}: {}", stderr(&output));
    }
}
