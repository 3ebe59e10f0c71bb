use std::task::Waker;
use std::time::Duration;

use layered::{Execute, Layer, Service};
use seatbelt::breaker::{Breaker, BreakerLayer, HalfOpenMode};
use seatbelt::{RecoveryInfo, ResilienceContext};
use tick::Clock;
use tick::runtime::InactiveClock;
use tower_breaker_benches::inner::Broken;

use crate::dependency::Dependency;
use crate::direct::{DirectCall, forever};
use crate::half_open::Guard;
use crate::outcome::REJECTED;
use crate::peer::{Limits, Peer};
use crate::scenario::Scenario;

const KRATE: &str = "seatbelt 0.11";
const BOTH: &[&[Scenario]] = &[Scenario::BREAKER, Scenario::WINDOW];
/// A dropped probe keeps its slot for another break.
const UNSUPPORTED: &[Scenario] = &[Scenario::HalfOpenCancelled];
/// A probe that hangs loses its slot after the same time, so the measurement must fit in it.
const COOLDOWN: Duration = Duration::from_secs(3);

type Outputs = Result<u64, Broken>;

pub(super) fn clock() -> Clock {
    let (clock, driver) = InactiveClock::default().activate(Waker::noop().clone());
    // Only timers need the driver, but the clock stops working if it is dropped.
    forever(driver);
    clock
}

fn layer(limits: Limits, fast: bool) -> BreakerLayer<u64, Outputs> {
    let context = ResilienceContext::new(clock().with_fast_instant(fast));
    Breaker::layer("bench", &context)
        .recovery_with(|output: &Outputs, _| match output {
            Ok(_) => RecoveryInfo::never(),
            Err(_) => RecoveryInfo::retry(),
        })
        .rejected_input(|_, _| Ok(REJECTED))
        .min_throughput(if limits.trips { 100 } else { u32::MAX })
        .break_duration(limits.cooldown)
        .half_open_mode(HalfOpenMode::quick())
}

pub(super) struct Tower;

impl Peer for Tower {
    const KRATE: &str = KRATE;
    const CONFIG: &str = "default, quick half-open";
    const SCENARIOS: &[&[Scenario]] = BOTH;
    const UNSUPPORTED: &[Scenario] = UNSUPPORTED;
    const COOLDOWN: Duration = COOLDOWN;

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        layer(limits, false).layer(inner)
    }
}

pub(super) struct TowerFast;

impl Peer for TowerFast {
    const KRATE: &str = KRATE;
    const CONFIG: &str = "default, fast-instant clock";
    const SCENARIOS: &[&[Scenario]] = BOTH;
    const UNSUPPORTED: &[Scenario] = UNSUPPORTED;
    const COOLDOWN: Duration = COOLDOWN;

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        layer(limits, true).layer(inner)
    }
}

pub(super) struct Layered;

impl Peer for Layered {
    const KRATE: &str = KRATE;
    const CONFIG: &str = "default; own call, async";
    const SCENARIOS: &[&[Scenario]] = BOTH;
    const UNSUPPORTED: &[Scenario] = UNSUPPORTED;
    const COOLDOWN: Duration = COOLDOWN;

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        let call = Execute::new(move |request: u64| {
            let mut inner = inner;
            inner.call(request)
        });
        let breaker = forever(layer(limits, false).layer(call));
        DirectCall(move |request| breaker.execute(request))
    }
}
