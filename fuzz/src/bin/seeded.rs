//! Runs the fuzz targets on stable for a limited time, on random mutations of the committed seeds.
//!
//! ```sh
//! cargo run --release --bin seeded -- [--seconds N] [--seed S] [--input FILE] [TARGET...]
//! ```
//!
//! Exits with 1 if a target panics, and prints the input. `--input` runs that input again.

use std::any::Any;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs, io};

use tower_breaker_fuzz::mutate::{Random, mutate};
use tower_breaker_fuzz::{TARGETS, Target};

const USAGE: &str = "usage: seeded [--seconds N] [--seed S] [--input FILE] [TARGET...]";

/// The number of accepted inputs that are kept in addition to the seeds.
const KEPT: usize = 512;

struct Arguments {
    time: Duration,
    seed: u64,
    input: Option<PathBuf>,
    targets: Vec<Target>,
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments =
        Arguments { time: Duration::from_secs(20), seed: 1, input: None, targets: Vec::new() };
    while let Some(argument) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{argument} needs a value"));
        let number =
            |value: String| value.parse::<u64>().map_err(|error| format!("{value:?}: {error}"));
        match argument.as_str() {
            "--seconds" => arguments.time = Duration::from_secs(number(value()?)?),
            "--seed" => arguments.seed = number(value()?)?,
            "--input" => arguments.input = Some(value()?.into()),
            name => {
                let known = TARGETS.iter().find(|target| target.name == name);
                arguments.targets.push(*known.ok_or_else(|| format!("unknown target {name:?}"))?);
            }
        }
    }
    if arguments.targets.is_empty() {
        arguments.targets.extend(TARGETS);
    }
    Ok(arguments)
}

fn seeds(target: &Target) -> io::Result<Vec<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target.name);
    let mut files: Vec<_> =
        fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect::<io::Result<_>>()?;
    // The order of a directory is unspecified.
    files.sort();
    files.into_iter().map(fs::read).collect()
}

fn run(target: &Target, data: &[u8]) -> Result<bool, Box<dyn Any + Send>> {
    catch_unwind(|| (target.run)(data))
}

/// Runs a target for `time`. Returns a summary, or the input on which the target panicked.
fn fuzz(target: &Target, time: Duration, seed: u64) -> io::Result<Result<String, Vec<u8>>> {
    let seeds = seeds(target)?;
    let mut kept: Vec<Vec<u8>> = Vec::new();
    let mut random = Random::new(seed);
    let (mut runs, mut accepted) = (0_u64, 0_u64);
    for data in &seeds {
        if run(target, data).is_err() {
            return Ok(Err(data.clone()));
        }
    }
    let start = Instant::now();
    while start.elapsed() < time {
        let any = |random: &mut Random| {
            let at = random.below(seeds.len() + kept.len());
            seeds.get(at).or_else(|| kept.get(at - seeds.len())).cloned().unwrap_or_default()
        };
        let (mut data, other) = (any(&mut random), any(&mut random));
        mutate(&mut data, &other, target.words, &mut random);
        runs += 1;
        match run(target, &data) {
            Ok(true) if kept.len() < KEPT => kept.push(data),
            Ok(true) => {
                let at = random.below(KEPT);
                kept[at] = data;
            }
            Ok(false) => continue,
            Err(_) => return Ok(Err(data)),
        }
        accepted += 1;
    }
    Ok(Ok(format!("{runs} runs from {} seeds, {accepted} accepted", seeds.len())))
}

/// Saves the input on which a target panicked.
fn save(target: &Target, data: &[u8]) -> io::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("artifacts").join(target.name);
    fs::create_dir_all(&folder)?;
    let file = folder.join("seeded");
    fs::write(&file, data)?;
    Ok(file)
}

fn all(Arguments { time, seed, input, targets }: Arguments) -> io::Result<bool> {
    let mut found = false;
    let each = time / targets.len() as u32;
    for target in targets {
        let name = target.name;
        if let Some(file) = &input {
            found |= run(&target, &fs::read(file)?).is_err();
            continue;
        }
        match fuzz(&target, each, seed)? {
            Ok(summary) => println!("{name}: {summary}"),
            Err(data) => {
                found = true;
                let file = save(&target, &data)?;
                eprintln!("{name} panics on {:?}", String::from_utf8_lossy(&data));
                eprintln!(
                    "run it again: cargo run --release --bin seeded -- --input {} {name}",
                    file.display()
                );
            }
        }
    }
    Ok(found)
}

fn main() -> ExitCode {
    let arguments = match arguments(env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("{message}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    println!("seeded: {} s, --seed {}", arguments.time.as_secs(), arguments.seed);
    match all(arguments) {
        Ok(false) => ExitCode::SUCCESS,
        Ok(true) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
