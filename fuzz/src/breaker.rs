//! A breaker that is used at random. It must never panic and never miscount.

use std::time::Duration;

use tokio::runtime::Builder;
use tokio::time::{Instant, advance, timeout};
use tower_breaker::{
    BreakerHandle, CircuitOpen, Mode, Outcome, Permit, Settings, State, handle::Events,
};

use crate::builder;
use crate::input::{Input, THIRTY_YEARS};

/// The largest number of steps of a run. Longer runs find nothing new.
const STEPS: usize = 120;

/// Runs the steps in the rest of the input against a breaker with these settings.
pub(crate) fn exercise(settings: &Settings, input: &mut Input<'_>) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let mut user = User::new(BreakerHandle::new("fuzzed", settings.clone()));
        for _ in 0..STEPS {
            if input.is_empty() {
                break;
            }
            user.step(input).await;
            user.check();
        }
        user.finish();
    });
}

/// The longest wait. With some settings, a waiter checks for overdue calls every millisecond, so longer waits are slow.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

struct User {
    handle: BreakerHandle,
    events: Events,
    /// Permits, and whether the breaker counts their calls.
    held: Vec<(Permit, bool)>,
    admitted: u64,
    settled: u64,
    rejected: u64,
    /// The epoch of the last event.
    last_epoch: u64,
}

impl User {
    fn new(handle: BreakerHandle) -> Self {
        let (events, last_epoch) = (handle.events(), handle.snapshot().epoch);
        Self { handle, events, held: Vec::new(), admitted: 0, settled: 0, rejected: 0, last_epoch }
    }

    async fn step(&mut self, input: &mut Input<'_>) {
        match input.byte() % 24 {
            0..=5 => self.acquire(),
            6..=11 => self.settle(input),
            12 => advance(input.time().min(THIRTY_YEARS * 2)).await,
            13 => self.wait_until_due().await,
            14 => self.handle.force_open(Some(input.time())),
            15 => self.handle.force_open(None),
            16 => self.handle.release(),
            17 => self.handle.force_closed(),
            18 => self.handle.disable(),
            19 => self.handle.shadow(),
            20 => self.handle.reset(),
            21 => self.handle.hold_for(input.time()),
            22 => {
                if let Some(settings) = builder::settings(input) {
                    self.handle.reconfigure(settings);
                    let now = self.handle.settings();
                    assert_eq!(now.to_builder().build().as_ref(), Ok(&now));
                }
            }
            _ => drop(timeout(input.time().min(LONGEST_WAIT), self.handle.changed()).await),
        }
    }

    fn acquire(&mut self) {
        let before = self.handle.snapshot();
        let would_admit = self.handle.would_admit();
        match self.handle.try_acquire() {
            Ok(permit) => {
                let shadowed = self.handle.snapshot().totals.would_reject;
                let counted =
                    before.mode != Mode::Disabled && before.totals.would_reject == shadowed;
                self.admitted += u64::from(counted);
                self.held.push((permit, counted));
            }
            Err(open) => {
                assert!(!matches!(before.mode, Mode::Disabled | Mode::Shadow), "{before:?}");
                assert!(!would_admit || may_admit(before.state), "{open:?} after {before:?}");
                self.rejected += 1;
                self.check_rejection(&open);
            }
        }
    }

    /// Checks that the wait of a rejection ends with the open period.
    fn check_rejection(&self, open: &CircuitOpen) {
        let now = self.handle.snapshot();
        if let Some(secs) = open.retry_after_secs() {
            assert!(secs >= 1);
        }
        if let (State::Open, State::Open, Some(until), Some(wait)) =
            (open.state(), now.state, now.until, open.retry_after())
        {
            let left = until.saturating_duration_since(Instant::now().into_std());
            assert_eq!(wait, left, "{now:?}");
        }
    }

    fn settle(&mut self, input: &mut Input<'_>) {
        if self.held.is_empty() {
            return;
        }
        let at = usize::from(input.byte()) % self.held.len();
        let (permit, counted) = self.held.swap_remove(at);
        match input.byte() % 8 {
            0 | 1 => permit.success(),
            2 => permit.failure(),
            3 => permit.settle(Outcome::failure().weight(input.byte()).retry_after(input.time())),
            4 => permit.settle(Outcome::throttled().retry_after(input.time())),
            5 => permit.settle(Outcome::exhausted()),
            6 => permit.ignore(),
            _ => drop(permit),
        }
        self.settled += u64::from(counted);
    }

    /// Advances the clock to the end of the current period, or by 1 ms if it has no end.
    async fn wait_until_due(&self) {
        let until = self.handle.snapshot().until;
        let left = until.map(|at| at.saturating_duration_since(Instant::now().into_std()));
        advance(left.unwrap_or(Duration::from_millis(1))).await;
        let now = self.handle.snapshot();
        assert!(left.is_none() || now.state != State::ForcedOpen, "{now:?}");
    }

    fn check(&mut self) {
        let now = self.handle.snapshot();
        assert_eq!(now.totals.rejected, self.rejected, "{now:?}");
        assert_eq!(now.totals.settled(), self.settled, "{now:?}");
        let held = self.held.iter().filter(|(_, counted)| *counted).count() as u64;
        assert_eq!(self.admitted, self.settled + held);
        assert!(now.in_flight.is_none_or(|in_flight| in_flight <= held), "{now:?}, {held} held");
        for rate in [now.window.failure_rate, now.window.slow_rate].into_iter().flatten() {
            assert!((0.0..=1.0).contains(&rate), "{now:?}");
        }
        while let Some(event) = self.events.try_recv() {
            let event = event.expect("the receiver never lags");
            assert_eq!(event.epoch, self.last_epoch + 1, "{event:?}");
            self.last_epoch = event.epoch;
        }
        assert_eq!(self.last_epoch, now.epoch, "every transition is reported immediately");
    }

    /// Checks that the breaker can be closed after any run, and then admits a call.
    fn finish(mut self) {
        let held = std::mem::take(&mut self.held);
        self.settled += held.iter().filter(|(_, counted)| *counted).count() as u64;
        drop(held);
        self.check();
        assert!(self.handle.snapshot().in_flight.is_none_or(|in_flight| in_flight == 0));
        self.handle.reset();
        let now = self.handle.snapshot();
        assert_eq!((now.state, now.mode, now.probes), (State::Closed, Mode::Normal, 0));
        let permit = self.handle.try_acquire().expect("a closed circuit");
        assert!(!permit.is_probe());
        permit.success();
        assert_eq!(self.handle.snapshot().totals.settled(), self.settled + 1);
    }
}

/// Returns `true` if calls pass in this state. Some are rejected nevertheless: a ramp admits a share of the calls, and
/// a closed circuit may open on the call that finds others overdue.
fn may_admit(state: State) -> bool {
    matches!(state, State::HalfOpen | State::Closed)
}
