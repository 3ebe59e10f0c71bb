//! Examples run as programs.

use std::env;
use std::process::{Command, Output};

/// An example that cargo built in the same profile as this test.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    pub(crate) example: &'static str,
    /// The command that builds the example.
    pub(crate) build: &'static str,
}

impl Program {
    pub(crate) fn run(self, arguments: &[&str]) -> Output {
        let test = env::current_exe().expect("the path of this test");
        let profile = test.parent().and_then(|deps| deps.parent()).expect("the build directory");
        let path = profile.join("examples").join(self.example);
        let path = path.with_extension(env::consts::EXE_EXTENSION);
        let run = Command::new(&path).args(arguments).output();
        run.unwrap_or_else(|error| panic!("{}: {error}: {}", path.display(), self.build))
    }

    /// Asserts that every claim holds, and returns the standard output.
    #[track_caller]
    pub(crate) fn holds(self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let table = stdout(&output);
        assert_eq!((output.status.code(), &*stderr(&output)), (Some(0), ""), "{table}");
        table
    }

    /// Asserts that a claim does not hold, and returns the standard output.
    #[track_caller]
    pub(crate) fn does_not_hold(self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (table, broken) = (stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(1), "{table}{broken}");
        assert!(broken.contains("does not hold"), "{table}{broken}");
        table
    }

    /// Asserts that the example prints its usage and nothing else.
    #[track_caller]
    pub(crate) fn refuses(self, arguments: &[&str]) {
        let output = self.run(arguments);
        let usage = stderr(&output);
        assert_eq!((output.status.code(), &*stdout(&output)), (Some(2), ""), "{arguments:?}");
        assert!(usage.contains("usage"), "{arguments:?}: {usage}");
    }
}

/// Asserts that a table contains these texts in this order.
#[track_caller]
pub(crate) fn assert_in_order(table: &str, texts: &[&str]) {
    let mut rest = table;
    for text in texts {
        let Some((_, behind)) = rest.split_once(text) else {
            panic!("{text}, in this order: {table}")
        };
        rest = behind;
    }
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
