//! A naive breaker, written from the rules and not from the machine. It keeps lists and sums them up by iteration.
//!
//! It imports the public types of the crate and nothing else; `tests/it/layering.rs` checks that. The rules leave two
//! decisions open, in which the reference follows the machine:
//!
//! - *Reading moves no clock.* An operation on the state treats a time before an earlier operation as the time of that
//!   operation. Readings, rejections by a deadline that has not come, and calls that are only counted while closed take
//!   the time as it is.
//! - *Nothing happens between calls.* A transition that is due by time alone happens with the next operation on the
//!   state: a call that asks for admission, a probe that ends, a wait that opens the circuit, a manual operation. A ramp call
//!   that is only counted is no such operation.

mod admit;
mod config;
mod due;
mod manual;
mod read;
mod response_started;
mod rules;
mod settle;
mod view;
mod window;

use std::time::Duration;

use crate::outcome::Class;
use crate::state::{Cause, Mode, State};
use config::cut;
pub(crate) use config::{Backoff, Config, DecideBy, Shape, Slow, Throttled};
pub(crate) use rules::custom_sum;
pub(crate) use view::{AdmitResult, Change, Totals, View, WindowView};
use window::Window;

/// Random waits, supplied from outside. The reference checks that they are in the allowed range.
pub(crate) trait Chance: std::fmt::Debug {
    fn cooldown(&mut self, config: &Config, nominal: Duration) -> Duration;
    fn server_wait(&mut self, config: &Config, asked: Duration, cap: Duration) -> Duration;
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Closed,
    Open,
    Probing,
    Ramp { since: Duration, asked: u64 },
    ForcedOpen,
    Disabled,
}

impl Phase {
    fn state(self) -> State {
        match self {
            Self::Closed => State::Closed,
            Self::Open => State::Open,
            Self::Probing | Self::Ramp { .. } => State::HalfOpen,
            Self::ForcedOpen => State::ForcedOpen,
            Self::Disabled => State::Disabled,
        }
    }
}

/// A call in flight that counts.
#[derive(Clone, Copy, Debug)]
struct Call {
    id: u64,
    epoch: u64,
    /// `None` if no rule needed it when the call was admitted.
    started: Option<Duration>,
    /// How long it took until the response started. `None` before that.
    took: Option<Duration>,
    /// The epoch that followed when this probe succeeded by the start of its response.
    tail: Option<u64>,
    probe: bool,
    /// The overdue rule was on when the call was admitted.
    pending: bool,
    /// Calls in flight were counted when the call was admitted.
    tracked: bool,
}

/// The lease of a probe, by the number of its call.
#[derive(Clone, Copy, Debug)]
struct Lease {
    id: u64,
    ends: Duration,
}

/// A wait that a server asked for, or its default, and the cap on it.
#[derive(Clone, Copy, Debug)]
struct Wait {
    asked: Duration,
    cap: Duration,
}

#[derive(Debug)]
pub(crate) struct Reference {
    config: Config,
    chance: Box<dyn Chance>,
    phase: Phase,
    mode: Mode,
    epoch: u64,
    since: Duration,
    cause: Cause,
    /// The cause of the last change to Open or ForcedOpen. Rejections report it.
    trip_cause: Cause,
    open_until: Duration,
    asked_until: Duration,
    forced_until: Option<Duration>,
    attempt: Option<u32>,
    last_cooldown: Duration,
    leases: Vec<Lease>,
    probe_successes: u32,
    probe_failures: u32,
    health_check: bool,
    calls: Vec<Call>,
    window: Window,
    /// When each of the consecutive failures was counted.
    streak: Vec<Duration>,
    /// The tenth of the overdue rule's time in which the rule was last evaluated. Once per tenth is enough.
    overdue_evaluated: Option<u128>,
    /// Before this tenth the age of the calls is unknown, because the time of the rule changed.
    overdue_from: u128,
    /// The newest tenth in which a call started.
    overdue_newest: u128,
    totals: Totals,
    last_error: Option<(Class, Option<u16>)>,
    /// The time of the latest operation on the state.
    seen: Duration,
    changes: Vec<Change>,
    next_id: u64,
}

