//! Cases from the test suites of other breakers, replayed step by step through the public API in virtual time.
//!
//! Every case of `data/behaviours.json` that our configuration can express is run. If a case differs from our
//! behaviour because of a knob, the table of opposites has the step, our behaviour and the knob. The test fails if a
//! difference is not in the table, and if a difference in the table does not occur. `cargo test --test it conformance
//! -- --nocapture` prints the cases that were run.

mod case;
mod knobs;
mod seen;
mod setup;
mod table;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use case::{Case, Step};
use table::{AFTERWARDS, LEFT_OUT, MOST_LEFT_OUT, OPPOSITES, Opposite, REASONS};
use world::World;

fn is_left_out(case: &Case) -> bool {
    LEFT_OUT.iter().any(|(id, _)| *id == case.id)
}

/// Returns the values that our breaker must have at a step: those of the case, except for those in the table.
fn expected(
    case: &Case,
    at: usize,
    step: &Step,
    wrong: &mut Vec<String>,
) -> BTreeMap<String, String> {
    let theirs = step.expected();
    let mut ours = theirs.clone();
    for opposite in OPPOSITES.iter().filter(|row| row.case == case.id && row.step == at) {
        for (field, value) in opposite.ours {
            match theirs.get(*field) {
                None => {
                    wrong.push(format!("{} step {at}: the case does not expect {field}", case.id))
                }
                Some(same) if same == value => {
                    wrong.push(format!("{} step {at}: {field} does not differ", case.id));
                }
                Some(_) => {
                    ours.insert((*field).into(), (*value).into());
                }
            }
        }
    }
    ours
}

async fn replay(case: &Case) -> Vec<String> {
    let (knobs, steps) = (case.config(), case.steps());
    let afterwards: Vec<Step> = AFTERWARDS
        .iter()
        .filter(|(id, _)| *id == case.id)
        .flat_map(|(id, steps)| {
            serde_json::from_str::<Vec<Step>>(steps).unwrap_or_else(|error| panic!("{id}: {error}"))
        })
        .collect();
    let mut world = World::new(&knobs, &steps);
    let mut wrong = Vec::new();
    for (at, step) in steps.iter().chain(&afterwards).enumerate() {
        let expected = expected(case, at, step, &mut wrong);
        let shown = world.step(step, expected.keys()).await;
        for (field, expected) in expected {
            if shown[&field] != expected {
                let (id, shown) = (&case.id, &shown[&field]);
                wrong.push(format!("{id} step {at}: {field} is {shown}, not {expected}"));
            }
        }
    }
    wrong
}

#[tokio::test(start_paused = true)]
async fn every_case_is_replayed() {
    let cases = Case::all();
    let mut wrong = Vec::new();
    let mut run = 0;
    let mut opposites = BTreeSet::new();
    for case in cases.iter().filter(|case| !is_left_out(case)) {
        wrong.append(&mut replay(case).await);
        run += 1;
        opposites.extend(OPPOSITES.iter().map(|row| row.case).filter(|id| *id == case.id));
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));

    println!(
        "{run} run, of which {} with documented opposites, {} inexpressible",
        opposites.len(),
        LEFT_OUT.len()
    );
    for Opposite { case, step, knob, ours } in OPPOSITES {
        println!("  opposite: {case} step {step} ({knob:?}): {ours:?}");
    }
    for (id, reason) in LEFT_OUT {
        println!("  inexpressible: {id}: {reason}");
    }
    assert_eq!(run + LEFT_OUT.len(), cases.len());
}

#[test]
fn only_a_few_cases_are_left_out_and_each_for_a_reason() {
    let cases = Case::all();
    assert!(LEFT_OUT.len() <= MOST_LEFT_OUT);
    let ids: BTreeSet<_> = LEFT_OUT.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids.len(), LEFT_OUT.len(), "a case is left out twice");
    for (id, reason) in LEFT_OUT {
        assert!(cases.iter().any(|case| case.id == *id), "no case {id}");
        assert!(REASONS.contains(reason), "{id}: {reason} is not a valid reason");
    }
}

#[test]
fn every_opposite_has_its_knob_in_the_case() {
    let cases = Case::all();
    for Opposite { case: id, step, knob, .. } in OPPOSITES {
        let case = cases.iter().find(|case| case.id == *id);
        let case = case.unwrap_or_else(|| panic!("no case {id}"));
        assert!(!is_left_out(case), "{id} is not run");
        assert!(*step < case.steps().len(), "{id} has no step {step}");
        assert!(knob.is_in(case, &case.config()), "{id} does not have {knob:?}");
    }
    for (id, _) in AFTERWARDS {
        assert!(cases.iter().any(|case| case.id == *id && !is_left_out(case)), "{id} is not run");
    }
}

#[test]
fn known_misbehaviour_is_not_copied() {
    for case in Case::all() {
        let warned = case.notes.contains("ANTI-BEHAVIOUR") || case.notes.contains("REQUIRED");
        let inverted = OPPOSITES.iter().any(|row| row.case == case.id);
        assert!(!warned || inverted, "{} has no opposite", case.id);
    }
}
