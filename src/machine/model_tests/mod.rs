//! The machine against a naive reference: after every operation, both return the same results and readings.

mod adapter;
mod ops;
mod reference;
mod translate;

use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::machine::{PermitState, Verb};
use crate::outcome::Outcome;
use crate::state::Cause;
use adapter::{Real, SameRandom};
use ops::{Clock, Op};
use reference::{Config, Reference};

/// A call in flight: its permit, and its number in the reference. The number is `None` if the call counts nowhere.
#[derive(Clone, Copy, Debug)]
struct Call {
    permit: PermitState,
    id: Option<u64>,
}

#[derive(Debug)]
struct World {
    real: Real,
    reference: Reference,
    calls: Vec<Call>,
    now: Duration,
    latest: Duration,
    health_check: bool,
    /// The first settings. The user's functions stay when the settings change.
    first: Config,
    /// The causes of all transitions.
    causes: Vec<Cause>,
}

/// The largest step back of the clock. The tags of two epochs are 4 096 buckets apart.
const BACK: Duration = Duration::from_secs(60);

impl World {
    fn new(config: Config) -> Self {
        Self {
            real: Real::new(&config),
            reference: Reference::new(config.clone(), Box::new(SameRandom::new())),
            calls: Vec::new(),
            now: Duration::ZERO,
            latest: Duration::ZERO,
            health_check: false,
            first: config,
            causes: Vec::new(),
        }
    }

    fn run(&mut self, op: &Op) {
        let now = self.now;
        match op {
            Op::Admit => {
                let ((real, permit), (expected, id)) =
                    (self.real.admit(now), self.reference.admit(now));
                assert_eq!(real, expected, "the admission");
                self.calls.extend(permit.map(|permit| Call { permit, id }));
            }
            Op::Unready => {
                let ((real, permit), (expected, id)) =
                    (self.real.admit_unready(now), self.reference.admit_unready(now));
                assert_eq!(real, expected, "the admission");
                if let Some(permit) = permit {
                    self.settle(Call { permit, id }, Outcome::failure(), false);
                }
            }
            Op::Settle(which, outcome, short) => {
                if let Some(call) = self.take(*which) {
                    self.settle(call, *outcome, *short);
                }
            }
            Op::Drop(which) => {
                if let Some(call) = self.take(*which) {
                    self.settle(call, Outcome::cancelled(), false);
                }
            }
            Op::ResponseStarted(which) => {
                if let Some(call) = self.take(*which) {
                    let rest = self.real.response_started(call.permit, now);
                    let goes_on = call.id.is_none_or(|id| self.reference.response_started(id, now));
                    assert_eq!(rest.is_some(), goes_on, "whether there is more to settle");
                    self.calls.extend(rest.map(|permit| Call { permit, ..call }));
                }
            }
            Op::Clock(clock) => self.turn(*clock),
            Op::WouldReject => {
                let (real, expected) =
                    (self.real.would_reject(now), self.reference.would_reject(now));
                assert_eq!(real, expected, "for how long a call would be rejected");
            }
            Op::Reject(wait) => {
                let (real, expected) = (self.real.reject(*wait), self.reference.reject(*wait));
                assert_eq!(real, expected, "the rejection");
            }
            Op::Tick => {
                self.real.tick(now);
                self.reference.tick(now);
            }
            Op::Manual(verb) => self.manual(*verb),
            Op::Reconfigure(config) => {
                let mut config = (**config).clone();
                config.custom = self.first.custom;
                config.cooldown.callback = self.first.cooldown.callback;
                // When the time of the rule changes, a call that started after `now` would be taken for an old one.
                if config.overdue.is_some() {
                    self.now = self.latest;
                }
                let now = self.now;
                self.real.reconfigure(&config, now);
                self.reference.reconfigure(config, now);
            }
            Op::HealthCheck(runs) => {
                if self.health_check != *runs {
                    self.health_check = *runs;
                    self.real.set_health_check(*runs);
                    self.reference.set_health_check(*runs);
                }
            }
            Op::AdmitHealthCheck => {
                let (permit, id) =
                    (self.real.admit_health_check(now), self.reference.admit_health_check(now));
                assert_eq!(permit.is_some(), id.is_some(), "whether a health check is admitted");
                self.calls.extend(permit.map(|permit| Call { permit, id }));
            }
        }
        let changes = self.reference.take_changes();
        assert_eq!(self.real.take_changes(), changes, "the transitions");
        self.causes.extend(changes.iter().map(|change| change.cause));
        assert_eq!(self.real.view(self.now), self.reference.view(self.now));
    }