impl Reference {
    pub(crate) fn new(config: Config, chance: Box<dyn Chance>) -> Self {
        Self {
            config,
            chance,
            phase: Phase::Closed,
            mode: Mode::Normal,
            epoch: 1,
            since: Duration::ZERO,
            cause: Cause::Start,
            trip_cause: Cause::Start,
            open_until: Duration::ZERO,
            asked_until: Duration::ZERO,
            forced_until: None,
            attempt: None,
            last_cooldown: Duration::ZERO,
            leases: Vec::new(),
            probe_successes: 0,
            probe_failures: 0,
            health_check: false,
            calls: Vec::new(),
            window: Window::default(),
            streak: Vec::new(),
            overdue_evaluated: None,
            overdue_from: 0,
            overdue_newest: 0,
            totals: Totals::default(),
            last_error: None,
            seen: Duration::ZERO,
            changes: Vec::new(),
            next_id: 0,
        }
    }

    /// Takes the changes since the last call of this function.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Begins an operation on the state and returns its time, which never goes back.
    fn work_at(&mut self, now: Duration) -> Duration {
        self.seen = self.seen.max(now);
        self.seen
    }

    /// Begins a new epoch, which clears window and streak.
    fn begin(
        &mut self,
        phase: Phase,
        cause: Cause,
        now: Duration,
        window: WindowView,
        due_since: Option<Duration>,
    ) {
        let from = self.phase.state();
        self.phase = phase;
        self.epoch += 1;
        self.since = now;
        self.cause = cause;
        self.leases.clear();
        self.probe_successes = 0;
        self.probe_failures = 0;
        self.window.clear();
        self.streak.clear();
        self.overdue_evaluated = None;
        self.overdue_from = 0;
        self.overdue_newest = 0;
        let until = match phase {
            Phase::Closed => {
                self.open_until = Duration::ZERO;
                self.asked_until = Duration::ZERO;
                None
            }
            Phase::Open => Some(self.open_until),
            Phase::ForcedOpen => self.forced_until,
            Phase::Probing | Phase::Ramp { .. } | Phase::Disabled => None,
        };
        if matches!(phase, Phase::Open | Phase::ForcedOpen) {
            self.trip_cause = cause;
        }
        self.changes.push(Change {
            epoch: self.epoch,
            from,
            to: phase.state(),
            mode: self.mode,
            cause,
            at: now,
            due_since,
            open_for: until.map(|until| until.saturating_sub(now)),
            attempt: self.attempt.unwrap_or(0),
            window,
            last_error: self.last_error,
        });
    }

    /// Opens for the next cooldown, or for as long as the server asked if that is longer.
    fn trip(&mut self, cause: Cause, now: Duration, wait: Option<Wait>, window: WindowView) {
        self.forget_attempts_if_stable(now);
        let attempt = self.attempt.map_or(0, |last| last + 1);
        let (nominal, max) = match self.config.cooldown.callback {
            Some(step) => (cut(step * (attempt + 1)), cut(Duration::MAX)),
            None => (self.config.nominal(attempt), cut(self.config.cooldown.max)),
        };
        let cooldown = self.chance.cooldown(&self.config, nominal);
        let share = self.config.cooldown.jitter;
        let least = nominal.mul_f64(1.0 - share).min(max);
        assert!(cooldown + ROUNDING >= least, "a cooldown of {cooldown:?}, at least {least:?}");
        let most = nominal.mul_f64(1.0 + share).min(max);
        assert!(cooldown <= most + ROUNDING, "a cooldown of {cooldown:?}, at most {most:?}");
        self.attempt = Some(attempt);
        self.last_cooldown = cooldown;
        self.open_until = self.open_until.max(now + cooldown);
        self.raise(wait, now);
        self.begin(Phase::Open, cause, now, window, None);
    }

    /// Resets the attempts if the circuit has been closed for long enough.
    fn forget_attempts_if_stable(&mut self, now: Duration) {
        let lasted = now.saturating_sub(self.since);
        if self.phase == Phase::Closed && lasted >= self.stable_for() {
            self.attempt = None;
        }
    }

    fn stable_for(&self) -> Duration {
        self.config.stable_for.unwrap_or(self.last_cooldown)
    }

    /// Lengthens the current or the next open period.
    fn raise(&mut self, wait: Option<Wait>, now: Duration) {
        let Some(Wait { asked, cap }) = wait else { return };
        let obeyed = cut(asked.min(cap));
        let held = self.chance.server_wait(&self.config, asked, cap);
        let most = obeyed.mul_f64(1.0 + self.config.hold_jitter).min(cut(cap));
        assert!(obeyed <= held && held <= most + ROUNDING, "{held:?}: not {obeyed:?} to {most:?}");
        self.open_until = self.open_until.max(now + held);
        if asked > cap {
            self.asked_until = self.asked_until.max(now + cut(asked));
        }
    }
}

/// The rounding error of the product of a time and a fraction.
const ROUNDING: Duration = Duration::from_micros(1);
