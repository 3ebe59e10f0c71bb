//! Leases: there are never more than the limit, and none is lost.

use super::*;
use crate::{Cause, Outcome, Permit, Probe, Ramp};

/// Creates a breaker that is open and whose cooldown is over.
fn due(probe: Probe) -> (BreakerHandle, Events) {
    let handle = handle(settings(Trip::none().consecutive(1)).probe(probe).track_in_flight(true));
    let events = handle.events();
    handle.hold_for(Duration::ZERO);
    (handle, events)
}

fn probe(handle: &BreakerHandle) -> Permit {
    let permit = handle.try_acquire().expect("a lease");
    assert!(permit.is_probe());
    permit
}

#[test]
fn of_two_calls_exactly_one_becomes_the_probe() {
    model(|| {
        let (handle, mut events) = due(Probe::successes(1));
        let ask = |handle: &BreakerHandle| handle.try_acquire();
        let (one, two) = both(with(&handle, ask), with(&handle, ask));
        assert_eq!(u32::from(one.is_ok()) + u32::from(two.is_ok()), 1);
        let now = handle.snapshot();
        assert_eq!((now.state, now.probes), (State::HalfOpen, 1));
        assert_eq!(transitions(&mut events, &now).len(), 2, "half-open is reported once");
        let rejected = one.as_ref().err().or(two.as_ref().err()).expect("one of them");
        assert_eq!((rejected.state(), rejected.retry_after()), (State::HalfOpen, Some(5 * S)));
        drop((one, two));
        probe(&handle).success();
        let now = handle.snapshot();
        assert_eq!(now.state, State::Closed);
        adds_up(&now.totals, 2, 1);
    });
}

#[test]
fn a_dropped_probe_returns_its_lease() {
    model(|| {
        let (handle, mut events) = due(Probe::successes(1));
        let ask = |handle: &BreakerHandle| handle.try_acquire().map(drop).is_ok();
        let (one, two) = both(with(&handle, ask), with(&handle, ask));
        let admitted = u64::from(one) + u64::from(two);
        assert!(admitted > 0);
        let now = handle.snapshot();
        assert_eq!((now.state, now.probes, now.in_flight), (State::HalfOpen, 0, Some(0)));
        adds_up(&now.totals, admitted, 2 - admitted);
        assert_eq!(transitions(&mut events, &now).len(), 2);
        probe(&handle).success();
    });
}

#[test]
fn a_limit_of_two_leases_is_never_exceeded() {
    model(|| {
        let (handle, mut events) = due(Probe::successes(9).in_flight(2));
        let held = probe(&handle);
        let ask = |handle: &BreakerHandle| handle.try_acquire();
        let ((), one, two) = three(move || drop(held), with(&handle, ask), with(&handle, ask));
        let now = handle.snapshot();
        let leases = u32::from(one.is_ok()) + u32::from(two.is_ok());
        assert!(now.probes == leases && (1..=2).contains(&leases), "{now:?}");
        transitions(&mut events, &now);
        drop((one, two));
        let all = [probe(&handle), probe(&handle)];
        assert!(handle.try_acquire().is_err());
        drop(all);
        assert_eq!(handle.snapshot().probes, 0);
    });
}

#[test]
fn a_dropped_probe_and_a_successful_one_end_in_any_order() {
    for (needed, end) in [(1, State::Closed), (2, State::HalfOpen)] {
        model(move || {
            let (handle, mut events) = due(Probe::successes(needed).in_flight(2));
            let (one, two) = (probe(&handle), probe(&handle));
            both(|| one.success(), || drop(two));
            let now = handle.snapshot();
            assert_eq!((now.state, now.probes), (end, 0));
            transitions(&mut events, &now);
            adds_up(&now.totals, 2, 0);
            assert_eq!((now.totals.success, now.totals.cancelled + now.totals.late), (1, 1));
            if needed == 2 {
                probe(&handle).success();
                assert_eq!(handle.state(), State::Closed);
            }
        });
    }
}

#[test]
fn a_probe_that_fails_while_another_succeeds_decides_once() {
    model(|| {
        let (handle, mut events) = due(Probe::successes(1).in_flight(2));
        let (one, two) = (probe(&handle), probe(&handle));
        both(|| one.success(), || two.failure());
        let now = handle.snapshot();
        let transitions = transitions(&mut events, &now);
        assert_eq!(transitions.len(), 3);
        let totals = now.totals;
        match now.state {
            State::Closed => assert_eq!((totals.success, totals.late), (1, 1)),
            state => {
                assert_eq!((state, now.cause), (State::Open, Cause::ProbeFailed));
                assert_eq!((totals.failure, totals.late), (1, 1));
            }
        }
        adds_up(&totals, 2, 0);
    });
}

