//! The numbers of the presets.

use std::time::Duration;

use crate::backoff::Backoff;
use crate::probe::Probe;
use crate::settings::{Exhausted, Settings, Throttled};
use crate::trip::Trip;
use crate::window::Window;

/// The minimum time from the first to the last failure of a streak, for clients: one HTTP/2 reset ends a hundred
/// streams within a millisecond.
const CLIENT_OVER: Duration = Duration::from_millis(500);

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Trips after 5 consecutive failures, or at a failure rate of at least 50 % of at least 20 calls in 30 s. The full
/// table is at [`Settings`].
impl Default for Settings {
    fn default() -> Self {
        Self {
            trip: Trip::none().consecutive(5).failure_rate(0.5, 20),
            window: Window::time(secs(30)),
            cooldown: Backoff::exponential(secs(5), secs(60)),
            stable_for: None,
            probe: Probe::successes(1),
            ramp: None,
            throttled: Throttled::hold(),
            exhausted: Exhausted::hold(secs(10 * 60)),
            min_hold: secs(1),
            hold_jitter: 0.1,
            cancelled_after: None,
            track_in_flight: false,
            seed: None,
        }
    }
}

impl Settings {
    /// Returns the settings for HTTP servers, which are the default.
    pub fn http() -> Self {
        Self::default()
    }

    /// Returns the settings for gRPC servers, which are the default.
    pub fn grpc() -> Self {
        Self::default()
    }

    /// Returns the settings for HTTP clients: the default, except that 5 consecutive failures must span at least 500
    /// ms, and that a call that is dropped after 10 s is a failure.
    pub fn http_client() -> Self {
        let base = Self::default();
        Self {
            trip: base.trip.consecutive_over(CLIENT_OVER),
            cancelled_after: Some(secs(10)),
            ..base
        }
    }

    /// Returns the settings for gRPC clients, which are those of [`http_client`](Self::http_client).
    pub fn grpc_client() -> Self {
        Self::http_client()
    }

    /// Returns the settings for LLM APIs, which have fewer and longer calls, longer outages, and waits that the
    /// provider specifies.
    pub fn llm() -> Self {
        Self {
            trip: Trip::none().consecutive(5).consecutive_over(CLIENT_OVER).failure_rate(0.5, 10),
            window: Window::time(secs(60)),
            cooldown: Backoff::exponential(secs(30), secs(5 * 60)),
            probe: Probe::successes(1).lease(secs(120)),
            throttled: Throttled::hold().default_hold(secs(30)).max_hold(secs(5 * 60)),
            cancelled_after: Some(secs(60)),
            ..Self::default()
        }
    }
}
