//! The example `soak` finds nothing in two seconds, and refuses arguments that it does not know.

use std::process::Output;

use crate::support::program;

fn soak(arguments: &[&str]) -> Output {
    program::run("soak", "cargo build --example soak", arguments)
}

#[test]
fn two_seconds_of_everything_lose_no_call() {
    let output = soak(&["--seconds", "2", "--seed", "1"]);
    let (found, said) =
        (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    assert_eq!((output.status.code(), &*found), (Some(0), ""), "{said}");
    assert!(said.starts_with("soak: 2 s, --seed 1\n") && said.contains("calls/s"), "{said}");
}

#[test]
fn an_unknown_argument_is_refused() {
    for arguments in [&["--second"][..], &["--seconds"], &["--seconds", "two"], &["--seed", "-1"]] {
        let output = soak(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let found = String::from_utf8_lossy(&output.stderr);
        assert!(output.stdout.is_empty() && found.contains("usage"), "{arguments:?}: {found}");
    }
}
