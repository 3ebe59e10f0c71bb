//! Tests of the knobs that differ from ours, with the numbers of the cases. The steps of a case may not show the
//! difference.
//!
//! Each function takes a breaker with the numbers of a case, makes the calls that show the difference, asserts our
//! behaviour, and returns whether the case has the knob. In the comments, "theirs" is the original breaker and "ours"
//! is this crate.

use std::collections::BTreeMap;
use std::time::Duration;

use tower_breaker::{BreakerHandle, Cause, Permit, Probe, State};

use super::case::{Case, HalfOpen, Knobs, Rule};
use super::is_left_out;
use super::setup::{Attempts, ms};
use super::world::pass;

fn permit(handle: &BreakerHandle) -> Permit {
    handle.try_acquire().unwrap_or_else(|open| panic!("{}: {open}", handle.name()))
}

#[track_caller]
fn reads(handle: &BreakerHandle, state: State) {
    assert_eq!(handle.state(), state, "{}", handle.name());
}

fn is_set(knob: &Option<String>, value: &str) -> bool {
    knob.as_deref() == Some(value)
}

/// Returns the half-open settings and half-opens the circuit, if `how` accepts the settings.
fn half_open<'a>(
    knobs: &'a Knobs,
    handle: &BreakerHandle,
    how: impl Fn(&HalfOpen) -> bool,
) -> Option<&'a HalfOpen> {
    let half_open = knobs.half_open.as_ref().filter(|half_open| how(half_open))?;
    handle.hold_for(Duration::ZERO);
    reads(handle, State::HalfOpen);
    Some(half_open)
}

/// Theirs opens above the rate. Ours opens at the rate.
fn cmp(knobs: &Knobs, handle: &BreakerHandle) -> bool {
    let Some((rate, true)) = knobs.failure_rate() else { return false };
    let whole =
        |calls: u32| (f64::from(calls) * rate - (f64::from(calls) * rate).round()).abs() < 1e-9;
    let calls =
        (knobs.min_calls.max(1)..).find(|calls| whole(*calls)).expect("a rate of two digits");
    let failures = (f64::from(calls) * rate).round() as u32;
    (failures..calls).for_each(|_| permit(handle).success());
    (1..failures).for_each(|_| permit(handle).failure());
    reads(handle, State::Closed);
    permit(handle).failure();
    reads(handle, State::Open);
    true
}

/// Theirs opens with a success if the rate is too high after it. Ours opens with the next failure.
fn every_outcome(knobs: &Knobs, handle: &BreakerHandle) -> bool {
    if !is_set(&knobs.evaluate_on, "every_outcome")
        || knobs.failure_rate().is_none()
        || knobs.min_calls < 2
    {
        return false;
    }
    (1..knobs.min_calls).for_each(|_| permit(handle).failure());
    permit(handle).success();
    let rate = handle.snapshot().window.failure_rate.expect("enough calls");
    assert!(rate >= knobs.failure_rate().expect("a rate").0, "{}: {rate}", handle.name());
    reads(handle, State::Closed);
    permit(handle).failure();
    assert_eq!(handle.snapshot().cause, Cause::FailureRate, "{}", handle.name());
    true
}

/// Theirs evaluates its rules periodically. Ours opens with the failure itself.
fn periodic(knobs: &Knobs, handle: &BreakerHandle) -> bool {
    if !is_set(&knobs.evaluate_on, "periodic") {
        return false;
    }
    (1..knobs.min_calls).for_each(|_| permit(handle).failure());
    reads(handle, State::Closed);
    permit(handle).failure();
    reads(handle, State::Open);
    true
}

/// In theirs, a call is slow if it takes longer than the limit. In ours, it is slow if it takes at least the limit.
async fn slow(knobs: &Knobs, handle: &BreakerHandle) -> bool {
    let rule = knobs.trip.iter().flatten().find(|rule| matches!(rule, Rule::SlowRate { .. }));
    let (Some(Rule::SlowRate { cmp, .. }), Some(after)) = (rule, knobs.slow_call_ms) else {
        return false;
    };
    assert!(is_set(&knobs.slow_cmp, ">") && cmp == ">=", "the share is compared as in ours");
    let permits: Vec<_> = (0..knobs.min_calls).map(|_| permit(handle)).collect();
    pass(ms(after)).await;
    permits.into_iter().for_each(Permit::success);
    assert_eq!(handle.snapshot().cause, Cause::SlowRate, "{}", handle.name());
    true
}

/// Theirs admits after the end of the cooldown. Ours admits at the end, and not a nanosecond earlier.
async fn boundary(knobs: &Knobs, handle: &BreakerHandle) -> bool {
    if !is_set(&knobs.cooldown_boundary, "exclusive") {
        return false;
    }
    for _ in 0..1_000 {
        match handle.try_acquire() {
            Ok(permit) => permit.failure(),
            Err(open) => {
                assert_eq!(open.retry_after(), Some(knobs.first_cooldown()), "{}", handle.name());
                break;
            }
        }
    }
    let nano = Duration::from_nanos(1);
    pass(knobs.first_cooldown() - nano).await;
    assert_eq!(handle.try_acquire().expect_err("open").retry_after(), Some(nano));
    pass(nano).await;
    assert!(permit(handle).is_probe());
    true
}

