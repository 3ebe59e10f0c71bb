//! Measures cases and returns rows.

use std::time::Duration;

use tower_breaker_benches::measure::{allocations, calibrate, fill, median, two_threads};

use crate::case::Case;
use crate::options::Options;
use crate::peer::Subject;
use crate::row::Row;
use crate::runtime::{both_workers, per_call};
use crate::scenario::Scenario;
use crate::subjects;

/// The effort of a measurement.
#[derive(Clone, Copy)]
struct Effort {
    /// The samples per case.
    samples: usize,
    /// The longest time to fill one window. A peer that scans its window needs many minutes for a million calls.
    filling: Duration,
}

const FULL: Effort = Effort { samples: 51, filling: Duration::from_secs(60) };
const QUICK: Effort = Effort { samples: 9, filling: Duration::from_secs(1) };

/// Measures the selected rows. Returns them, and an error for each row that is empty because its case is wrong.
pub fn all(options: &Options) -> (Vec<Row>, Vec<String>) {
    let effort = if options.quick { QUICK } else { FULL };
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    for subject in subjects::all() {
        for scenario in subject.scenarios() {
            if options.wants([subject.krate, subject.config, &scenario.to_string()]) {
                rows.push(row(&subject, scenario, effort).unwrap_or_else(|error| {
                    errors.push(format!(
                        "{}, {}, {scenario}: {error}",
                        subject.krate, subject.config
                    ));
                    empty(&subject, scenario)
                }));
            }
        }
    }
    (rows, errors)
}

fn empty(subject: &Subject, scenario: Scenario) -> Row {
    Row {
        krate: subject.krate,
        config: subject.config.to_owned(),
        scenario: scenario.to_string(),
        ns_1t: None,
        ns_2t: None,
        allocs: None,
        bytes: None,
    }
}

fn row(subject: &Subject, scenario: Scenario, effort: Effort) -> Result<Row, String> {
    let empty = empty(subject, scenario);
    if subject.unsupported.contains(&scenario) {
        return Ok(empty);
    }
    match scenario {
        Scenario::Tokio => tokio(subject, scenario, effort, empty),
        Scenario::Window(calls) => window(subject, scenario, calls, effort, empty),
        // A probe does not stay in flight forever, so the measurement is short.
        Scenario::HalfOpenRejection => {
            calls((subject.case)(scenario)?, effort.samples.div_ceil(3), empty)
        }
        _ => calls((subject.case)(scenario)?, effort.samples, empty),
    }
}

fn calls(mut case: Case, samples: usize, row: Row) -> Result<Row, String> {
    case.check()?;
    let (allocs, bytes) = allocations(&mut case.load);
    let (alone, together) = two_threads(&mut case.load, samples);
    let two_threads = case.two_threads;
    case.finish()?;
    Ok(Row {
        ns_1t: Some(alone),
        ns_2t: together.filter(|_| two_threads),
        allocs: Some(allocs),
        bytes: Some(bytes),
        ..row
    })
}

fn tokio(subject: &Subject, scenario: Scenario, effort: Effort, row: Row) -> Result<Row, String> {
    let mut case = (subject.case)(scenario)?;
    case.check()?;
    let calls = calibrate(|calls| both_workers(&case.task, calls));
    let ns = (0..effort.samples).map(|_| per_call(&case.task, calls)).collect();
    case.finish()?;
    Ok(Row { ns_2t: Some(median(ns)), ..row })
}

