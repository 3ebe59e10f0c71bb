//! The clock of a scenario. Durations of the scenario are divided by [`RATIO`] in the run, and measured durations are
//! multiplied by it.

use std::time::Duration;

/// Seconds of the scenario in one second of the run.
///
/// A ratio of 30 plays five minutes in ten seconds. The shortest relevant time, the 5 s of the overdue rule, takes 167 ms
/// in the run, far more than a busy machine adds to a timer.
pub(crate) const RATIO: u32 = 30;

/// Converts a duration of the scenario to a duration of the run.
pub(crate) fn real(scenario: Duration) -> Duration {
    scenario / RATIO
}

/// Converts a duration of the run to a duration of the scenario.
pub(crate) fn scenario(real: Duration) -> Duration {
    real * RATIO
}

/// Minutes and seconds of the scenario: `1:07.4`.
pub(crate) fn label(scenario: Duration) -> String {
    let tenths = (scenario.as_millis() + 50) / 100;
    format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}
