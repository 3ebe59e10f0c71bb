use super::*;
use crate::machine::Callbacks;
use crate::trip::Trip;

const S: fn(u64) -> Duration = Duration::from_secs;

fn machine(trip: Trip) -> (Machine, Instant) {
    let start = Instant::now();
    let settings = Settings::builder().trip(trip).build().expect("valid");
    (Machine::new(Arc::from("deadline"), settings, Callbacks::default(), start, 1), start)
}

#[test]
fn the_overdue_rule_has_a_deadline_in_each_part_of_its_time_only_while_a_call_is_pending() {
    let (machine, start) = machine(Trip::none().overdue(1, S(10)));
    let deadline = |now| machine.deadline(start + now).map(|at| at - start);
    assert_eq!(deadline(Duration::from_millis(500)), Some(S(10)));
    assert_eq!(deadline(S(3)), Some(S(13)));
    let (admission, _) = machine.admit(|| start + S(3));
    assert!(admission.permit().is_some());
    assert_eq!(deadline(S(3)), Some(S(4)));
}

#[test]
fn a_closed_circuit_without_an_overdue_rule_has_no_deadline() {
    let (machine, start) = machine(Trip::none().consecutive(1));
    assert_eq!(machine.deadline(start), None);
}

#[test]
fn no_transition_of_an_operation_is_lost() {
    let transition = |epoch| Transition {
        epoch,
        ..Transition::for_test("many", State::Open, State::Open, Cause::Hold)
    };
    let mut transitions = Transitions::default();
    transitions.extend((2..5).map(transition));
    let epochs: Vec<_> = transitions.into_iter().map(|transition| transition.epoch).collect();
    assert_eq!(epochs, [2, 3, 4]);
}
