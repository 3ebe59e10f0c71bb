//! No guard: the cost of a call, of a read of the clock, and of a box.

use std::hint::black_box;
use std::time::Instant;

use crate::dependency::Dependency;
use crate::direct::DirectCall;
use crate::half_open::Guard;
use crate::peer::{Limits, Peer};
use crate::scenario::Scenario;

pub(super) struct Nothing;

impl Peer for Nothing {
    const KRATE: &str = "bare";
    const CONFIG: &str = "no guard";
    const SCENARIOS: &[&[Scenario]] = &[Scenario::BARE];

    fn guard<S: Dependency>(inner: S, _: Limits) -> impl Guard {
        inner
    }
}

pub(super) struct ReadsClock;

impl Peer for ReadsClock {
    const KRATE: &str = "bare";
    const CONFIG: &str = "Instant::now() per call";
    const SCENARIOS: &[&[Scenario]] = &[Scenario::BARE];

    fn guard<S: Dependency>(mut inner: S, _: Limits) -> impl Guard {
        DirectCall(move |request| {
            black_box(Instant::now());
            inner.call(request)
        })
    }
}

pub(super) struct Boxes;

impl Peer for Boxes {
    const KRATE: &str = "bare";
    const CONFIG: &str = "Box::pin per call";
    const SCENARIOS: &[&[Scenario]] = &[Scenario::BARE];

    fn guard<S: Dependency>(mut inner: S, _: Limits) -> impl Guard {
        // `black_box` keeps the optimizer from removing the box.
        DirectCall(move |request| black_box(Box::pin(inner.call(request))))
    }
}
