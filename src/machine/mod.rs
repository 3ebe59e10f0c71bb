//! The state machine of a breaker: admits calls, settles them, and returns the transitions that follow.
//!
//! The machine does no I/O, wakes no task and notifies no listener. Time is an argument; it is read at most once per
//! operation, and only if a rule needs it.
//!
//! While the circuit is closed, a call takes no lock. It reads one word, the [`gate`], and updates counters that
//! carry their epoch. An operation that may change the state takes the lock, checks again, and makes its transition in
//! [`state`]. No user code runs under that lock.

mod admit;
mod callbacks;
mod evaluate;
mod flags;
mod gate;
mod half_open;
mod last_error;
#[cfg(all(test, not(loom)))]
mod model_tests;
mod params;
mod permit_state;
mod response_started;
mod settle;
mod snapshot;
mod state;
mod totals;
mod units;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use callbacks::{Callbacks, SettledFn};
pub(crate) use gate::{FIRST_WORD, GateWord};
pub(crate) use permit_state::{Admission, PermitState, Rejection, WouldReject};
pub(crate) use settle::Settled;
pub(crate) use snapshot::Transitions;
pub use snapshot::{Snapshot, Transition, WindowSnapshot};
pub(crate) use state::Verb;
pub use totals::Totals;
pub(crate) use units::Nanos;

use crate::settings::Settings;
use crate::sync::Mutex;
use crate::trip::overdue::Overdue;
use crate::trip::streak::Streak;
use crate::window::Window;
use crate::window::count::CountWindow;
use crate::window::time::TimeWindow;
use flags::Flags;
use gate::{Gate, PhaseTag};
use last_error::LastErrorWord;
use params::Params;
use state::{CallbackCooldown, Locked, NeedsCallback};
use totals::Counters;
use units::Epoch;

/// The state machine of one breaker.
#[derive(Debug)]
pub(crate) struct Machine {
    gate: Gate,
    params: Params,
    streak: Streak,
    time_window: TimeWindow,
    count_window: CountWindow,
    overdue: Overdue,
    counters: Counters,
    state: Mutex<Locked>,
    last_error: LastErrorWord,
    base: Instant,
    callbacks: Callbacks,
}

/// The clock for the operations of every call.
pub(crate) trait Clock {
    /// Returns the exact time.
    fn exact(&self) -> Nanos;

    /// Returns a time that is up to [`behind`](Self::behind) earlier, at a lower cost.
    fn recent(&self) -> Nanos;

    /// Returns the maximum by which [`recent`](Self::recent) is behind.
    fn behind(&self) -> Nanos;
}

/// The clock of one operation. It is read at most once, and only on demand.
pub(crate) struct Lazy<F> {
    base: Instant,
    read: Result<Nanos, Option<F>>,
}

impl<F: FnOnce() -> Instant> Lazy<F> {
    /// Returns the time since the start of the machine; zero before it.
    #[inline]
    pub(crate) fn get(&mut self) -> Nanos {
        match &mut self.read {
            Ok(now) => *now,
            Err(read) => {
                let elapsed = read
                    .take()
                    .map_or(Duration::ZERO, |read| read().saturating_duration_since(self.base));
                let now = Nanos::since_start(elapsed);
                self.read = Ok(now);
                now
            }
        }
    }
}

impl Machine {
    /// Creates a closed machine that starts at `base`. `seed` is used if the settings have none.
    pub(crate) fn new(
        name: Arc<str>,
        settings: Settings,
        callbacks: Callbacks,
        base: Instant,
        seed: u64,
    ) -> Self {
        let flags = Flags::of(&settings, &callbacks);
        let params = Params::default();
        params.store(&settings, (flags, flags), Epoch::FIRST, Nanos::ZERO);
        let state = Locked::new(name, settings, base, seed, callbacks.cooldown.is_some(), flags);
        let (word, until) = state.gate();
        let machine = Self {
            gate: Gate::new(word, until),
            streak: Streak::default(),
            time_window: TimeWindow::new(),
            count_window: CountWindow::new(),
            overdue: Overdue::new(),
            counters: Counters::new(),
            state: Mutex::new(state),
            last_error: LastErrorWord::default(),
            params,
            base,
            callbacks,
        };
        machine.size_count_window(machine.state.lock().settings(), flags);
        machine
    }

    fn lazy<F: FnOnce() -> Instant>(&self, now: F) -> Lazy<F> {
        Lazy { base: self.base, read: Err(Some(now)) }
    }

