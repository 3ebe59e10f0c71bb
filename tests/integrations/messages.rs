//! The compiler messages for likely mistakes. Each program in `ui` must fail to compile with the message beside it.
//!
//! `TRYBUILD=overwrite cargo test --manifest-path tests/integrations/Cargo.toml messages` updates the messages. The first
//! run builds every dependency once more.

use std::env;
use std::process::Command;

/// The compiler of the recorded messages, which differ between compilers.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn likely_mistakes_are_explained() {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("a compiler");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    if !version.starts_with(COMPILER) {
        println!("skipped: the messages are those of {COMPILER}*, and this is {}", version.trim());
        return;
    }
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
