//! The settings of a breaker, as plain data.

use std::time::Duration;

use crate::backoff::Backoff;
use crate::probe::{Probe, Ramp};
use crate::trip::Trip;
use crate::window::Window;

/// The settings of a breaker. Plain data, validated once by [`SettingsBuilder::build`](crate::SettingsBuilder::build).
///
/// | setting | default, [`http`](Settings::http), [`grpc`](Settings::grpc) | [`llm`](Settings::llm) |
/// |---|---|---|
/// | trip | 5 consecutive (client presets: spanning 500 ms), or ≥ 50 % of ≥ 20 in 30 s | 5 consecutive spanning 500 ms, or ≥ 50 % of ≥ 10 in 60 s |
/// | open for | 5 s ×2 → 60 s, jitter ±20 % | 30 s ×2 → 5 min, jitter ±20 % |
/// | half-open | 1 probe, 1 success, lease 35 s | 1 probe, 1 success, lease 120 s |
/// | throttled | hold for the server's wait, at most 60 s; neutral without one | hold for the server's wait, or 30 s without one, at most 5 min |
/// | exhausted | hold for the server's wait, or 10 min without one, at most 1 h | the same |
/// | cancelled after | off; client presets 10 s | 60 s |
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub(crate) trip: Trip,
    pub(crate) window: Window,
    pub(crate) cooldown: Backoff,
    /// `None` means the last cooldown.
    pub(crate) stable_for: Option<Duration>,
    pub(crate) probe: Probe,
    pub(crate) ramp: Option<Ramp>,
    pub(crate) throttled: Throttled,
    pub(crate) exhausted: Exhausted,
    pub(crate) min_hold: Duration,
    pub(crate) hold_jitter: f64,
    pub(crate) cancelled_after: Option<Duration>,
    pub(crate) track_in_flight: bool,
    /// `None` means a different seed for each breaker.
    pub(crate) seed: Option<u64>,
}

/// The effect of a *throttled* outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttled {
    pub(crate) action: ThrottledAction,
    pub(crate) default_hold: Option<Duration>,
    pub(crate) max_hold: Duration,
}

/// The effects that a throttled outcome can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub(crate) enum ThrottledAction {
    /// Opens the circuit for the server's wait.
    Hold,
    /// Counts as a failure.
    CountAsFailure,
    /// Has no effect in any state, including half-open.
    Ignore,
}

impl Throttled {
    /// Opens the circuit for the server's wait, at most 60 s. Has no effect if the server gave no wait, or one below
    /// [`min_hold`](crate::SettingsBuilder::min_hold). A throttled probe has failed in any case.
    pub const fn hold() -> Self {
        Self {
            action: ThrottledAction::Hold,
            default_hold: None,
            max_hold: Duration::from_secs(60),
        }
    }

    /// Counts the outcome as a failure, with the server's wait.
    pub const fn count_as_failure() -> Self {
        Self { action: ThrottledAction::CountAsFailure, ..Self::hold() }
    }

    /// Ignores the outcome in every state, including half-open.
    pub const fn ignore() -> Self {
        Self { action: ThrottledAction::Ignore, ..Self::hold() }
    }

    /// Sets the hold for a server that gave no wait. Default: none; 30 s in [`Settings::llm`].
    pub const fn default_hold(mut self, hold: Duration) -> Self {
        self.default_hold = Some(hold);
        self
    }

    /// Sets the longest wait that is obeyed, including the `Retry-After` of a failure. Default: 60 s; 5 min in
    /// [`Settings::llm`].
    pub const fn max_hold(mut self, max: Duration) -> Self {
        self.max_hold = max;
        self
    }
}

/// The effect of an *exhausted* outcome: it opens the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted {
    pub(crate) hold: Duration,
    pub(crate) max_hold: Duration,
}

impl Exhausted {
    /// Opens the circuit for the server's wait, or for `hold` if the server gave none; at most 1 h.
    pub const fn hold(hold: Duration) -> Self {
        Self { hold, max_hold: Duration::from_secs(60 * 60) }
    }

    /// Sets the longest wait that is obeyed. Default: 1 h.
    pub const fn max_hold(mut self, max: Duration) -> Self {
        self.max_hold = max;
        self
    }
}
