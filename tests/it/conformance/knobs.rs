//! Differences between a knob of a case and our behaviour that the steps of the case do not show.
//!
//! Each function takes a breaker with the values of a case, takes the steps that show the difference, asserts our behaviour,
//! and returns whether the case has the knob.

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

fn says(knob: &Option<String>, value: &str) -> bool {
    knob.as_deref() == Some(value)
}

/// The half-open configuration, if the knob has this value. The circuit is due for a probe.
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

/// Theirs opens above the rate, ours at the rate.
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

/// Theirs opens with a success after which the rate is too high, ours with the next failure.
fn every_outcome(knobs: &Knobs, handle: &BreakerHandle) -> bool {
    if !says(&knobs.evaluate_on, "every_outcome")
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

/// Theirs evaluates periodically, ours with each failure.
fn periodic(knobs: &Knobs, handle: &BreakerHandle) -> bool {
    if !says(&knobs.evaluate_on, "periodic") {
        return false;
    }
    (1..knobs.min_calls).for_each(|_| permit(handle).failure());
    reads(handle, State::Closed);
    permit(handle).failure();
    reads(handle, State::Open);
    true
}

/// Theirs counts calls above the threshold as slow, ours also calls at the threshold.
async fn slow(knobs: &Knobs, handle: &BreakerHandle) -> bool {
    let rule = knobs.trip.iter().flatten().find(|rule| matches!(rule, Rule::SlowRate { .. }));
    let (Some(Rule::SlowRate { cmp, .. }), Some(after)) = (rule, knobs.slow_call_ms) else {
        return false;
    };
    assert!(says(&knobs.slow_cmp, ">") && cmp == ">=", "the share itself is compared as ours");
    let permits: Vec<_> = (0..knobs.min_calls).map(|_| permit(handle)).collect();
    pass(ms(after)).await;
    permits.into_iter().for_each(Permit::success);
    assert_eq!(handle.snapshot().cause, Cause::SlowRate, "{}", handle.name());
    true
}

/// Theirs admits after the end of the cooldown, ours at its end and not a nanosecond earlier.
async fn boundary(knobs: &Knobs, handle: &BreakerHandle) -> bool {
    if !says(&knobs.cooldown_boundary, "exclusive") {
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

/// Theirs closes with an ignored outcome of a probe, ours ignores it, for the probe and in the window.
fn ignored(knobs: &Knobs, handle: &BreakerHandle) -> bool {
    if !says(&knobs.ignored, "success") {
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

/// Theirs lets a result from before the trip decide half-open, ours counts it as late.
fn stale(knobs: &Knobs, handle: &BreakerHandle) -> bool {
    if !says(&knobs.stale, "count") {
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

/// Theirs limits the total number of permits, or has no limit. Ours limits concurrent permits.
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

/// Theirs waits for its last call, ours reopens with the failure that decides.
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

/// Theirs ends half-open after a time, ours has no limit while no probe is in flight.
async fn max_wait(knobs: &Knobs, handle: &BreakerHandle) -> bool {
    let Some(how) = half_open(knobs, handle, |how| how.max_wait_ms.is_some()) else { return false };
    pass(ms(10 * how.max_wait_ms.expect("a limit"))).await;
    reads(handle, State::HalfOpen);
    assert!(permit(handle).is_probe());
    true
}

#[tokio::test(start_paused = true)]
async fn every_knob_that_differs_is_turned() {
    let mut turned = BTreeMap::new();
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
            *turned.entry(knob).or_insert(0) += u32::from(done);
        }
    }
    for (knob, cases) in turned {
        println!("opposite of {knob}: in {cases} cases");
        assert!(cases > 0, "{knob} is nowhere");
    }
}
