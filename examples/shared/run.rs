//! The options, the claims and the exit code of an example.

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use tokio::time::timeout;
use tower::BoxError;

/// The time limit of a run. No run reaches it.
const TOO_LONG: Duration = Duration::from_secs(60);

/// Plays an example, and prints every claim that does not hold to stderr.
///
/// `play` receives, for each option, whether it is given. At most one may be given. The exit code is 0 if every claim
/// holds, 1 if one does not, and 2 if the arguments are wrong.
pub(crate) async fn run<const N: usize>(
    example: &str,
    options: [&str; N],
    play: impl AsyncFnOnce([bool; N]) -> Result<Claims, BoxError>,
) -> Result<ExitCode, BoxError> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let given = options.map(|option| arguments.iter().any(|argument| argument == option));
    if arguments.len() > usize::from(given.contains(&true)) {
        eprintln!("usage: {example} [{}]", options.join(" | "));
        return Ok(ExitCode::from(2));
    }
    let Claims(broken) = timeout(TOO_LONG, play(given)).await??;
    for claim in &broken {
        eprintln!("does not hold: {claim}");
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The claims that do not hold.
#[derive(Debug, Default)]
pub(crate) struct Claims(Vec<String>);

impl Claims {
    /// Records a claim if it does not hold.
    pub(crate) fn claim(&mut self, holds: bool, claim: impl FnOnce() -> String) {
        if !holds {
            self.0.push(claim());
        }
    }
}
