use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::machine::{Admission, Callbacks, Verb, WouldReject};
use crate::settings::Settings;
use crate::state::State;
use crate::trip::Trip;

/// A clock that counts how often it is read.
#[derive(Debug, Default, PartialEq)]
struct Read {
    recent: Cell<u32>,
    exact: Cell<u32>,
}

impl Clock for Read {
    fn exact(&self) -> Nanos {
        self.exact.set(self.exact.get() + 1);
        Nanos::ZERO
    }

    fn recent(&self) -> Nanos {
        self.recent.set(self.recent.get() + 1);
        Nanos::ZERO
    }

    fn behind(&self) -> Nanos {
        Nanos::ZERO
    }
}

struct At {
    recent: u64,
    exact: u64,
}

const BEHIND: u64 = 100;

impl Clock for At {
    fn exact(&self) -> Nanos {
        Nanos::from_u64(self.exact)
    }

    fn recent(&self) -> Nanos {
        Nanos::from_u64(self.recent)
    }

    fn behind(&self) -> Nanos {
        Nanos::from_u64(BEHIND)
    }
}

fn machine(settings: Settings) -> (Machine, Instant) {
    let start = Instant::now();
    (Machine::new(Arc::from("clock"), settings, Callbacks::default(), start, 1), start)
}

#[test]
fn no_clock_is_read_if_no_rule_needs_it() {
    let settings = Settings::builder().trip(Trip::none().consecutive(5)).build().expect("valid");
    let (machine, _) = machine(settings);
    let clock = || -> Instant { unreachable!("no rule needs the time") };
    let read = Read::default();
    let success = machine.admit_freely(&read).expect("closed");
    assert!(machine.settle_success(&success, &read));
    let failure = machine.admit_freely(&read).expect("closed");
    assert!(machine.settle_failure(&failure, &Outcome::failure()));
    let (Admission::Admitted(ignored), _) = machine.admit(clock) else { unreachable!("closed") };
    drop(machine.settle(ignored, Outcome::ignored(), clock));
    assert_eq!(machine.state(clock), State::Closed);
    assert_eq!(read, Read::default());
}

#[test]
fn a_time_window_reads_the_clock_once_per_settled_call() {
    let (machine, start) = machine(Settings::default());
    let read = Read::default();
    let success = machine.admit_freely(&read).expect("closed");
    let failure = machine.admit_freely(&read).expect("closed");
    assert_eq!(read, Read::default());
    assert!(machine.settle_success(&success, &read));
    assert_eq!(read, Read { recent: Cell::new(1), exact: Cell::new(0) });
    let settled = machine.settle(failure, Outcome::failure(), || {
        read.exact();
        start
    });
    assert!(settled.transitions.is_empty());
    assert_eq!(read, Read { recent: Cell::new(1), exact: Cell::new(1) });
}

#[test]
fn a_cancelled_call_reads_the_clock_only_if_its_duration_can_make_it_a_failure() {
    let settings = Settings::builder().trip(Trip::none().overdue(9, Duration::from_secs(1)));
    let settle = |settings: Settings| {
        let (machine, start) = machine(settings);
        let permit = machine.admit(|| start).0.permit().expect("closed");
        let read = Cell::new(0);
        drop(machine.settle(permit, Outcome::cancelled(), || {
            read.set(read.get() + 1);
            start
        }));
        read.get()
    };
    assert_eq!(settle(settings.clone().build().expect("valid")), 0);
    let failure = settings.cancelled_after(Duration::from_secs(9));
    assert_eq!(settle(failure.build().expect("valid")), 1);
}

#[test]
fn a_call_that_may_be_slow_starts_at_the_exact_time_and_one_that_may_hang_at_the_coarse_time() {
    let trip = Trip::none().slow(Duration::from_millis(5), 0.5, 1);
    let settings = Settings::builder().trip(trip).build().expect("valid");
    let read = Read::default();
    machine(settings).0.admit_freely(&read).expect("closed");
    assert_eq!(read, Read { recent: Cell::new(0), exact: Cell::new(1) });

    let settings = Settings::builder().cancelled_after(Duration::from_secs(1)).build();
    machine(settings.expect("valid")).0.admit_freely(&read).expect("closed");
    assert_eq!(read, Read { recent: Cell::new(1), exact: Cell::new(1) });
}

#[test]
fn a_circuit_is_open_until_the_exact_time_and_no_longer() {
    let (machine, start) = machine(Settings::default());
    drop(machine.manual(Verb::HoldFor(Duration::from_secs(5)), start));
    let (open, ends) = (5_000_000_000, WouldReject::NeedsLock);
    let would_reject = |recent, exact| machine.would_reject(&At { recent, exact });
    assert_eq!(would_reject(0, 0), WouldReject::For(Nanos::from_u64(open)));
    // The time is not before the opening of the circuit, even if the coarse clock is.
    let later = start + Duration::from_secs(10);
    drop(machine.manual(Verb::HoldFor(Duration::from_secs(5)), later));
    assert_eq!(would_reject(0, 0), WouldReject::For(Nanos::from_u64(open)));
    let open = 3 * open;
    // Far from the end, the coarse time is enough.
    assert_eq!(would_reject(open - 1_000, u64::MAX), WouldReject::For(Nanos::from_u64(1_000)));
    // Near it, the exact time decides.
    assert_eq!(would_reject(open - BEHIND, open - 1), WouldReject::For(Nanos::from_u64(1)));
    assert_eq!(would_reject(open - BEHIND, open), ends);
    assert_eq!(would_reject(open, open), ends);
}

#[test]
fn a_wait_that_comes_while_the_circuit_opens_lengthens_the_open_period() {
    let settings = Settings::builder().hold_jitter(0.0).build().expect("valid settings");
    let (machine, start) = machine(settings);
    let asked = Outcome::throttled().retry_after(Duration::from_secs(40));
    let (Admission::Admitted(permit), _) = machine.admit(|| start) else {
        unreachable!("it is closed")
    };
    let settled = machine.settle(permit, asked, || {
        // Another thread opens the circuit first.
        let opened = machine.manual(Verb::HoldFor(Duration::from_secs(5)), start);
        assert!(!opened.is_empty());
        start
    });
    assert!(settled.transitions.is_empty());
    let snapshot = machine.snapshot(start);
    assert_eq!(snapshot.state, State::Open);
    assert_eq!(snapshot.until, Some(start + Duration::from_secs(40)));
}
