//! A soak test: everything that can happen to a breaker, at the same time, for any length of time. At the end, the totals
//! of the breaker are compared, class by class, with the counts of the soak's service and callers.
//!
//! ```sh
//! cargo run --release --example soak                              # 10 s
//! cargo run --release --example soak -- --seconds 300 --seed 7
//! ```
//!
//! It plays rounds, each with its own breaker. In a calm round, nothing opens the circuit, and the counts of every
//! class must be equal. In a chaotic round the rules, and in some rounds operators, open and close the circuit all the
//! time. A call that ends in a later epoch is `late` there, so the sums over all classes must be equal, and no count of
//! the breaker may exceed ours. Every round ends with a check that nothing is lost: no lease, no call in flight, no
//! transition, no waiter, and no memory.
//!
//! The exit code is 1 if a claim does not hold. The claim is printed to stderr. A seed repeats the same decisions, but
//! the scheduler decides their order.

mod callers;
mod claims;
mod inner;
mod ledger;
mod listeners;
mod memory;
mod operators;
mod plans;
mod polls;
mod random;
mod recovery;
mod regime;
mod report;
mod round;
mod setups;
mod stop;

use std::env;
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::{Duration, Instant, SystemTime};

use tokio::runtime::Builder;

use crate::report::Report;
use crate::round::{KINDS, Round};
use crate::setups::SHAPES;

const USAGE: &str = "usage: soak [--seconds N] [--seed S]";

struct Arguments {
    time: Duration,
    seed: u64,
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let clock = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let mut arguments = Arguments { time: Duration::from_secs(10), seed: clock.as_nanos() as u64 };
    while let Some(argument) = given.next() {
        let mut number = || {
            let value = given.next().ok_or_else(|| format!("{argument} needs a number"))?;
            value.parse::<u64>().map_err(|error| format!("{argument} {value}: {error}"))
        };
        match argument.as_str() {
            "--seconds" => arguments.time = Duration::from_secs(number()?.max(1)),
            "--seed" => arguments.seed = number()?,
            unknown => return Err(format!("unknown argument {unknown:?}")),
        }
    }
    Ok(arguments)
}

async fn soak(Arguments { time, seed }: Arguments) -> Report {
    let mut report = Report::default();
    let start = Instant::now();
    // The numbers of kinds and shapes have no common divisor, so that each kind meets each shape if there is time.
    let rounds = (KINDS.len() * SHAPES.len()) as u32;
    let each = (time / rounds).clamp(Duration::from_millis(60), Duration::from_secs(1));
    for number in 0_u64.. {
        if start.elapsed() >= time && number >= KINDS.len() as u64 {
            break;
        }
        let kind = KINDS[number as usize % KINDS.len()];
        let shape = SHAPES[number as usize % SHAPES.len()];
        report.add(Round { number, kind, shape, seed, time: each }.play().await);
        report.remember(memory::resident(), start.elapsed() < time / 4);
    }
    report
}

fn main() -> ExitCode {
    let arguments = match arguments(env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("{message}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    println!("soak: {} s, --seed {}", arguments.time.as_secs(), arguments.seed);
    let runtime = Builder::new_multi_thread()
        .worker_threads(available_parallelism().map_or(4, usize::from).max(4))
        // Idle threads end early, so that calls move between threads.
        .thread_keep_alive(Duration::from_millis(20))
        .enable_time()
        .build()
        .expect("a runtime");
    let start = Instant::now();
    let mut report = runtime.block_on(soak(arguments));
    let took = start.elapsed();
    report.conclude(took);
    print!("{}", report.text(took));
    for claim in &report.broken.0 {
        eprintln!("does not hold: {claim}");
    }
    if report.broken.0.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
