//! The machine: admits calls, settles them, and says when the state changed.
//!
//! It does no I/O, wakes and tells nobody. Time is an argument, asked at most once per operation and only where a
//! rule needs it. In Closed nothing is locked: words that carry their epoch are updated one by one, and what does
//! change the state takes the lock and looks again. No user code runs under that lock.

mod admit;
mod core;
mod flags;
mod gate;
mod half_open;
mod last_error;
mod manual;
mod params;
mod settings;
mod settle;
mod totals;
mod view;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use admit::{Admission, Grant, Refusal};
pub(crate) use manual::Verb;
pub use settings::{Exhausted, Settings, Throttled};
pub(crate) use settle::Ended;
pub use totals::Totals;
pub(crate) use view::Transitions;
pub use view::{Snapshot, Transition, WindowSnapshot};

use self::core::{AskCooldown, Core, OwnCooldown};
use crate::state::{Mode, State};
use crate::sync::Mutex;
use crate::trip::overdue::{self, Overdue};
use crate::trip::rules::Evidence;
use crate::trip::streak::Streak;
use crate::window::Window;
use crate::window::count::CountWindow;
use crate::window::tally::{Rate, Tally};
use crate::window::time::TimeWindow;
use flags::Flags;
use gate::{Gate, Phase};
use last_error::LastErrorWord;
use params::Params;
use totals::Counters;

/// A rule of the user's: whether to open, from what the window shows.
pub(crate) type CustomRule = Arc<dyn Fn(&WindowSnapshot) -> bool + Send + Sync>;
/// A cooldown of the user's, from the attempt.
pub(crate) type CooldownFn = Arc<dyn Fn(u32) -> Duration + Send + Sync>;

/// The user's own functions. They are called outside every lock.
#[derive(Clone, Default)]
pub(crate) struct Own {
    pub(crate) rule: Option<CustomRule>,
    pub(crate) cooldown: Option<CooldownFn>,
}

