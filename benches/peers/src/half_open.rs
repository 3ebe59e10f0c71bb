//! Circuits brought into half-open, and held there.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tower_breaker_benches::drive::{Load, drive};
use tower_breaker_benches::inner::number;
use tower_service::Service;

use crate::case::Case;
use crate::dependency::{Does, Switch};
use crate::outcome::{Outcome, Verdict, outcome};
use crate::runtime;

/// The most failures that any of the configurations needs to trip, and some.
const FAILURES: u32 = 1_000;

/// The most probes at once of any of the configurations, and some.
const PROBES: usize = 64;

/// A breaker around a [`Switch`].
pub trait Guard:
    Service<u64, Response = u64, Error: Verdict, Future: Send + 'static> + Clone + Send + 'static
{
}

impl<S> Guard for S where
    S: Service<u64, Response = u64, Error: Verdict, Future: Send + 'static>
        + Clone
        + Send
        + 'static
{
}

/// All probes are out and hang; the calls after them are rejected.
///
/// # Errors
///
/// What the breaker does instead.
pub fn rejection<S: Guard>(
    mut service: S,
    waits: bool,
    switch: Switch,
    cooldown: Duration,
) -> Result<Case, String> {
    let probes = half_open(&mut service, switch, cooldown)?;
    if probes.len() == PROBES {
        return Err("admits any number of probes".to_owned());
    }
    // A breaker that lets one more through is found out by its success.
    switch.set(Does::Works);
    Ok(Case::new(service, waits, number, outcome, Outcome::Rejected).keeping(probes))
}

/// Every call is a probe that is dropped before its end.
///
/// # Errors
///
/// What the breaker does instead.
pub fn cancelled<S: Guard>(
    mut service: S,
    switch: Switch,
    cooldown: Duration,
    reopens_within: u32,
) -> Result<Case, String> {
    drop(half_open(&mut service, switch, cooldown)?);
    let mut looked_at = service.clone();
    let right = move || {
        let _inside = runtime::enter();
        let admitted = begin(&mut looked_at).is_ok();
        admitted.then_some(()).ok_or("a probe was not admitted after the cancelled ones".to_owned())
    };
    let mut last = service.clone();
    let ended = move || reopens(&mut last, switch, reopens_within);
    let load = Load::of(
        move |calls| {
            for _ in 0..calls {
                dropped(&mut service);
            }
        },
        |_| {},
    );
    Ok(Case::alone(load, right).ending(ended))
}

/// Trips the breaker, waits until it admits a call, and takes all probes that it has.
fn half_open<S: Guard>(
    service: &mut S,
    switch: Switch,
    cooldown: Duration,
) -> Result<Vec<Pin<Box<S::Future>>>, String> {
    let _inside = runtime::enter();
    switch.set(Does::Fails);
    let rejected = |_| outcome(&drive(service, number())) == Outcome::Rejected;
    if !(0..FAILURES).any(rejected) {
        return Err("does not trip".to_owned());
    }
    switch.set(Does::Hangs);
    let deadline = Instant::now() + cooldown * 2 + Duration::from_secs(1);
    let mut probes = Vec::new();
    loop {
        match begin(service) {
            Ok(probe) => probes.push(probe),
            Err(_) if probes.is_empty() && Instant::now() < deadline => {
                std::thread::park_timeout(Duration::from_millis(1));
            }
            Err(outcome) if probes.is_empty() => {
                return Err(format!("no probe after the cooldown: {outcome:?}"));
            }
            Err(_) => return Ok(probes),
        }
        if probes.len() == PROBES {
            return Ok(probes);
        }
    }
}

/// A call that hangs, or what came of it.
fn begin<S: Guard>(service: &mut S) -> Result<Pin<Box<S::Future>>, Outcome> {
    let mut cx = Context::from_waker(Waker::noop());
    if let Poll::Ready(Err(error)) = service.poll_ready(&mut cx) {
        return Err(outcome(&Err(error)));
    }
    let mut call = Box::pin(service.call(number()));
    match call.as_mut().poll(&mut cx) {
        Poll::Pending => Ok(call),
        Poll::Ready(result) => Err(outcome(&result)),
    }
}

#[inline]
fn dropped<S: Guard>(service: &mut S) {
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut cx).is_ready(), "the service is not ready");
    let poll = pin!(service.call(number())).poll(&mut cx);
    assert!(poll.is_pending(), "the call was not admitted");
}

/// A half-open circuit opens at its next failures; a closed one would need many more.
fn reopens<S: Guard>(service: &mut S, switch: Switch, within: u32) -> Result<(), String> {
    let _inside = runtime::enter();
    switch.set(Does::Fails);
    let mut failed = |_: &u32| outcome(&drive(service, number())) == Outcome::Failed;
    let failures = (0..FAILURES).take_while(&mut failed).count() as u32;
    switch.set(Does::Hangs);
    (1..=within)
        .contains(&failures)
        .then_some(())
        .ok_or(format!("{failures} failures to open again, so it was not half-open"))
}
