//! The numbers of a breaker.

use std::time::Duration;

use crate::backoff::Backoff;
use crate::probe::{Probe, Ramp};
use crate::trip::Trip;
use crate::window::Window;

/// The numbers of a breaker: plain data, checked once by [`Settings::builder`].
///
/// | setting | default, [`http`](Settings::http), [`grpc`](Settings::grpc) | [`llm`](Settings::llm) |
/// |---|---|---|
/// | trip | 5 consecutive (client presets: spanning 500 ms), or ≥ 50 % of ≥ 20 in 30 s | 5 consecutive spanning 500 ms, or ≥ 50 % of ≥ 10 in 60 s |
/// | open for | 5 s ×2 → 60 s, jitter ±20 % | 30 s ×2 → 5 min, jitter ±20 % |
/// | half-open | 1 probe, 1 success, lease 35 s | 1 probe, 1 success, lease 120 s |
/// | throttled | hold as told, cap 60 s; neutral if not told | hold as told, else 30 s, cap 5 min |
/// | exhausted | hold 10 min, cap 1 h | hold 10 min, cap 1 h |
/// | cancelled after | off; client presets 10 s | 60 s |
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub(crate) trip: Trip,
    pub(crate) window: Window,
    pub(crate) cooldown: Backoff,
    /// `None`: the last cooldown.
    pub(crate) stable_for: Option<Duration>,
    pub(crate) probe: Probe,
    pub(crate) ramp: Option<Ramp>,
    pub(crate) throttled: Throttled,
    pub(crate) exhausted: Exhausted,
    pub(crate) min_hold: Duration,
    pub(crate) hold_jitter: f64,
    pub(crate) cancelled_after: Option<Duration>,
    pub(crate) track_in_flight: bool,
    /// `None`: another one for each breaker.
    pub(crate) seed: Option<u64>,
}

/// What a *throttled* outcome does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttled {
    pub(crate) action: ThrottledAction,
    pub(crate) default_hold: Option<Duration>,
    pub(crate) max_hold: Duration,
}

/// The three things that a throttled outcome can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThrottledAction {
    /// Opens the circuit for as long as the server said.
    Hold,
    /// Is a failure.
    CountAsFailure,
    /// Is ignored everywhere, half-open included.
    Ignore,
}

impl Throttled {
    /// Opens the circuit for as long as the server said, at most 60 s; does nothing if it did not say, or less than
    /// [`min_hold`](crate::SettingsBuilder::min_hold). A probe that is throttled has failed in any case.
    pub const fn hold() -> Self {
        Self {
            action: ThrottledAction::Hold,
            default_hold: None,
            max_hold: Duration::from_secs(60),
        }
    }

    /// Is a failure, and its wait a failure's wait.
    pub const fn count_as_failure() -> Self {
        Self { action: ThrottledAction::CountAsFailure, ..Self::hold() }
    }

    /// Is ignored everywhere, half-open included.
    pub const fn ignore() -> Self {
        Self { action: ThrottledAction::Ignore, ..Self::hold() }
    }

    /// How long to hold when the server did not say. Default: not at all; 30 s in the LLM presets.
    pub const fn default_hold(mut self, hold: Duration) -> Self {
        self.default_hold = Some(hold);
        self
    }

    /// The longest wait that is obeyed, also of a failure's `Retry-After`. Default 60 s; 5 min in the LLM presets.
    pub const fn max_hold(mut self, max: Duration) -> Self {
        self.max_hold = max;
        self
    }
}

/// What an *exhausted* outcome does: it opens the circuit for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted {
    pub(crate) hold: Duration,
    pub(crate) max_hold: Duration,
}

impl Exhausted {
    /// Opens the circuit for as long as the server said, else for `hold`; at most 1 h.
    pub const fn hold(hold: Duration) -> Self {
        Self { hold, max_hold: Duration::from_secs(60 * 60) }
    }

    /// The longest wait that is obeyed. Default 1 h.
    pub const fn max_hold(mut self, max: Duration) -> Self {
        self.max_hold = max;
        self
    }
}
