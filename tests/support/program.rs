//! Examples run as programs.

use std::env;
use std::process::{Command, Output};

/// Runs an example that cargo built in the same profile as this test.
///
/// # Panics
///
/// Panics if the example cannot be started. The message names `build`, the command that builds it.
pub(crate) fn run(example: &str, build: &str, arguments: &[&str]) -> Output {
    let test = env::current_exe().expect("the path of this test");
    let profile = test.parent().and_then(|deps| deps.parent()).expect("the profile's directory");
    let path = profile.join("examples").join(example).with_extension(env::consts::EXE_EXTENSION);
    let run = Command::new(&path).args(arguments).output();
    run.unwrap_or_else(|error| panic!("{}: {error}: {build}", path.display()))
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
