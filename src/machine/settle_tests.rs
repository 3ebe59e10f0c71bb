use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::machine::{Admission, Own, Settings, Verb};
use crate::state::State;
use crate::trip::Trip;

fn machine(settings: Settings) -> (Machine, Instant) {
    let start = Instant::now();
    (Machine::new(Arc::from("clock"), settings, Own::default(), start, 1), start)
}

#[test]
fn no_clock_is_read_where_no_rule_needs_it() {
    let settings = Settings::builder().trip(Trip::none().consecutive(5)).build().expect("valid");
    let (machine, _) = machine(settings);
    let clock = || -> Instant { unreachable!("no rule asks for the time") };
    let success = machine.admit_freely(clock).expect("closed");
    assert!(machine.settle_success(&success, clock));
    let failure = machine.admit_freely(clock).expect("closed");
    assert!(machine.settle_failure(&failure, &Outcome::failure()));
    let (Admission::Admitted(ignored), _) = machine.admit(clock) else { unreachable!("closed") };
    drop(machine.settle(ignored, Outcome::ignored(), clock));
    assert_eq!(machine.state(clock), State::Closed);
}

#[test]
fn a_time_window_reads_the_clock_once_per_settled_call() {
    let (machine, start) = machine(Settings::default());
    let unread = || -> Instant { unreachable!("an admission needs no time") };
    let reads = std::cell::Cell::new(0);
    let clock = || {
        reads.set(reads.get() + 1);
        start
    };
    let success = machine.admit_freely(unread).expect("closed");
    assert!(machine.settle_success(&success, clock));
    let failure = machine.admit_freely(unread).expect("closed");
    drop(machine.settle(failure, Outcome::failure(), clock));
    assert_eq!(reads.get(), 2);
}

#[test]
fn a_wait_that_comes_while_the_circuit_opens_lengthens_the_open() {
    let settings = Settings::builder().hold_jitter(0.0).build().expect("valid settings");
    let (machine, start) = machine(settings);
    let asked = Outcome::throttled().retry_after(Duration::from_secs(40));
    let (Admission::Admitted(grant), _) = machine.admit(|| start) else {
        unreachable!("it is closed")
    };
    let settled = machine.settle(grant, asked, || {
        // Somebody else is faster.
        let opened = machine.manual(Verb::HoldFor(Duration::from_secs(5)), start);
        assert!(!opened.is_empty());
        start
    });
    assert!(settled.transitions.is_empty());
    let snapshot = machine.snapshot(start);
    assert_eq!(snapshot.state, State::Open);
    assert_eq!(snapshot.until, Some(start + Duration::from_secs(40)));
}
