//! `instr SUBJECT SCENARIO CONFIG CALLS` makes `CALLS` calls and nothing else, for `instructions.sh`. Without
//! arguments, it lists the possible arguments, one set per line.

use std::process::ExitCode;

use tower_breaker_benches::cases;
use tower_breaker_benches::drive::Load;

const LISTED: [(&str, &str); 5] = [
    ("closed success", "consecutive"),
    ("closed success", "default"),
    ("closed failure", "consecutive"),
    ("closed failure", "default rules"),
    ("rejection", "typed error"),
];

fn load(subject: &str, scenario: &str, config: &str) -> Option<Load> {
    if subject == "bare" {
        return Some(cases::bare());
    }
    let mut all = cases::all().into_iter();
    let case = all.find(|case| case.scenario == scenario && case.config == config)?;
    match subject {
        "floor" => Some((case.floor)()),
        "tower-breaker" => Some((case.ours)()),
        _ => None,
    }
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            println!("bare|success|");
            for (scenario, config) in LISTED {
                println!("floor|{scenario}|{config}\ntower-breaker|{scenario}|{config}");
            }
            ExitCode::SUCCESS
        }
        [subject, scenario, config, calls] => {
            match (load(subject, scenario, config), calls.parse()) {
                (Some(mut load), Ok(calls)) => {
                    load.run(calls);
                    ExitCode::SUCCESS
                }
                _ => ExitCode::from(2),
            }
        }
        _ => ExitCode::from(2),
    }
}
