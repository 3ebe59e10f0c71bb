use std::future::ready;

use recloser::{AsyncRecloser, Error, Recloser};

use crate::dependency::Dependency;
use crate::direct::{DirectCall, call_sync, forever};
use crate::half_open::Guard;
use crate::outcome::MaybeRejection;
use crate::peer::{Limits, Peer};
use crate::scenario::Scenario;

const KRATE: &str = "recloser 1.4";

impl<E> MaybeRejection for Error<E> {
    fn is_rejection(&self) -> bool {
        matches!(self, Self::Rejected)
    }
}

fn new(limits: Limits) -> Recloser {
    let rate = if limits.trips { 0.5 } else { 2.0 };
    Recloser::custom().error_rate_closed(rate).open_wait(limits.cooldown).build()
}

pub(super) struct Future;

impl Peer for Future {
    const KRATE: &str = KRATE;
    const CONFIG: &str = "default; own call, async";
    // Every call is a probe.
    const UNSUPPORTED: &[Scenario] = &[Scenario::HalfOpenRejection];
    const REOPENS_WITHIN: u32 = 11;

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        let breaker = forever(AsyncRecloser::from(new(limits)));
        DirectCall(move |request| {
            let mut inner = inner;
            breaker.call(inner.call(request))
        })
    }
}

pub(super) struct Function;

impl Peer for Function {
    const KRATE: &str = KRATE;
    const CONFIG: &str = "default; own call, sync";
    const UNSUPPORTED: &[Scenario] = &[Scenario::HalfOpenRejection, Scenario::HalfOpenCancelled];

    fn guard<S: Dependency>(inner: S, limits: Limits) -> impl Guard {
        let breaker = forever(new(limits));
        DirectCall(move |request| ready(breaker.call(|| call_sync(inner, request))))
    }
}
