//! Random settings, operations and times.

use std::time::Duration;

use proptest::option::of;
use proptest::prelude::*;

use super::reference::{Backoff, Config, DecideBy, Shape, Slow, Throttled};
use crate::machine::Verb;
use crate::outcome::Outcome;

/// How the clock moves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Clock {
    Forward(Duration),
    Back(Duration),
    /// To one of the moments at which something may change, off by this number of nanoseconds.
    To(usize, i8),
}

#[derive(Clone, Debug)]
pub(super) enum Op {
    Admit,
    /// Which of the calls in flight, its outcome, and whether by the fast path.
    Settle(usize, Outcome, bool),
    Drop(usize),
    /// Which of the calls in flight has a response now.
    ResponseStarted(usize),
    Clock(Clock),
    /// The guarded service is not ready.
    Unready,
    WouldReject,
    Reject(Option<Duration>),
    Tick,
    Manual(Verb),
    Reconfigure(Box<Config>),
    HealthCheck(bool),
    AdmitHealthCheck,
}

fn millis(range: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_millis)
}

/// Mostly whole seconds, so that times coincide.
fn time(most: u64) -> impl Strategy<Value = Duration> {
    prop_oneof![
        6 => (1..=most).prop_map(Duration::from_secs),
        2 => millis(1..most * 1_000),
        1 => (1..most * 1_000_000_000).prop_map(Duration::from_nanos),
    ]
}

fn share() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(1_000_000_u64),
        Just(500_000),
        Just(333_333),
        Just(333_334),
        Just(666_666),
        1_u64..=1_000_000,
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let class = prop_oneof![
        4 => Just(Outcome::success()),
        6 => Just(Outcome::failure()),
        2 => Just(Outcome::throttled()),
        1 => Just(Outcome::exhausted()),
        1 => Just(Outcome::ignored()),
    ];
    let weight = prop_oneof![4 => Just(1_u8), 1 => 2_u8..=100];
    let wait = prop_oneof![6 => time(30), 1 => Just(Duration::MAX), 1 => Just(Duration::ZERO)];
    let wait = prop_oneof![3 => Just(None), 2 => wait.prop_map(Some)];
    (class, weight, wait, of(400_u16..600)).prop_map(|(class, weight, wait, code)| {
        let outcome = class.weight(weight).maybe_retry_after(wait);
        code.map_or(outcome, |code| outcome.code(code))
    })
}

fn verb() -> impl Strategy<Value = Verb> {
    prop_oneof![
        2 => of(prop_oneof![4 => time(20), 1 => Just(Duration::MAX), 1 => Just(Duration::ZERO)])
            .prop_map(Verb::ForceOpen),
        3 => Just(Verb::Release),
        1 => Just(Verb::ForceClosed),
        1 => Just(Verb::Disable),
        2 => Just(Verb::Shadow),
        1 => Just(Verb::Reset),
        2 => prop_oneof![4 => time(20), 1 => Just(Duration::MAX), 1 => Just(Duration::ZERO)]
            .prop_map(Verb::HoldFor),
    ]
}

fn clock() -> impl Strategy<Value = Clock> {
    prop_oneof![
        16 => (0_usize..64, -1_i8..=1).prop_map(|(which, off)| Clock::To(which, off)),
        6 => time(4).prop_map(Clock::Forward),
        4 => (0_u64..3).prop_map(|nanos| Clock::Forward(Duration::from_nanos(nanos))),
        2 => time(1_000).prop_map(Clock::Forward),
        1 => time(10_000_000).prop_map(Clock::Forward),
        2 => time(8).prop_map(Clock::Back),
    ]
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        24 => Just(Op::Admit),
        22 => (0_usize..8, outcome(), any::<bool>())
            .prop_map(|(which, outcome, short)| Op::Settle(which, outcome, short)),
        4 => (0_usize..8).prop_map(Op::Drop),
        6 => (0_usize..8).prop_map(Op::ResponseStarted),
        18 => clock().prop_map(Op::Clock),
        1 => Just(Op::Unready),
        2 => Just(Op::WouldReject),
        1 => of(time(10)).prop_map(Op::Reject),
        2 => Just(Op::Tick),
        3 => verb().prop_map(Op::Manual),
        1 => config().prop_map(|config| Op::Reconfigure(Box::new(config))),
        1 => any::<bool>().prop_map(Op::HealthCheck),
        1 => Just(Op::AdmitHealthCheck),
    ]
}

type Rules = (
    Option<(u32, Duration)>,
    Option<(u32, Duration)>,
    Option<(u64, u32)>,
    Option<u32>,
    Option<Slow>,
    Option<u64>,
);

