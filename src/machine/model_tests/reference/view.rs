//! The values that the test compares.

use std::time::Duration;

use crate::outcome::Class;
use crate::state::{Cause, Mode, State};

/// How a call was admitted or rejected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum AdmitResult {
    Counted {
        probe: bool,
    },
    /// The call counts nowhere.
    Inert,
    Rejected {
        state: State,
        cause: Cause,
        wait: Option<Duration>,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct WindowView {
    pub(crate) calls: u64,
    pub(crate) failures: u64,
    pub(crate) slow: u64,
    pub(crate) failure_rate: Option<f64>,
    pub(crate) slow_rate: Option<f64>,
    pub(crate) consecutive_failures: u32,
    pub(crate) overdue: Option<u64>,
}

/// A change of state. Times are since the start of the breaker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) epoch: u64,
    pub(crate) from: State,
    pub(crate) to: State,
    pub(crate) mode: Mode,
    pub(crate) cause: Cause,
    pub(crate) at: Duration,
    pub(crate) due_since: Option<Duration>,
    pub(crate) open_for: Option<Duration>,
    pub(crate) attempt: u32,
    pub(crate) window: WindowView,
    pub(crate) last_error: Option<(Class, Option<u16>)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Totals {
    pub(crate) success: u64,
    pub(crate) failure: u64,
    pub(crate) throttled: u64,
    pub(crate) exhausted: u64,
    pub(crate) ignored: u64,
    pub(crate) cancelled: u64,
    pub(crate) late: u64,
    pub(crate) rejected: u64,
    pub(crate) would_reject: u64,
    pub(crate) broken_after: u64,
}

impl Totals {
    pub(super) fn count(&mut self, class: Class) {
        let count = match class {
            Class::Success => &mut self.success,
            Class::Failure => &mut self.failure,
            Class::Throttled => &mut self.throttled,
            Class::Exhausted => &mut self.exhausted,
            Class::Ignored => &mut self.ignored,
            Class::Cancelled => &mut self.cancelled,
        };
        *count += 1;
    }

    pub(super) fn settled(&self) -> u64 {
        let Self { success, failure, throttled, exhausted, ignored, cancelled, late, .. } = self;
        success + failure + throttled + exhausted + ignored + cancelled + late
    }
}

/// All readings at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    pub(crate) state: State,
    pub(crate) mode: Mode,
    pub(crate) epoch: u64,
    pub(crate) since: Duration,
    pub(crate) until: Option<Duration>,
    pub(crate) asked_until: Option<Duration>,
    pub(crate) cause: Cause,
    pub(crate) attempt: u32,
    pub(crate) probes: u32,
    pub(crate) window: WindowView,
    pub(crate) in_flight: Option<u64>,
    pub(crate) admitted: Option<u64>,
    pub(crate) totals: Totals,
    pub(crate) last_error: Option<(Class, Option<u16>)>,
    /// When time alone changes a reading. The reference does not compute it with an overdue rule.
    pub(crate) deadline: Option<Duration>,
}
