use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::machine::Callbacks;
use crate::probe::Probe;
use crate::settings::Settings;
use crate::state::{Cause, State};
use crate::trip::Trip;

const S: Duration = Duration::from_secs(1);

fn machine(settings: Settings) -> (Machine, Instant) {
    let start = Instant::now();
    (Machine::new(Arc::from("response"), settings, Callbacks::default(), start, 1), start)
}

/// Settings of a breaker that opens after one failure, for 5 s.
fn settings() -> Settings {
    Settings::builder()
        .trip(Trip::none().consecutive(1))
        .cooldown(crate::Backoff::fixed(5 * S).jitter(0.0))
        .build()
        .unwrap()
}

fn admit(machine: &Machine, at: Instant) -> PermitState {
    machine.admit(|| at).0.permit().unwrap()
}

/// Returns the tail of a probe whose response has started.
fn tail(machine: &Machine, start: Instant) -> PermitState {
    let permit = admit(machine, start);
    let _opened = machine.settle(permit, Outcome::failure(), || start);
    let probe = admit(machine, start + 5 * S);
    assert!(probe.is_probe());
    let (tail, _closed) = machine.response_started(probe, || start + 6 * S);
    assert!(tail.is_tail() && !tail.is_probe());
    tail
}

#[test]
fn the_start_of_a_response_ends_the_time_of_a_slow_call() {
    let slow = Trip::none().slow(S, 1.0, 1);
    let (machine, start) = machine(settings().to_builder().trip(slow).build().unwrap());
    let permit = admit(&machine, start);
    let (permit, _) = machine.response_started(permit, || start + S - Duration::from_nanos(1));
    let settled = machine.settle(permit, Outcome::success(), || start + 100 * S);
    assert!(settled.transitions.is_empty());
    let permit = admit(&machine, start + 100 * S);
    let (permit, _) = machine.response_started(permit, || start + 101 * S);
    let (permit, _) = machine.response_started(permit, || start + 200 * S);
    let settled = machine.settle(permit, Outcome::success(), || start + 200 * S);
    assert_eq!(settled.transitions.into_iter().next().unwrap().cause, Cause::SlowRate);
}

#[test]
fn a_call_whose_response_has_started_is_not_overdue() {
    let overdue = Trip::none().overdue(2, S);
    let (machine, start) = machine(settings().to_builder().trip(overdue).build().unwrap());
    let permits = [0, 1].map(|_| machine.response_started(admit(&machine, start), || start).0);
    let (third, transitions) = machine.admit(|| start + 10 * S);
    assert!(transitions.is_empty());
    assert_eq!(machine.snapshot(start + 10 * S).window.overdue, Some(0));
    for permit in permits.into_iter().chain(third.permit()) {
        let _settled = machine.settle(permit, Outcome::success(), || start + 11 * S);
    }
    assert_eq!(machine.snapshot(start + 100 * S).window.overdue, Some(0));
}

#[test]
fn a_probe_succeeds_when_its_response_starts() {
    let (machine, start) = machine(settings());
    let tail = tail(&machine, start);
    assert_eq!(machine.state(|| start + 6 * S), State::Closed);
    let _nothing = machine.settle(tail, Outcome::success(), || start + 100 * S);
    let totals = machine.snapshot(start + 100 * S).totals;
    assert_eq!((totals.success, totals.broken_after), (1, 0));
}

#[test]
fn a_probe_that_breaks_later_is_one_failure_of_the_next_epoch() {
    let (machine, start) = machine(settings());
    let tail = tail(&machine, start);
    let settled = machine.settle(tail, Outcome::failure(), || start + 7 * S);
    let opened = settled.transitions.into_iter().next().unwrap();
    assert_eq!((opened.from, opened.cause), (State::Closed, Cause::ConsecutiveFailures));
    let totals = machine.snapshot(start + 7 * S).totals;
    assert_eq!((totals.success, totals.failure, totals.broken_after), (1, 1, 1));
}

#[test]
fn a_tail_whose_epoch_is_over_is_only_counted() {
    let (machine, start) = machine(settings());
    let tail = tail(&machine, start);
    let _reset = machine.manual(crate::machine::Verb::Reset, start + 7 * S);
    let settled = machine.settle(tail, Outcome::failure(), || start + 8 * S);
    assert!(settled.transitions.is_empty());
    assert_eq!(machine.snapshot(start + 8 * S).totals.broken_after, 1);
}

#[test]
fn neutral_ends_of_a_tail_change_nothing() {
    for outcome in [Outcome::cancelled(), Outcome::ignored()] {
        let (machine, start) = machine(settings());
        let tail = tail(&machine, start);
        let settled = machine.settle(tail, outcome, || start + 700 * S);
        assert!(settled.transitions.is_empty());
        assert_eq!(machine.snapshot(start + 700 * S).totals.broken_after, 0);
    }
}

#[test]
fn a_probe_that_breaks_while_others_are_needed_reopens() {
    let settings = settings().to_builder().probe(Probe::successes(2)).build().unwrap();
    let (machine, start) = machine(settings);
    let tail = tail(&machine, start);
    assert_eq!(machine.state(|| start + 6 * S), State::HalfOpen);
    let settled = machine.settle(tail, Outcome::failure(), || start + 7 * S);
    let reopened = settled.transitions.into_iter().next().unwrap();
    assert_eq!((reopened.to, reopened.cause), (State::Open, Cause::ProbeFailed));
}

#[test]
fn a_sample_revokes_the_success_of_a_probe_that_breaks() {
    let sample = Probe::sample(4, 0.5).in_flight(4);
    let (machine, start) = machine(settings().to_builder().probe(sample).build().unwrap());
    let first = tail(&machine, start);
    let second = admit(&machine, start + 6 * S);
    let settled = machine.settle(first, Outcome::failure(), || start + 7 * S);
    assert!(settled.transitions.is_empty());
    let settled = machine.settle(second, Outcome::failure(), || start + 7 * S);
    assert_eq!(settled.transitions.into_iter().next().unwrap().cause, Cause::ProbeFailed);
}

#[test]
fn a_response_that_starts_after_the_lease_is_late_and_leaves_no_tail() {
    let (machine, start) = machine(settings());
    let permit = admit(&machine, start);
    let _opened = machine.settle(permit, Outcome::failure(), || start);
    let probe = admit(&machine, start + 5 * S);
    let (rest, _) = machine.response_started(probe, || start + 500 * S);
    assert!(rest.is_inert());
    let totals = machine.snapshot(start + 500 * S).totals;
    assert_eq!((totals.late, totals.success), (1, 0));
}