impl Own {
    /// What the user's function says, `None` if it panics: a circuit must open all the same.
    fn cooldown(&self, attempt: u32) -> Option<Duration> {
        let cooldown = self.cooldown.as_ref()?;
        catch_unwind(AssertUnwindSafe(|| cooldown(attempt))).ok()
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own")
            .field("rule", &self.rule.is_some())
            .field("cooldown", &self.cooldown.is_some())
            .finish()
    }
}

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
    name: Arc<str>,
    base: Instant,
    own: Own,
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
        own: Own,
        base: Instant,
        seed: u64,
    ) -> Self {
        let flags = Flags::of(&settings, own.rule.is_some());
        let params = Params::default();
        params.store(&settings, (flags, flags), 1, 0);
        let core =
            Core::new(Arc::clone(&name), settings, base, seed, own.cooldown.is_some(), flags);
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
            name,
            base,
            own,
        };
        machine.size_count_window(&machine.core.lock().settings, flags);
        machine
    }

    fn lazy<F: FnOnce() -> Instant>(&self, now: F) -> Lazy<F> {
        Lazy { base: self.base, read: Err(Some(now)) }
    }

    fn nanos_at(&self, now: Instant) -> u64 {
        since_base(now.saturating_duration_since(self.base))
    }

    /// Runs `op` under the lock, again if the user's cooldown function has to be asked meanwhile, and shows what
    /// became of the state.
    fn locked<T>(
        &self,
        mut op: impl FnMut(&mut Core, Option<OwnCooldown>) -> Result<T, AskCooldown>,
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
                        self.gate.set(word, until);
                        return done;
                    }
                    Err(AskCooldown(attempt)) => attempt,
                }
            };
            own = Some(OwnCooldown { attempt: asked, wait: self.own.cooldown(asked) });
        }
    }

    /// Looks at what the rules look at.
    fn evidence(
        &self,
        epoch: u64,
        flags: Flags,
        tally: Option<Tally>,
        now: impl FnOnce() -> u64,
    ) -> Evidence {
        let timed = self.params.rules.streak_is_timed();
        let needs_now = flags.overdue() || timed || (flags.time_window() && tally.is_none());
        let now = if needs_now { now() } else { 0 };
        let (streak, first) = if flags.streak() { self.streak.read(epoch) } else { (0, 0) };
        Evidence {
            tally: tally.unwrap_or_else(|| self.tally(epoch, flags, now)),
            streak,
            streak_nanos: if timed { now.saturating_sub(first) } else { 0 },
            overdue: if flags.overdue() {
                self.overdue.overdue(epoch, self.params.overdue(epoch), now)
            } else {
                0
            },
        }
    }

    fn tally(&self, epoch: u64, flags: Flags, now: u64) -> Tally {
        if flags.time_window() {
            let (grid, buckets) = self.params.window(epoch);
            self.time_window.tally(grid, buckets, now)
        } else if flags.count_window() {
            self.count_window.tally(epoch)
        } else {
            Tally::default()
        }
    }

    fn window_snapshot(&self, seen: &Evidence, flags: Flags) -> WindowSnapshot {
        let (rate_min, slow_min) = self.params.rules.minimums();
        WindowSnapshot {
            calls: seen.tally.calls,
            failures: seen.tally.failures(),
            slow: seen.tally.slow + seen.tally.slow_cancelled,
            failure_rate: seen.tally.failure_rate(rate_min).map(Rate::as_f64),
            slow_rate: seen.tally.slow_rate(slow_min).map(Rate::as_f64),
            consecutive_failures: seen.streak,
            overdue: flags.overdue().then_some(seen.overdue),
        }
    }

    /// What the rules see now, as people read it.
    fn window_at(&self, epoch: u64, now: u64) -> WindowSnapshot {
        let flags = self.gate.word().flags();
        self.window_snapshot(&self.evidence(epoch, flags, None, || now), flags)
    }

    /// The state as the next call meets it. Changes nothing.
    pub(crate) fn state(&self, now: impl FnOnce() -> Instant) -> State {
        let word = self.gate.word();
        match (word.phase(), self.gate.until(word)) {
            (phase @ (Phase::Closed | Phase::Disabled | Phase::Probing), Some(_)) => phase.state(),
            _ => {
                let now = self.nanos_at(now());
                self.core.lock().state_at(now)
            }
        }
    }

    /// Epoch and state at one moment.
    pub(crate) fn reading(&self, now: Instant) -> (u64, State) {
        let now = self.nanos_at(now);
        let core = self.core.lock();
        (core.epoch, core.state_at(now))
    }

    pub(crate) fn mode(&self) -> Mode {
        self.core.lock().mode
    }

    pub(crate) fn settings(&self) -> Settings {
        self.core.lock().settings.clone()
    }

    /// The number of the current epoch.
    pub(crate) fn epoch(&self) -> u64 {
        self.gate.word().epoch()
    }

    pub(crate) fn snapshot(&self, now: Instant) -> Snapshot {
        let nanos = self.nanos_at(now);
        // Settled before in flight, see `Counters`.
        let flags = self.gate.word().flags();
        let totals = self.counters.totals(flags.tracks());
        let last_error = self.last_error.load();
        let core = self.core.lock();
        let until = match core.phase {
            Phase::Open => Some(core.open_until),
            // Past its expiry it reads as the Open that follows.
            Phase::ForcedOpen if nanos >= core.forced_until => {
                Some(core.open_until.max(core.forced_until))
            }
            Phase::ForcedOpen => (core.forced_until != gate::NEVER).then_some(core.forced_until),
            _ => None,
        };
        Snapshot {
            breaker: Arc::clone(&self.name),
            state: core.state_at(nanos),
            mode: core.mode,
            epoch: core.epoch,
            since: core.instant(core.since),
            until: until.map(|until| core.instant(until)),
            asked_until: (core.asked_until > nanos).then(|| core.instant(core.asked_until)),
            cause: core.cause,
            attempt: core.attempt.unwrap_or(0),
            probes: core.half_open.in_flight(),
            window: self.window_at(core.epoch, nanos),
            in_flight: flags.tracks().then(|| self.counters.in_flight()),
            totals,
            last_error,
        }
    }

    /// When time alone may change something, for whoever waits on the handle. `None`: not before a call.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        let now = self.nanos_at(now);
        let core = self.core.lock();
        let overdue = match core.phase {
            Phase::Closed | Phase::Ramp => self.overdue_deadline(core.epoch, now),
            _ => None,
        };
        let next = core.deadline().into_iter().chain(overdue).filter(|at| *at > now).min();
        next.map(|at| core.instant(at))
    }

    /// When the rule of overdue calls has to be asked again. While nothing is pending, nothing that starts later can
    /// be overdue before its whole time is over: a start wakes nobody.
    fn overdue_deadline(&self, epoch: u64, now: u64) -> Option<u64> {
        if !self.gate.word().flags().overdue() {
            return None;
        }
        let grid = self.params.overdue(epoch);
        let ticks = if self.overdue.pending(epoch) > 0 { 1 } else { overdue::PARTS };
        Some((grid.tick(now) + ticks).saturating_mul(grid.width.max(1)))
    }

    /// Does what time alone has made due: a lease, a ramp or a forced open that ended, calls that are overdue. An
    /// Open past its deadline is none of these: a call has to come.
    pub(crate) fn tick(&self, now: Instant) -> Transitions {
        let now = self.nanos_at(now);
        let word = self.gate.word();
        if let Phase::Closed | Phase::Ramp = word.phase() {
            let transitions = self.ask_overdue(word, now);
            if word.phase() == Phase::Closed || !transitions.is_empty() {
                return transitions;
            }
        }
        self.locked(|core, own| {
            let now = core.clamp(now);
            self.lapse(core, now, own)
        })
    }

    pub(crate) fn manual(&self, verb: Verb, now: Instant) -> Transitions {
        let now = self.nanos_at(now);
        if verb == Verb::Reset {
            self.last_error.clear();
        }
        self.locked(|core, _| {
            let now = core.clamp(now);
            let window = self.window_at(core.epoch, now);
            let mut transitions = Transitions::default();
            transitions.extend(core.manual(verb, now, window));
            Ok(transitions)
        })
    }

    /// Applies new settings; what was counted stays, unless a window's shape changed.
    pub(crate) fn reconfigure(&self, settings: &Settings, now: Instant) {
        let now = self.nanos_at(now);
        self.locked(|core, _| {
            let flags = Flags::of(settings, self.own.rule.is_some());
            let timed = self.params.rules.streak_is_timed();
            let cleared = self.params.store(settings, (core.flags, flags), core.epoch, now);
            if !timed && self.params.rules.streak_is_timed() {
                self.streak.time_from(now);
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
