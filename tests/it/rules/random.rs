//! Random sequences of all operations, and the invariants after each step.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use tower_breaker::{
    Backoff, BreakerHandle, Mode, Outcome, Permit, Probe, Ramp, Settings, Snapshot, State,
    Throttled, Trip, Window, handle::Events,
};

use crate::support::breakers::*;

#[derive(Clone, Debug)]
enum Step {
    Acquire,
    /// The index of a held permit, its outcome and its wait.
    Settle(usize, u8, Option<u16>),
    Drop(usize),
    Advance(u16),
    Read,
    ForceOpen(Option<u8>),
    Release,
    ForceClosed,
    Disable,
    Shadow,
    Reset,
    HoldFor(u8),
    Reconfigure(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let wait = proptest::option::of(0_u16..40_000);
    prop_oneof![
        12 => Just(Step::Acquire),
        10 => (0_usize..8, 0_u8..8, wait).prop_map(|(at, how, wait)| Step::Settle(at, how, wait)),
        3 => (0_usize..8).prop_map(Step::Drop),
        8 => (0_u16..15_000).prop_map(Step::Advance),
        2 => Just(Step::Read),
        1 => proptest::option::of(0_u8..20).prop_map(Step::ForceOpen),
        2 => Just(Step::Release),
        1 => Just(Step::ForceClosed),
        1 => Just(Step::Disable),
        1 => Just(Step::Shadow),
        1 => Just(Step::Reset),
        1 => (0_u8..30).prop_map(Step::HoldFor),
        1 => (0_usize..5).prop_map(Step::Reconfigure),
    ]
}

fn settings(which: usize) -> (Settings, u32) {
    let all = Trip::none().consecutive(2).overdue(2, S(4)).failure_rate(0.5, 3).failures(9).slow(
        S(2),
        0.5,
        3,
    );
    let base = plain().trip(all).seed(1).hold_jitter(0.1);
    let (settings, leases) = match which {
        0 => (plain(), 1),
        1 => (base.probe(Probe::successes(2).in_flight(2).lease(S(5))), 2),
        2 => (base.window(Window::count(4)).ramp(Ramp::new([25, 50], S(6))), 1),
        3 => (
            base.cooldown(Backoff::exponential(S(1), S(8)))
                .probe(Probe::sample(5, 0.4).in_flight(3).lease(S(3)))
                .throttled(Throttled::hold().default_hold(S(2)))
                .cancelled_after(S(1)),
            3,
        ),
        _ => (base.throttled(Throttled::count_as_failure()).window(Window::time(S(1))), 1),
    };
    (settings.build().expect("valid"), leases)
}

fn outcome(how: u8, wait: Option<u16>) -> Outcome {
    let outcome = match how {
        0 | 1 => Outcome::success(),
        2..=4 => Outcome::failure().weight(how),
        5 => Outcome::throttled(),
        6 => Outcome::exhausted(),
        _ => Outcome::ignored(),
    };
    outcome.maybe_retry_after(wait.map(|wait| MS(wait.into())))
}

/// The breaker, and the counts that the test expects.
struct World {
    handle: BreakerHandle,
    events: Events,
    held: Vec<Permit>,
    /// Permits that count. The snapshot shows whether a permit is inert.
    admitted: u64,
    rejected: u64,
    would_reject: u64,
    leases: u32,
    last: Snapshot,
    /// The end of the current open period, unless an operator ended it.
    not_before: Option<Instant>,
}

impl World {
    fn new(which: usize) -> Self {
        let (settings, leases) = settings(which);
        let handle = BreakerHandle::new("random", settings);
        let (events, last) = (handle.events(), handle.snapshot());
        let held = Vec::new();
        let (admitted, rejected, would_reject) = (0, 0, 0);
        Self {
            handle,
            events,
            held,
            admitted,
            rejected,
            would_reject,
            leases,
            last,
            not_before: None,
        }
    }

    fn acquire(&mut self) {
        let before = self.handle.snapshot();
        match self.handle.try_acquire() {
            Ok(permit) => {
                let after = self.handle.snapshot();
                if after.in_flight > before.in_flight {
                    self.admitted += 1;
                } else if before.mode == Mode::Shadow {
                    self.would_reject += 1;
                } else {
                    assert_eq!(
                        before.state,
                        State::Disabled,
                        "only disabled breakers give inert permits"
                    );
                }
                self.held.push(permit);
            }
            Err(rejection) => {
                assert_ne!(before.mode, Mode::Shadow);
                assert_ne!(rejection.state(), State::Disabled);
                self.rejected += 1;
            }
        }
    }

