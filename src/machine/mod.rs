//! The machine: admits calls, settles them, and says when the state changed.
//!
//! It does no I/O, wakes and tells nobody. Time is an argument, asked at most once per operation and only where a
//! rule needs it. In Closed nothing is locked: words that carry their epoch are updated one by one, and what does
//! change the state takes the lock and looks again. No user code runs under that lock.

mod admit;
mod answer;
mod answered;
mod callbacks;
mod core;
mod due;
mod evaluate;
mod flags;
mod gate;
mod grant;
mod half_open;
mod last_error;
mod manual;
#[cfg(all(test, not(loom)))]
mod model_tests;
mod params;
mod probe_end;
mod read;
mod settings;
mod settle;
mod totals;
mod view;
mod waits;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use callbacks::Callbacks;
pub(crate) use gate::{FIRST_WORD, Word};
pub(crate) use grant::{Admission, PermitState, Rejection, WouldReject};
pub(crate) use manual::Verb;
pub use settings::{Exhausted, Settings, Throttled};
pub(crate) use settle::Settled;
pub use totals::Totals;
pub(crate) use view::Transitions;
pub use view::{Snapshot, Transition, WindowSnapshot};

use self::core::{CallbackCooldown, Core, NeedsCallback};
use crate::sync::Mutex;
use crate::trip::overdue::Overdue;
use crate::trip::streak::Streak;
use crate::window::Window;
use crate::window::count::CountWindow;
use crate::window::time::TimeWindow;
use flags::Flags;
use gate::Gate;
use last_error::LastErrorWord;
use params::Params;
use totals::Counters;

#[derive(Debug)]
pub(crate) struct Machine {
    gate: Gate,
    params: Params,
    streak: Streak,
    time_window: TimeWindow,
    count_window: CountWindow,
    overdue: Overdue,
    counters: Counters,
    core: Mutex<Core>,
    last_error: LastErrorWord,
    base: Instant,
    callbacks: Callbacks,
}

/// The clock in nanoseconds of the machine, for what happens on every call.
pub(crate) trait Clock {
    /// What it is now.
    fn exact(&self) -> u64;

    /// About what it is: up to [`behind`](Self::behind) earlier, and cheaper.
    fn recent(&self) -> u64;

    fn behind(&self) -> u64;
}

/// The clock of one operation: read at most once, and only if asked.
pub(crate) struct Lazy<F> {
    base: Instant,
    read: Result<u64, Option<F>>,
}

impl<F: FnOnce() -> Instant> Lazy<F> {
    /// Nanoseconds since the machine's start; 0 before it.
    #[inline]
    pub(crate) fn get(&mut self) -> u64 {
        match &mut self.read {
            Ok(now) => *now,
            Err(read) => {
                let since = read
                    .take()
                    .map_or(Duration::ZERO, |read| read().saturating_duration_since(self.base));
                let now = since_base(since);
                self.read = Ok(now);
                now
            }
        }
    }
}

#[inline]
fn since_base(since: Duration) -> u64 {
    since.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(since.subsec_nanos()))
}

impl Machine {
    /// A closed machine that starts at `base`. `seed` is used where the settings have none.
    pub(crate) fn new(
        name: Arc<str>,
        settings: Settings,
        callbacks: Callbacks,
        base: Instant,
        seed: u64,
    ) -> Self {
        let flags = Flags::of(&settings, callbacks.rule.is_some());
        let params = Params::default();
        params.store(&settings, (flags, flags), 1, 0);
        let core = Core::new(name, settings, base, seed, callbacks.cooldown.is_some(), flags);
        let (word, until) = core.gate();
        let gate = Gate::new(word);
        gate.set(word, until);
        let machine = Self {
            gate,
            streak: Streak::default(),
            time_window: TimeWindow::new(),
            count_window: CountWindow::new(),
            overdue: Overdue::new(),
            counters: Counters::new(),
            core: Mutex::new(core),
            last_error: LastErrorWord::default(),
            params,
            base,
            callbacks,
        };
        machine.size_count_window(&machine.core.lock().settings, flags);
        machine
    }

    fn lazy<F: FnOnce() -> Instant>(&self, now: F) -> Lazy<F> {
        Lazy { base: self.base, read: Err(Some(now)) }
    }

    /// What that is for this machine.
    pub(crate) fn nanos_at(&self, now: Instant) -> u64 {
        since_base(now.saturating_duration_since(self.base))
    }

    /// Runs `op` under the lock, again if the user's cooldown function has to be asked meanwhile, and shows what
    /// became of the state.
    fn locked<T>(
        &self,
        mut op: impl FnMut(&mut Core, Option<CallbackCooldown>) -> Result<T, NeedsCallback>,
    ) -> T {
        let mut own = None;
        loop {
            let asked = {
                let mut core = self.core.lock();
                core.last_error = self.last_error.load();
                let done = op(&mut core, own);
                match done {
                    Ok(done) => {
                        let (word, until) = core.gate();
                        self.gate.see(core.seen());
                        self.gate.set(word, until);
                        return done;
                    }
                    Err(NeedsCallback(attempt)) => attempt,
                }
            };
            own = Some(CallbackCooldown { attempt: asked, wait: self.callbacks.cooldown(asked) });
        }
    }

    pub(crate) fn manual(&self, verb: Verb, now: Instant) -> Transitions {
        let now = self.nanos_at(now);
        if verb == Verb::Reset {
            self.last_error.clear();
        }
        self.locked(|core, own| {
            let now = core.clamp(now);
            // What time has ended is over for a person too: the attempts of a ramp, a hung probe.
            let mut transitions = self.lapse(core, now, own)?;
            let window = self.window_at(core.epoch, now);
            transitions.extend(core.manual(verb, now, window));
            Ok(transitions)
        })
    }

    /// Applies new settings; what was counted stays, unless a window's shape changed.
    pub(crate) fn reconfigure(&self, settings: &Settings, now: Instant) {
        let now = self.nanos_at(now);
        self.locked(|core, _| {
            let flags = Flags::of(settings, self.callbacks.rule.is_some());
            let timed = self.params.rules.streak_is_timed();
            let cleared = self.params.store(settings, (core.flags, flags), core.epoch, now);
            if !timed && self.params.rules.streak_is_timed() {
                self.streak.time_from(now);
            }
            if flags.streak() && !core.flags.streak() {
                // Nobody saw the successes that would have ended it.
                self.streak.end(core.epoch);
            }
            core.reconfigure(settings.clone(), flags);
            if cleared.overdue {
                self.overdue.forget_until_aged(self.params.overdue(core.epoch), now);
            }
            if cleared.window {
                self.size_count_window(settings, flags);
            }
            Ok(())
        });
    }

    /// Only under the lock: of two that change the settings, the last one gives the size.
    fn size_count_window(&self, settings: &Settings, flags: Flags) {
        let calls = match settings.window {
            Window::Count { calls } if flags.count_window() => calls as usize,
            _ => 0,
        };
        self.count_window.resize(calls);
    }
}
