//! What the compiler says to the likely mistakes: each fails to compile, with the message that stands beside it.
//!
//! `TRYBUILD=overwrite cargo test --all-features --test messages` writes the messages anew. The first run builds every
//! dependency once more.

use std::env;
use std::process::Command;

/// Another compiler says it in other words.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn likely_mistakes_are_explained() {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("a compiler");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    if !version.starts_with(COMPILER) {
        println!("skipped: the messages are those of {COMPILER}*, not of {}", version.trim());
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
