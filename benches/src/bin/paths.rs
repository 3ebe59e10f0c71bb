//! `cargo run --release --manifest-path benches/Cargo.toml --bin paths -- [--json] [--quick] [--runs N]` measures every
//! path. `--gate` fails if the median of five runs exceeds a budget. `--gate-allocations` checks only the allocations,
//! which do not depend on the load of the machine.

use std::process::ExitCode;
use std::task::{Context, Poll, Waker};

use tower_breaker_benches::allocator::Counts;
use tower_breaker_benches::cases::{self, Budget, Case};
use tower_breaker_benches::drive::{Load, drive};
use tower_breaker_benches::inner::{Inner, number};
use tower_breaker_benches::measure::{allocations, alternating, filled, two_threads};
use tower_breaker_benches::ours;
use tower_breaker_benches::report::{Row, json, markdown};
use tower_layer::Layer;
use tower_service::Service;

const USAGE: &str = "paths [--json] [--quick] [--runs N] [--gate | --gate-allocations]";

#[derive(Clone, Copy)]
struct Options {
    json: bool,
    gate: bool,
    /// The samples per path and run. 0 counts allocations only.
    samples: usize,
    runs: usize,
}

fn options() -> Result<Options, String> {
    let mut options = Options { json: false, gate: false, samples: 31, runs: 1 };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => options.json = true,
            "--quick" => options.samples = 9,
            "--gate" => (options.gate, options.runs) = (true, 5),
            "--gate-allocations" => (options.gate, options.samples) = (true, 0),
            "--runs" => {
                let runs = arguments.next().and_then(|runs| runs.parse().ok());
                options.runs = runs.filter(|runs| *runs > 0).ok_or(USAGE)?;
            }
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::from(2);
        }
    };
    let runs: Vec<_> = (0..options.runs).map(|_| run(options.samples)).collect();
    let rows = Row::medians(&runs);
    println!("{}", if options.json { json(&rows) } else { markdown(&rows) });
    let messages: Vec<_> = rows.iter().filter_map(Row::over_budget).collect();
    if !options.gate || messages.is_empty() {
        return ExitCode::SUCCESS;
    }
    messages.iter().for_each(|message| eprintln!("over budget: {message}"));
    ExitCode::FAILURE
}

fn run(samples: usize) -> Vec<Row> {
    let mut rows = vec![bare(samples)];
    for case in cases::all() {
        rows.extend(pair(case, samples));
    }
    if samples > 0 {
        rows.extend(cases::all().into_iter().filter(|case| case.threads).flat_map(|case| {
            [("floor", case.floor), ("tower-breaker", case.ours)]
                .map(|(krate, load)| threads(krate, case, load, samples))
        }));
        rows.extend(window("closed success", ours::success_default, samples));
        rows.extend(window("closed failure", ours::failure_default, samples));
    }
    rows.extend(sizes());
    rows
}

fn bare(samples: usize) -> Row {
    let mut load = cases::bare();
    let (allocs, bytes) = allocations(&mut load);
    Row {
        ns_1t: (samples > 0).then(|| alternating(&mut [&mut load], samples)[0]),
        allocs: Some(allocs),
        bytes: Some(bytes),
        ..Row::new("bare", "", "success")
    }
}

/// Measures the floor and the crate, and returns a row for each.
fn pair(case: Case, samples: usize) -> [Row; 2] {
    let (mut floor, mut ours) = ((case.floor)(), (case.ours)());
    let counted = [allocations(&mut floor), allocations(&mut ours)];
    let ns = (samples > 0).then(|| alternating(&mut [&mut floor, &mut ours], samples));
    let row = |at: usize, krate| Row {
        ns_1t: ns.as_ref().map(|ns| ns[at]),
        allocs: Some(counted[at].0),
        bytes: Some(counted[at].1),
        ..Row::new(krate, case.config, case.scenario)
    };
    let ours = Row {
        floor_ns: ns.as_ref().map(|ns| ns[0]),
        floor_allocs: Some(counted[0].0),
        budget: case.budget,
        allocations: Some(case.allocations),
        ..row(1, "tower-breaker")
    };
    [row(0, "floor"), ours]
}

/// Compares two threads on one breaker with one thread.
fn threads(krate: &'static str, case: Case, load: fn() -> Load, samples: usize) -> Row {
    let (alone, together) = two_threads(&mut load(), samples);
    Row {
        ns_1t: Some(alone),
        ns_2t: together,
        floor_ns: Some(alone),
        budget: if krate == "floor" { Budget::Shown } else { Budget::Ratio(2.0) },
        ..Row::new(krate, case.config, format!("{}, 2 threads", case.scenario))
    }
}

/// Measures the cost as the window fills. The row with the fewest calls is the floor of all.
fn window(scenario: &str, load: fn() -> Load, samples: usize) -> Vec<Row> {
    // A full window takes long to fill. A nearly empty one is timed too briefly for the clock, and needs more samples.
    let fills = [(100, samples * 30), (10_000, samples * 10), (1_000_000, samples)];
    let ns = fills.map(|(calls, samples)| filled(load, calls, samples));
    fills
        .iter()
        .zip(ns)
        .map(|((calls, _), each)| Row {
            ns_1t: Some(each),
            floor_ns: Some(ns[0]),
            budget: Budget::Ratio(1.0),
            ..Row::new("tower-breaker", format!("default rules, {calls} in the window"), scenario)
        })
        .collect()
}

fn sizes() -> Vec<Row> {
    let heap = |since: Counts| Counts::now().since(since).live as usize;
    // Allocate before the measurement what is allocated once per process or thread.
    drop(drive(&mut ours::default_service(), number()));
    let start = Counts::now();
    let layer = ours::default();
    let mut service = layer.layer(Inner::Works);
    let breaker = heap(start);
    drop(drive(&mut service, number()));
    let stripe = heap(start) - breaker;
    // A clone may allocate its own counted reference from its second call on.
    let mut clone = service.clone();
    drop(drive(&mut clone, number()));
    drop(drive(&mut clone, number()));
    let cloned = heap(start) - breaker - stripe;
    let before = heap(start);
    for _ in 0..1_000_000 {
        drop(drive(&mut clone, number()));
    }
    let grown = heap(start) - before;
    let future = future_size(&mut service);
    let inner = future_size(&mut Inner::Works);
    let size = |what: &str, bytes: usize, max: usize| Row {
        bytes: Some(bytes as f64),
        max_bytes: Some(max as f64),
        ..Row::new("tower-breaker", "default", what)
    };
    // A breaker allocates two cache lines for each thread that may count. The number is fixed when it is created.
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let lines = 128 * (2 * cores).clamp(4, 64);
    vec![
        size("size of a service", size_of_val(&service), 48),
        size("size of its future, beyond the inner's", future - inner, 48),
        size("size of a permit", size_of::<tower_breaker::Permit>(), 32),
        size("heap of a layer with its breaker", breaker, 2_304 + lines),
        size("heap of a stripe: a thread's first call", stripe, 2_048 - 128),
        size("heap of a clone that makes calls", cloned, 128),
        size("heap that a million calls add", grown, 0),
    ]
}

fn future_size<S: Service<u64>>(service: &mut S) -> usize {
    let ready = service.poll_ready(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(ready, Poll::Ready(Ok(()))), "the service is ready");
    size_of_val(&service.call(number()))
}