    /// Returns the time from the start of the machine to `now`.
    pub(crate) fn nanos_at(&self, now: Instant) -> Nanos {
        Nanos::since_start(now.saturating_duration_since(self.base))
    }

    /// Runs `op` under the lock and stores the new state in the gate.
    ///
    /// If `op` needs the user's cooldown function, it returns [`NeedsCallback`] before it changes the state. The
    /// function is then called without the lock, and `op` runs again with its result.
    fn with_state<T>(
        &self,
        mut op: impl FnMut(&mut Locked, Option<CallbackCooldown>) -> Result<T, NeedsCallback>,
    ) -> T {
        let mut callback = None;
        loop {
            let NeedsCallback(attempt) = {
                let mut state = self.state.lock();
                state.set_last_error(self.last_error.load());
                match op(&mut state, callback) {
                    Ok(done) => {
                        let (word, until) = state.gate();
                        self.gate.set_seen(state.seen());
                        self.gate.set(word, until);
                        return done;
                    }
                    Err(needed) => needed,
                }
            };
            let wait = self.callbacks.cooldown(attempt);
            callback = Some(CallbackCooldown { attempt, wait });
        }
    }

    /// Makes the transition that is due by time alone, if there is one.
    fn lapse(
        &self,
        state: &mut Locked,
        now: Nanos,
        callback: Option<CallbackCooldown>,
    ) -> Result<Transitions, NeedsCallback> {
        let epoch = state.epoch();
        let lapsed = state.lapse(now, callback, || self.window_at(epoch, now))?;
        Ok(lapsed.into_iter().collect())
    }

    /// Begins the half-open period if the open period is over.
    fn half_open_if_due(&self, state: &mut Locked, now: Nanos) -> Option<Transition> {
        let epoch = state.epoch();
        state.half_open_if_due(now, || self.window_at(epoch, now))
    }

    /// Makes the transitions that are due by time alone: ends leases, a ramp or a forced open, and evaluates the
    /// overdue rule. An open period that is over stays open until a call comes.
    pub(crate) fn tick(&self, now: Instant) -> Transitions {
        let now = self.nanos_at(now);
        let word = self.gate.word();
        if let PhaseTag::Closed | PhaseTag::Ramp = word.phase() {
            let transitions = self.evaluate_overdue(word, || now);
            if word.phase() == PhaseTag::Closed || !transitions.is_empty() {
                return transitions;
            }
        }
        self.with_state(|state, callback| {
            let now = state.clamp(now);
            self.lapse(state, now, callback)
        })
    }

    /// Executes a manual operation.
    pub(crate) fn manual(&self, verb: Verb, now: Instant) -> Transitions {
        let now = self.nanos_at(now);
        if verb == Verb::Reset {
            self.last_error.clear();
        }
        self.with_state(|state, callback| {
            let now = state.clamp(now);
            // The verb applies to the current state: a ramp may be over, a probe may have outlived its lease.
            let mut transitions = self.lapse(state, now, callback)?;
            let window = self.window_at(state.epoch(), now);
            transitions.extend(state.manual(verb, now, window));
            Ok(transitions)
        })
    }

    /// Replaces the settings. The counts stay, unless the shape of a window changes.
    pub(crate) fn reconfigure(&self, settings: &Settings, now: Instant) {
        let now = self.nanos_at(now);
        self.with_state(|state, _| {
            let (before, epoch) = (state.flags(), state.epoch());
            let flags = Flags::of(settings, &self.callbacks);
            let was_timed = self.params.rules.streak_is_timed();
            let cleared = self.params.store(settings, (before, flags), epoch, now);
            if !was_timed && self.params.rules.streak_is_timed() {
                self.streak.time_from(now.get());
            }
            if flags.streak() && !before.streak() {
                // While no rule used the streak, calls did not update it.
                self.streak.end(epoch.get());
            }
            state.reconfigure(settings.clone(), flags);
            if cleared.overdue {
                self.overdue.forget_until_aged(self.params.overdue(epoch), now.get());
            }
            if cleared.window {
                self.size_count_window(settings, flags);
            }
            Ok(())
        });
    }

    /// Sets the size of the count window. The caller holds the lock, so that the size belongs to the settings that were
    /// stored last.
    fn size_count_window(&self, settings: &Settings, flags: Flags) {
        let calls = match settings.window {
            Window::Count { calls } if flags.count_window() => calls as usize,
            _ => 0,
        };
        self.count_window.resize(calls);
    }
}
