use std::time::Duration;

use crate::drive::drive;
use crate::inner::{Broken, HttpInner, Inner, get};

use super::*;

const HOUR: u64 = 3_600_000_000_000;

fn failures_until_open<R: Rule>(rule: R) -> u32 {
    let mut service = Guarded::new(Inner::Fails, rule, Typed);
    (0..1000).take_while(|_| drive(&mut service, 1) == Err(Rejected::Inner(Broken))).count() as u32
}

#[test]
fn every_floor_trips_on_consecutive_failures() {
    assert_eq!(failures_until_open(Consecutive::new(5)), 5);
    assert_eq!(failures_until_open(Windowed::new(5, 1000)), 5);
    assert_eq!(failures_until_open(Slow::new(5, HOUR)), 5);
    assert_eq!(failures_until_open(CancelledAfter::new(5, HOUR)), 5);
    assert_eq!(failures_until_open(Overdue::new(5, 5, HOUR)), 5);
}

#[test]
fn the_windowed_floor_trips_on_a_rate() {
    assert_eq!(failures_until_open(Windowed::new(u32::MAX, 20)), 20);
}

#[test]
fn the_slow_floor_trips_on_slow_calls() {
    let mut service = Guarded::new(Inner::Works, Slow::new(5, 0), Typed);
    assert_eq!((0..1000).take_while(|_| drive(&mut service, 1).is_ok()).count(), 20);
}

#[test]
fn the_overdue_floor_trips_on_calls_that_hang() {
    let gate = Gate::default();
    let rule = Overdue::new(u32::MAX, 2, 1_000);
    let hanging = [rule.admit(&gate), rule.admit(&gate)];
    assert!(hanging.iter().all(Option::is_some));
    while rule.admit(&gate).map(|ticket| rule.settle(&gate, ticket, false)).is_some() {}
    assert!(gate.rejects().is_some());
}

#[test]
fn a_call_dropped_after_the_given_time_is_a_failure() {
    let gate = Gate::default();
    let rule = CancelledAfter::new(1, 0);
    let ticket = rule.admit(&gate).expect("closed");
    rule.dropped(&gate, ticket);
    assert!(gate.rejects().is_some());
}

#[test]
fn an_open_floor_answers_with_a_page() {
    let mut service = Guarded::new(HttpInner(Inner::Fails), Consecutive::new(1), Page("bench"));
    assert_eq!(drive(&mut service, get()).expect("infallible").status(), 500);
    let response = drive(&mut service, get()).expect("infallible");
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "3600");
    assert_eq!(response.headers()["x-circuit-open"], "bench");
}

#[test]
fn clones_share_a_gate() {
    let mut service = Guarded::new(Inner::Fails, Consecutive::new(1), Typed);
    let mut clone = service.clone();
    assert_eq!(drive(&mut service, 1), Err(Rejected::Inner(Broken)));
    let rejected = drive(&mut clone, 1);
    assert!(matches!(rejected, Err(Rejected::Open(left)) if left > Duration::from_secs(3000)));
}