fn rules() -> impl Strategy<Value = Rules> {
    let over = prop_oneof![2 => Just(Duration::ZERO), 1 => time(3)];
    let after = prop_oneof![
        3 => (1_u64..10).prop_map(Duration::from_secs),
        1 => millis(1_000..10_000),
        1 => (1_000_000_000_u64..9_000_000_000).prop_map(Duration::from_nanos),
    ];
    let slow = (time(4), share(), 1_u32..6);
    (
        prop_oneof![1 => Just(None), 2 => (1_u32..4, over).prop_map(Some)],
        prop_oneof![2 => Just(None), 1 => (1_u32..4, after).prop_map(Some)],
        prop_oneof![1 => Just(None), 1 => (share(), 1_u32..7).prop_map(Some)],
        prop_oneof![3 => Just(None), 1 => (1_u32..120).prop_map(Some)],
        prop_oneof![
            2 => Just(None),
            1 => slow.prop_map(|(after, per_million, min_calls)| {
                Some(Slow { after, per_million, min_calls })
            }),
        ],
        prop_oneof![4 => Just(None), 1 => (3_u64..20).prop_map(Some)],
    )
}

fn shape() -> impl Strategy<Value = Shape> {
    let time = (millis(50..3_000), 1_u32..10, 0_u64..10).prop_map(|(width, buckets, more)| {
        Shape::Time { period: width * buckets + Duration::from_nanos(more), buckets }
    });
    let long = Just(Shape::Time { period: Duration::from_secs(32), buckets: 32 });
    prop_oneof![6 => time, 1 => long, 5 => (1_u32..9).prop_map(Shape::Count)]
}

fn back_off() -> impl Strategy<Value = Backoff> {
    let jitter = prop_oneof![4 => Just(0.0), 1 => Just(0.2), 1 => Just(1.0)];
    let callback = prop_oneof![6 => Just(None), 1 => time(10).prop_map(Some)];
    (time(8), 1_u32..4, 1_u32..10, jitter, callback).prop_map(
        |(initial, multiplier, most, jitter, callback)| Backoff {
            initial,
            multiplier,
            max: initial * most,
            jitter,
            callback,
        },
    )
}

fn decide_by() -> impl Strategy<Value = DecideBy> {
    prop_oneof![
        3 => (1_u32..4).prop_map(DecideBy::Successes),
        2 => (1_u32..6, share())
            .prop_map(|(calls, per_million)| DecideBy::Sample { calls, per_million }),
    ]
}

fn ramp() -> impl Strategy<Value = Option<(Vec<u8>, Duration)>> {
    let steps = proptest::collection::vec(prop_oneof![Just(100), Just(50), 1_u8..=100], 1..4);
    let ramp = (steps, time(5)).prop_map(|(mut steps, step)| {
        steps.sort_unstable();
        (steps, step)
    });
    prop_oneof![2 => Just(None), 1 => ramp.prop_map(Some)]
}

/// The settings of waits: `min_hold`, and above it the default and the cap of throttled and of exhausted outcomes.
fn holds() -> impl Strategy<Value = (Duration, [Option<Duration>; 2], [Duration; 2], Throttled)> {
    let min = prop_oneof![Just(Duration::ZERO), Just(Duration::from_secs(1)), time(3)];
    let action = prop_oneof![
        2 => Just(Throttled::Hold),
        1 => Just(Throttled::CountAsFailure),
        1 => Just(Throttled::Ignore),
    ];
    (min, of(time(5)), time(15), time(15), time(30), action).prop_map(
        |(min, default, cap, hold, more, action)| {
            let default = default.map(|default| min + default);
            let hold = min + hold;
            (min, [default, Some(default.unwrap_or(min) + cap)], [hold, hold + more], action)
        },
    )
}

pub(super) fn config() -> impl Strategy<Value = Config> {
    let times = (
        prop_oneof![2 => Just(None), 1 => Just(Some(Duration::ZERO)), 2 => time(10).prop_map(Some)],
        prop_oneof![3 => Just(None), 1 => Just(Some(Duration::ZERO)), 2 => time(4).prop_map(Some)],
        prop_oneof![3 => Just(0.0), 1 => Just(0.1), 1 => Just(1.0)],
        any::<bool>(),
    );
    let half_open = (1_u32..4, time(10), decide_by(), ramp());
    (rules(), shape(), back_off(), half_open, holds(), times).prop_map(
        |(rules, window, cooldown, half_open, holds, times)| {
            let (consecutive, overdue, failure_rate, failures, slow, custom) = rules;
            let (probes, lease, decide_by, ramp) = half_open;
            let (min_hold, [default_hold, max_hold], [exhausted_hold, exhausted_max], throttled) =
                holds;
            let (stable_for, cancelled_after, hold_jitter, track_in_flight) = times;
            Config {
                consecutive,
                overdue,
                failure_rate,
                failures,
                slow,
                custom,
                window,
                cooldown,
                stable_for,
                probes,
                lease,
                decide_by,
                ramp,
                throttled,
                default_hold,
                max_hold: max_hold.unwrap_or(min_hold),
                exhausted_hold,
                exhausted_max,
                min_hold,
                hold_jitter,
                cancelled_after,
                track_in_flight,
            }
        },
    )
}