fn window(
    subject: &Subject,
    scenario: Scenario,
    calls: u64,
    effort: Effort,
    row: Row,
) -> Result<Row, String> {
    // The timed calls are in the window as well. Time many only if they are few compared with the calls before.
    let (breakers, batches) = match calls {
        ..1_000 => (effort.samples * 3, 1),
        1_000..100_000 => (effort.samples.div_ceil(3), 10),
        _ => (1, effort.samples.div_ceil(3)),
    };
    let mut filled = Vec::new();
    for _ in 0..breakers {
        let mut case = (subject.case)(scenario)?;
        filled.push(fill(&mut case.load, calls, effort.filling, batches));
        case.finish()?;
    }
    let reached = filled.iter().map(|filled| filled.reached).min().unwrap_or(calls);
    let config = match reached {
        reached if reached < calls => format!("{}; only {reached} could be made", row.config),
        _ => row.config,
    };
    Ok(Row {
        ns_1t: Some(median(filled.into_iter().map(|filled| filled.ns).collect())),
        config,
        ..row
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;
    use crate::row::{json, markdown};

    /// One sample and an empty window, because these tests do not check the time.
    const MINIMAL: Effort = Effort { samples: 1, filling: Duration::ZERO };

    fn measure(chosen: impl Fn(&Subject, Scenario) -> bool) -> Vec<Row> {
        let mut rows = Vec::new();
        for subject in subjects::all() {
            for scenario in subject.scenarios().filter(|&scenario| chosen(&subject, scenario)) {
                let row = row(&subject, scenario, MINIMAL);
                let name = format!("{}, {}, {scenario}", subject.krate, subject.config);
                rows.push(row.unwrap_or_else(|error| panic!("{name}: {error}")));
            }
        }
        rows
    }

    #[test]
    fn every_case_ends_as_its_name_says() {
        let rows = measure(|_, _| true);
        let expected =
            subjects::all().iter().map(|subject| subject.scenarios().count()).sum::<usize>();
        assert_eq!(rows.len(), expected);
        for row in &rows {
            let unsupported = subjects::all().iter().any(|subject| {
                let same = subject.krate == row.krate && row.config.starts_with(subject.config);
                same && subject
                    .unsupported
                    .iter()
                    .any(|scenario| scenario.to_string() == row.scenario)
            });
            assert_eq!(row.ns_1t.is_none() && row.ns_2t.is_none(), unsupported, "{row:?}");
        }
    }

    #[test]
    fn a_call_without_a_guard_allocates_nothing_and_a_box_is_one_allocation() {
        let rows =
            measure(|subject, scenario| subject.krate == "bare" && scenario != Scenario::Tokio);
        let allocs: Vec<_> = rows.iter().map(|row| row.allocs).collect();
        assert_eq!(allocs, [0.0, 0.0, 0.0, 0.0, 1.0, 1.0].map(Some));
    }

    #[test]
    fn every_crate_has_its_scenarios() {
        let subjects = subjects::all();
        let measured = |krate: &str, scenario: Scenario| {
            let mut same = subjects.iter().filter(|subject| subject.krate.starts_with(krate));
            same.any(|subject| subject.scenarios().any(|measured| measured == scenario))
        };
        let breakers = [
            "tower-breaker",
            "floor",
            "tower-resilience-circuitbreaker",
            "seatbelt",
            "breaker",
            "failsafe",
            "recloser",
            "circuitbreaker-rs",
            "circuit_breaker",
            "ninelives",
        ];
        let windows = ["tower-breaker", "floor", "tower-resilience", "seatbelt", "failsafe"];
        let fallbacks =
            ["tower-breaker", "tower-resilience-fallback", "seatbelt", "tower-fallback"];
        for (crates, scenarios) in [
            (&["bare"][..], Scenario::BARE),
            (&breakers[..], Scenario::BREAKER),
            (&windows[..], Scenario::WINDOW),
            (&fallbacks[..], Scenario::FALLBACK),
        ] {
            for (krate, &scenario) in
                crates.iter().flat_map(|krate| scenarios.iter().map(move |at| (krate, at)))
            {
                assert!(measured(krate, scenario), "{krate}, {scenario}");
            }
        }
    }

    #[test]
    fn no_two_subjects_have_the_same_name() {
        let subjects = subjects::all();
        let names: HashSet<_> =
            subjects.iter().map(|subject| (subject.krate, subject.config)).collect();
        assert_eq!(names.len(), subjects.len());
    }

    #[test]
    fn the_output_has_the_documented_shape() {
        let rows = measure(|subject, scenario| {
            subject.krate.starts_with("failsafe") && scenario != Scenario::HalfOpenCancelled
        });
        let text: Value = serde_json::from_str(&json(&rows)).expect("JSON");
        let read = text["rows"].as_array().expect("an array");
        assert_eq!(read.len(), rows.len());
        for row in read {
            let row = row.as_object().expect("an object");
            let keys: HashSet<_> = row.keys().map(String::as_str).collect();
            let documented = ["crate", "config", "scenario", "ns_1t", "ns_2t", "allocs", "bytes"];
            assert_eq!(keys, documented.into());
            assert!(["crate", "config", "scenario"].iter().all(|key| row[*key].is_string()));
            let number = |key: &&str| row[*key].is_number() || row[*key].is_null();
            assert!(["ns_1t", "ns_2t", "allocs", "bytes"].iter().all(number));
        }
        assert!(read.iter().any(|row| row["ns_1t"].is_null()));
        assert_eq!(markdown(&rows).lines().count(), rows.len() + 2);
    }
}
