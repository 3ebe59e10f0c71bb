//! The scenario's clock: everything that takes time is this much shorter in the run, and every measured time is
//! multiplied back.

use std::time::Duration;

/// Seconds of the scenario in one second of the run.
///
/// 30 plays five minutes in ten seconds and still leaves the shortest time that matters, the 5 s of the overdue
/// rule, at 167 ms: far above what a busy machine adds to a timer.
pub(crate) const RATIO: u32 = 30;

/// How long something of the scenario takes in the run.
pub(crate) fn real(scenario: Duration) -> Duration {
    scenario / RATIO
}

/// How long something measured in the run takes in the scenario.
pub(crate) fn scenario(real: Duration) -> Duration {
    real * RATIO
}

/// Minutes and seconds of the scenario: `1:07.4`.
pub(crate) fn label(scenario: Duration) -> String {
    let tenths = (scenario.as_millis() + 50) / 100;
    format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}