    fn take(&mut self, at: usize) -> Option<Permit> {
        (!self.held.is_empty()).then(|| self.held.swap_remove(at % self.held.len()))
    }

    async fn run(&mut self, step: &Step) {
        let handle = self.handle.clone();
        match step {
            Step::Acquire => self.acquire(),
            Step::Settle(at, how, wait) => {
                if let Some(permit) = self.take(*at) {
                    permit.settle(outcome(*how, *wait));
                }
            }
            Step::Drop(at) => drop(self.take(*at)),
            Step::Advance(time) => pass(MS((*time).into())).await,
            Step::Read => assert_eq!(handle.state(), handle.snapshot().state),
            Step::ForceOpen(time) => handle.force_open(time.map(|time| S(time.into()))),
            Step::Release => handle.release(),
            Step::ForceClosed => handle.force_closed(),
            Step::Disable => handle.disable(),
            Step::Shadow => handle.shadow(),
            Step::Reset => handle.reset(),
            Step::HoldFor(time) => handle.hold_for(S((*time).into())),
            Step::Reconfigure(which) => {
                let (settings, leases) = settings(*which);
                handle.reconfigure(settings);
                // Leases in flight stay.
                self.leases = leases.max(self.handle.snapshot().probes);
            }
        }
    }

    fn check(&mut self, step: &Step) {
        let now = tokio::time::Instant::now().into_std();
        let seen = self.handle.snapshot();
        assert!(seen.probes <= self.leases, "{} leases of {}", seen.probes, self.leases);
        assert!(seen.epoch >= self.last.epoch);
        let transitions = drain(&mut self.events);
        let epochs: Vec<_> = transitions.iter().map(|event| event.epoch).collect();
        assert_eq!(epochs, (self.last.epoch + 1..=seen.epoch).collect::<Vec<_>>());
        let by_operator = matches!(
            step,
            Step::ForceClosed
                | Step::Reset
                | Step::Release
                | Step::Shadow
                | Step::Disable
                | Step::ForceOpen(_)
        );
        for event in &transitions {
            assert!(event.at <= now);
            if event.from == State::Open && !by_operator {
                let until = self.not_before.expect("it was open");
                assert!(event.at >= until, "an open period ended early: {event:?}");
            }
            self.not_before = (event.to == State::Open)
                .then(|| event.at + event.open_for.expect("an open period has a duration"));
        }
        let totals = seen.totals;
        assert_eq!((totals.rejected, totals.would_reject), (self.rejected, self.would_reject));
        assert_eq!(totals.admitted, Some(self.admitted));
        assert_eq!(Some(self.admitted - totals.settled()), seen.in_flight);
        match (seen.mode, seen.state) {
            (Mode::Disabled, state) => assert_eq!(state, State::Disabled),
            (_, State::Open) => {
                let until = seen.until.expect("an open period has an end");
                assert!(until > now, "reads as open past its end");
                assert!(Some(until) >= self.not_before, "an open period was shortened");
                if seen.mode != Mode::ForcedOpen {
                    self.not_before = Some(until);
                }
            }
            (_, State::ForcedOpen) => assert_eq!(seen.mode, Mode::ForcedOpen),
            _ => {}
        }
        assert!(seen.window.failure_rate.is_none_or(|rate| (0.0..=1.0).contains(&rate)));
        assert!(seen.window.slow_rate.is_none_or(|rate| (0.0..=1.0).contains(&rate)));
        self.last = seen;
    }

    fn end(mut self) {
        self.held.clear();
        let totals = self.handle.snapshot().totals;
        assert_eq!((totals.settled(), totals.admitted), (self.admitted, Some(self.admitted)));
        assert_eq!(self.handle.snapshot().in_flight, Some(0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn totals_and_epochs_are_right_after_any_sequence(
        which in 0_usize..5,
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut world = World::new(which);
            for step in &steps {
                world.run(step).await;
                world.check(step);
            }
            // After a release and enough time, every breaker admits again.
            world.handle.release();
            pass(Duration::from_secs(4_000)).await;
            let _ = world.handle.try_acquire().map(|_| world.admitted += 1);
            pass(Duration::from_secs(4_000)).await;
            assert!(world.handle.would_admit() || world.handle.state() == State::HalfOpen);
            world.end();
        });
    }
}