    fn take(&mut self, which: usize) -> Option<Call> {
        (!self.calls.is_empty()).then(|| self.calls.swap_remove(which % self.calls.len()))
    }

    fn settle(&mut self, call: Call, outcome: Outcome, short: bool) {
        self.real.settle(call.permit, outcome, short, self.now);
        if let Some(id) = call.id {
            self.reference.settle(id, outcome, self.now);
        }
    }

    fn turn(&mut self, clock: Clock) {
        let least = self.latest.saturating_sub(BACK);
        self.now = match clock {
            Clock::Forward(by) => self.now + by,
            Clock::Back(by) => self.now.saturating_sub(by),
            Clock::To(which, off) => {
                let off = |to: Duration| match off {
                    0 => to,
                    1.. => to + Duration::from_nanos(1),
                    _ => to.saturating_sub(Duration::from_nanos(1)),
                };
                let mut ahead: Vec<_> = self.reference.moments().into_iter().map(off).collect();
                ahead.retain(|to| *to > self.now && *to < self.now + LONG);
                match ahead.is_empty() {
                    true => return,
                    false => ahead[which % ahead.len()],
                }
            }
        };
        self.now = self.now.max(least);
        self.latest = self.latest.max(self.now);
    }

    fn manual(&mut self, verb: Verb) {
        let now = self.now;
        self.real.manual(verb, now);
        match verb {
            Verb::ForceOpen(time) => self.reference.force_open(time, now),
            Verb::Release => self.reference.release(now),
            Verb::ForceClosed => self.reference.force_closed(now),
            Verb::Disable => self.reference.disable(now),
            Verb::Shadow => self.reference.shadow(now),
            Verb::Reset => self.reference.reset(now),
            Verb::HoldFor(time) => self.reference.hold_for(time, now),
        }
    }
}

/// The clock does not jump to moments that are further away. 30 years ahead, it would leave the range of the machine.
const LONG: Duration = Duration::from_secs(24 * 60 * 60);

fn sequence() -> impl Strategy<Value = (Config, Vec<Op>)> {
    (ops::config(), proptest::collection::vec(ops::op(), 1..100))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    #[cfg_attr(miri, ignore = "single-threaded, no unsafe code, takes hours")]
    fn the_machine_agrees_with_the_reference((config, ops) in sequence()) {
        let mut world = World::new(config);
        for op in &ops {
            world.run(op);
        }
    }
}

/// Returns the number of cases. 400 take a few seconds.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400)
}

#[test]
#[cfg_attr(miri, ignore = "single-threaded, no unsafe code, takes hours")]
fn two_hundred_sequences_meet_every_cause_of_a_transition() {
    let mut runner = TestRunner::deterministic();
    let mut met = vec![Cause::Start];
    for _ in 0..200 {
        let (config, ops) = sequence().new_tree(&mut runner).expect("a sequence").current();
        let mut world = World::new(config);
        for op in &ops {
            world.run(op);
        }
        met.extend(world.causes);
    }
    let missing: Vec<_> = Cause::ALL.iter().filter(|cause| !met.contains(cause)).collect();
    assert!(missing.is_empty(), "never met: {missing:?}");
}
