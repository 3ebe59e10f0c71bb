use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::machine::{Callbacks, Settings};
use crate::trip::Trip;

const S: fn(u64) -> Duration = Duration::from_secs;

fn machine(trip: Trip) -> (Machine, Instant) {
    let start = Instant::now();
    let settings = Settings::builder().trip(trip).build().expect("valid");
    (Machine::new(Arc::from("due"), settings, Callbacks::default(), start, 1), start)
}

#[test]
fn only_while_a_call_is_pending_is_the_overdue_rule_asked_in_every_part_of_its_time() {
    let (machine, start) = machine(Trip::none().overdue(1, S(10)));
    let deadline = |now| machine.deadline(start + now).map(|at| at - start);
    assert_eq!(deadline(Duration::from_millis(500)), Some(S(10)));
    assert_eq!(deadline(S(3)), Some(S(13)));
    let (admission, _) = machine.admit(|| start + S(3));
    assert!(admission.granted().is_some());
    assert_eq!(deadline(S(3)), Some(S(4)));
}

#[test]
fn time_alone_changes_nothing_where_no_rule_waits_for_it() {
    let (machine, start) = machine(Trip::none().consecutive(1));
    assert_eq!(machine.deadline(start), None);
}