#[test]
fn a_probe_ends_while_an_operator_acts() {
    type Verb = fn(&BreakerHandle);
    let verbs: [(Verb, State); 4] = [
        (BreakerHandle::reset, State::Closed),
        (|handle| handle.force_open(None), State::ForcedOpen),
        (BreakerHandle::disable, State::Disabled),
        (|handle| handle.hold_for(9 * S), State::Open),
    ];
    for (verb, end) in verbs {
        model(move || {
            let (handle, mut events) = due(Probe::successes(1));
            let permit = probe(&handle);
            both(|| drop(permit), with(&handle, verb));
            let now = handle.snapshot();
            assert_eq!((now.state, now.probes, now.in_flight.unwrap_or(0)), (end, 0, 0));
            transitions(&mut events, &now);
            adds_up(&now.totals, 1, 0);
        });
    }
}

#[test]
fn a_lease_that_ends_while_its_probe_does_decides_once() {
    model(|| {
        let (handle, mut events) = due(Probe::successes(1).lease(10 * S));
        let permit = probe(&handle);
        let ends = || {
            clock::set(9_999);
            permit.success();
        };
        let asks = with(&handle, |handle| {
            clock::set(10_000);
            handle.try_acquire().map(|permit| permit.success()).is_ok()
        });
        let ((), admitted) = both(ends, asks);
        clock::set(10_000);
        let now = handle.snapshot();
        let transitions = transitions(&mut events, &now);
        assert_eq!((transitions.len(), now.probes), (3, 0));
        if admitted {
            assert_eq!(
                (now.state, now.cause, now.totals.success),
                (State::Closed, Cause::Recovered, 2)
            );
        } else {
            assert_eq!((now.state, now.cause), (State::Open, Cause::LeaseExpired));
            assert_eq!((now.totals.success, now.totals.late), (0, 1));
        }
        adds_up(&now.totals, 1 + u64::from(admitted), u64::from(!admitted));
    });
}

#[test]
fn a_probe_that_fails_after_its_lease_has_failed_once() {
    model(|| {
        let (handle, mut events) = due(Probe::sample(2, 1.0).in_flight(2).lease(10 * S));
        let permit = probe(&handle);
        let ends = || {
            clock::set(9_999);
            permit.failure();
        };
        let asks = with(&handle, |handle| {
            clock::set(10_000);
            probe(handle).success();
        });
        both(ends, asks);
        let now = handle.snapshot();
        assert_eq!(transitions(&mut events, &now).len(), 3);
        assert_eq!((now.state, now.cause), (State::Closed, Cause::Recovered));
        assert_eq!((now.totals.success, now.totals.failure + now.totals.late), (1, 1));
    });
}

#[test]
fn new_settings_ask_for_fewer_probes_while_one_ends() {
    model(|| {
        let (handle, mut events) = due(Probe::successes(2).in_flight(2));
        let (one, two) = (probe(&handle), probe(&handle));
        let fewer = settings(Trip::none().consecutive(1)).probe(Probe::successes(1));
        let fewer = fewer.track_in_flight(true).build().expect("valid settings");
        both(|| one.success(), with(&handle, |handle| handle.reconfigure(fewer)));
        drop(two);
        let now = handle.snapshot();
        assert_eq!(now.probes, 0);
        transitions(&mut events, &now);
        if now.state == State::HalfOpen {
            probe(&handle).success();
        }
        assert_eq!(handle.state(), State::Closed);
    });
}

#[test]
fn a_ramp_ends_by_time_or_by_a_failure() {
    model(|| {
        let handle = handle(
            settings(Trip::none().consecutive(1))
                .ramp(Ramp::new([100], 10 * S))
                .track_in_flight(true),
        );
        let mut events = handle.events();
        handle.hold_for(Duration::ZERO);
        probe(&handle).success();
        let permit = handle.try_acquire().expect("all pass");
        let fails = || permit.settle(Outcome::failure());
        let asks = with(&handle, |handle| {
            clock::set(10_000);
            handle.try_acquire().map(|permit| permit.success()).is_ok()
        });
        let ((), admitted) = both(fails, asks);
        let now = handle.snapshot();
        let transitions = transitions(&mut events, &now);
        assert!(admitted, "the ramp is over, or the cooldown after it");
        match now.state {
            State::Closed => assert_eq!(transitions.len(), 3),
            // Tripped in the ramp; the next probe has gone, and another ramp has begun.
            state => {
                assert_eq!((state, transitions.len(), now.totals.failure), (State::HalfOpen, 4, 1))
            }
        }
        assert_eq!(now.totals.failure + now.totals.late, 1);
        adds_up(&now.totals, 3, 0);
    });
}