/// Theirs closes half-open with an ignored outcome. In ours, it is neutral in half-open and in the window.
fn ignored(knobs: &Knobs, handle: &BreakerHandle) -> bool {
    if !is_set(&knobs.ignored, "success") {
        return false;
    }
    permit(handle).ignore();
    assert_eq!(handle.snapshot().window.calls, 0, "{}", handle.name());
    if half_open(knobs, handle, |_| true).is_some() {
        for _ in 0..Probe::MAX_IN_FLIGHT + 1 {
            permit(handle).ignore();
            reads(handle, State::HalfOpen);
        }
    }
    true
}

/// In theirs, a result from before the trip decides half-open. Ours counts it as late.
fn stale(knobs: &Knobs, handle: &BreakerHandle) -> bool {
    if !is_set(&knobs.stale, "count") {
        return false;
    }
    let old = [permit(handle), permit(handle)];
    half_open(knobs, handle, |_| true);
    let probe = permit(handle);
    let [good, bad] = old;
    good.success();
    reads(handle, State::HalfOpen);
    bad.failure();
    reads(handle, State::HalfOpen);
    assert!(probe.is_probe());
    assert_eq!(handle.snapshot().totals.late, 2, "{}", handle.name());
    true
}

/// Theirs limits the total number of probes, or does not limit it. Ours limits the number of concurrent probes.
fn scope(knobs: &Knobs, handle: &BreakerHandle) -> bool {
    let counts =
        |how: &HalfOpen| how.permit_scope != "concurrent" && how.successes.is_some_and(|n| n > 1);
    let Some(how) = half_open(knobs, handle, counts) else { return false };
    let most = if how.permits == 0 { Probe::MAX_IN_FLIGHT } else { how.permits };
    let mut probes: Vec<_> = (0..most).map(|_| permit(handle)).collect();
    assert!(handle.try_acquire().is_err(), "{}", handle.name());
    probes.pop().expect("one").success();
    reads(handle, State::HalfOpen);
    assert!(permit(handle).is_probe());
    true
}

/// Theirs decides with the last of its calls. Ours reopens with the failure that decides.
fn decide(knobs: &Knobs, handle: &BreakerHandle) -> bool {
    let waits = |how: &HalfOpen| ["rate_after_min_calls", "failure_rate"].contains(&&*how.decide);
    let Some(how) = half_open(knobs, handle, waits) else { return false };
    let calls = how.executions.unwrap_or(knobs.min_calls.min(how.permits));
    let rate = how.threshold.or(knobs.failure_rate().map(|rate| rate.0)).expect("a rate");
    let deciding = (f64::from(calls) * rate).ceil() as u32;
    assert!(deciding < calls);
    (1..deciding).for_each(|_| permit(handle).failure());
    reads(handle, State::HalfOpen);
    permit(handle).failure();
    assert_eq!(handle.snapshot().cause, Cause::ProbeFailed, "{}", handle.name());
    true
}

/// Theirs ends half-open after a time. Ours stays half-open if no probe is in flight.
async fn max_wait(knobs: &Knobs, handle: &BreakerHandle) -> bool {
    let Some(how) = half_open(knobs, handle, |how| how.max_wait_ms.is_some()) else { return false };
    pass(ms(10 * how.max_wait_ms.expect("a limit"))).await;
    reads(handle, State::HalfOpen);
    assert!(permit(handle).is_probe());
    true
}

#[tokio::test(start_paused = true)]
async fn every_knob_that_differs_is_tested() {
    let mut found = BTreeMap::new();
    for case in Case::all().iter().filter(|case| !is_left_out(case)) {
        let (knobs, steps) = (case.config(), case.steps());
        let fresh = || knobs.handle(&case.id, &steps, &Attempts::default());
        for (knob, done) in [
            ("cmp", cmp(&knobs, &fresh())),
            ("evaluate_on every_outcome", every_outcome(&knobs, &fresh())),
            ("evaluate_on periodic", periodic(&knobs, &fresh())),
            ("slow_cmp", slow(&knobs, &fresh()).await),
            ("cooldown_boundary", boundary(&knobs, &fresh()).await),
            ("ignored", ignored(&knobs, &fresh())),
            ("stale", stale(&knobs, &fresh())),
            ("half_open.permit_scope", scope(&knobs, &fresh())),
            ("half_open.decide", decide(&knobs, &fresh())),
            ("half_open.max_wait_ms", max_wait(&knobs, &fresh()).await),
        ] {
            *found.entry(knob).or_insert(0) += u32::from(done);
        }
    }
    for (knob, cases) in found {
        println!("opposite of {knob}: {cases} cases");
        assert!(cases > 0, "no case has {knob}");
    }
}
