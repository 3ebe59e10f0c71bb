//! Cases of circuits that are brought to half-open and held there.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tower_breaker_benches::drive::{Load, drive};
use tower_breaker_benches::inner::number;
use tower_service::Service;

use crate::case::Case;
use crate::dependency::{Behavior, Switch};
use crate::outcome::{MaybeRejection, Outcome, outcome};
use crate::runtime;

/// More failures than any configuration needs to trip.
const FAILURES: u32 = 1_000;

/// More concurrent probes than any configuration admits.
const PROBES: usize = 64;

/// A breaker around a [`Switch`].
pub trait Guard:
    Service<u64, Response = u64, Error: MaybeRejection, Future: Send + 'static> + Clone + Send + 'static
{
}

impl<S> Guard for S where
    S: Service<u64, Response = u64, Error: MaybeRejection, Future: Send + 'static>
        + Clone
        + Send
        + 'static
{
}

/// Creates a case in which all probes are in flight and hang. Further calls are rejected.
///
/// # Errors
///
/// Returns what the breaker does instead.
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
    // If the breaker admits one more call, its success shows it.
    switch.set(Behavior::Works);
    Ok(Case::new(service, waits, number, outcome, Outcome::Rejected).keeping(probes))
}

/// Creates a case in which every call is a probe that is dropped before its end.
///
/// # Errors
///
/// Returns what the breaker does instead.
pub fn cancelled<S: Guard>(
    mut service: S,
    switch: Switch,
    cooldown: Duration,
    reopens_within: u32,
) -> Result<Case, String> {
    drop(half_open(&mut service, switch, cooldown)?);
    let mut checked = service.clone();
    let check = move || {
        let _guard = runtime::enter();
        let admitted = start(&mut checked).is_ok();
        admitted.then_some(()).ok_or("a probe was not admitted after the cancelled ones".to_owned())
    };
    let mut last = service.clone();
    let check_end = move || reopens(&mut last, switch, reopens_within);
    let load = Load::of(
        move |calls| {
            for _ in 0..calls {
                dropped(&mut service);
            }
        },
        |_| {},
    );
    Ok(Case::alone(load, check).check_at_end(check_end))
}

/// Trips the breaker, waits until it admits a call, and starts as many probes as it admits.
fn half_open<S: Guard>(
    service: &mut S,
    switch: Switch,
    cooldown: Duration,
) -> Result<Vec<Pin<Box<S::Future>>>, String> {
    let _guard = runtime::enter();
    switch.set(Behavior::Fails);
    let rejected = |_| outcome(&drive(service, number())) == Outcome::Rejected;
    if !(0..FAILURES).any(rejected) {
        return Err("does not trip".to_owned());
    }
    switch.set(Behavior::Hangs);
    let deadline = Instant::now() + cooldown * 2 + Duration::from_secs(1);
    let mut probes = Vec::new();
    loop {
        match start(service) {
            Ok(probe) => probes.push(probe),
            Err(_) if probes.is_empty() && Instant::now() < deadline => {
                std::thread::park_timeout(Duration::from_millis(1));
            }
            Err(outcome) if probes.is_empty() => {
                return Err(format!("admits no probe after the cooldown: {outcome:?}"));
            }
            Err(_) => return Ok(probes),
        }
        if probes.len() == PROBES {
            return Ok(probes);
        }
    }
}

/// Starts a call that hangs. Returns its future, or its outcome if it ended.
fn start<S: Guard>(service: &mut S) -> Result<Pin<Box<S::Future>>, Outcome> {
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

/// Checks that the circuit was half-open: it then opens within `within` failures. A closed circuit needs many more.
fn reopens<S: Guard>(service: &mut S, switch: Switch, within: u32) -> Result<(), String> {
    let _guard = runtime::enter();
    switch.set(Behavior::Fails);
    let mut failed = |_: &u32| outcome(&drive(service, number())) == Outcome::Failed;
    let failures = (0..FAILURES).take_while(&mut failed).count() as u32;
    switch.set(Behavior::Hangs);
    (1..=within)
        .contains(&failures)
        .then_some(())
        .ok_or(format!("took {failures} failures to open again, so it was not half-open"))
}
