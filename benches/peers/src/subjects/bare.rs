//! No guard: what a call, a look at the clock and a box cost.

use std::hint::black_box;
use std::time::Instant;

use crate::dependency::Dependency;
use crate::half_open::Guard;
use crate::own::Own;
use crate::peer::{Limits, Peer};
use crate::scenario::Scenario;

pub(super) struct Nothing;

impl Peer for Nothing {
    const KRATE: &str = "bare";
    const CONFIG: &str = "no guard";
    const ASKED: &[&[Scenario]] = &[Scenario::BARE];

    fn guard<S: Dependency>(inner: S, _: Limits) -> impl Guard {
        inner
    }
}

pub(super) struct ReadsClock;

impl Peer for ReadsClock {
    const KRATE: &str = "bare";
    const CONFIG: &str = "Instant::now() per call";
    const ASKED: &[&[Scenario]] = &[Scenario::BARE];

    fn guard<S: Dependency>(mut inner: S, _: Limits) -> impl Guard {
        Own(move |request| {
            black_box(Instant::now());
            inner.call(request)
        })
    }
}

pub(super) struct Boxes;

impl Peer for Boxes {
    const KRATE: &str = "bare";
    const CONFIG: &str = "Box::pin per call";
    const ASKED: &[&[Scenario]] = &[Scenario::BARE];

    fn guard<S: Dependency>(mut inner: S, _: Limits) -> impl Guard {
        // Looked at, so that the box is not optimised away.
        Own(move |request| black_box(Box::pin(inner.call(request))))
    }
}
