//! Runs an example as a program.

use std::env;
use std::process::{Command, Output};

/// Runs an example that was built beside this test. `cargo test --test …` alone does not build it: `build` does.
pub(crate) fn run(example: &str, build: &str, arguments: &[&str]) -> Output {
    let test = env::current_exe().expect("the path of this test");
    let profile = test.parent().and_then(|deps| deps.parent()).expect("the profile's directory");
    let path = profile.join("examples").join(example).with_extension(env::consts::EXE_EXTENSION);
    let run = Command::new(&path).args(arguments).output();
    run.unwrap_or_else(|error| panic!("{}: {error}: {build}", path.display()))
}
