//! The expectations of the test suites of other breakers, replayed step by step through the public API in virtual time.
//!
//! The test runs every case of `tests/data/behaviours.json` that our configuration can express. If a case differs from our
//! behaviour, the table of opposites names the step, our behaviour, and the knob that explains the difference. The test
//! fails for a difference that is not in the table, and for an entry of the table that does not occur.
//! `cargo test --test it conformance -- --nocapture` prints the cases.

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

/// The values that our breaker must show at a step: those of the case, with those of the table in their place.
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
                None => wrong.push(format!("{} step {at}: {field} is not asked there", case.id)),
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
    assert_eq!(ids.len(), LEFT_OUT.len(), "one reason each");
    for (id, reason) in LEFT_OUT {
        assert!(cases.iter().any(|case| case.id == *id), "there is no case {id}");
        assert!(REASONS.contains(reason), "{id}: {reason} is no reason");
    }
}

#[test]
fn every_opposite_has_its_knob_in_the_case() {
    let cases = Case::all();
    for Opposite { case: id, step, knob, .. } in OPPOSITES {
        let case = cases.iter().find(|case| case.id == *id);
        let case = case.unwrap_or_else(|| panic!("there is no case {id}"));
        assert!(!is_left_out(case), "{id} is not run");
        assert!(*step < case.steps().len(), "{id} has no step {step}");
        assert!(knob.is_in(case, &case.config()), "{id} does not have {knob:?}");
    }
    for (id, _) in AFTERWARDS {
        assert!(cases.iter().any(|case| case.id == *id && !is_left_out(case)), "{id} is not run");
    }
}

#[test]
fn what_must_not_be_copied_is_inverted() {
    for case in Case::all() {
        let warned = case.notes.contains("ANTI-BEHAVIOUR") || case.notes.contains("REQUIRED");
        let inverted = OPPOSITES.iter().any(|row| row.case == case.id);
        assert!(!warned || inverted, "{} is copied", case.id);
    }
}
