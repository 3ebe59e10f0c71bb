//! Random plans of calls.

use std::time::Duration;

use tower_breaker::Outcome;

use crate::inner::{Ending, Plan};
use crate::polls::Polls;
use crate::random::Random;

/// A call that may take some time. One call in `long` calls sleeps.
pub(crate) fn any(random: &mut Random, long: u64) -> Plan {
    let yields = if random.one_in(2) { 0 } else { random.below(4) };
    let sleep = random.one_in(long).then(|| Duration::from_micros(200 * (1 + random.below(80))));
    Plan { yields, sleep, ending: ending(random) }
}

/// A call that ends at once.
pub(crate) fn at_once(random: &mut Random) -> Plan {
    Plan { yields: 0, sleep: None, ending: ending(random) }
}

/// The number of polls by the caller of a plan. If the call hangs, the caller polls as long as something wakes it.
pub(crate) fn polls(random: &mut Random, plan: &Plan) -> Polls {
    let hangs = matches!(plan.ending, Ending::Hangs);
    match random.below(32) {
        0 => Polls::None,
        1 => Polls::OneAndPanic,
        2..=3 => Polls::Some(1 + random.below(plan.yields + 1)),
        _ if hangs => Polls::Some(plan.yields + 1),
        _ => Polls::All,
    }
}

fn ending(random: &mut Random) -> Ending {
    match random.below(64) {
        0..=35 => Ending::Answers(Outcome::success()),
        36..=39 => Ending::Fails,
        40..=44 => Ending::Answers(Outcome::failure().weight(random.below(120) as u8)),
        45..=46 => {
            Ending::Answers(Outcome::failure().reason("busy").maybe_retry_after(wait(random)))
        }
        47..=49 => Ending::Answers(Outcome::throttled().code(429).maybe_retry_after(wait(random))),
        // Without a wait the default hold is ten minutes.
        50..=51 => Ending::Answers(Outcome::exhausted().retry_after(short(random))),
        52..=54 => Ending::Answers(Outcome::ignored()),
        55..=56 => Ending::Answers(Outcome::ignored().retry_after(short(random))),
        57 => Ending::PanicsInCall,
        58 => Ending::PanicsInPoll,
        59 => Ending::ConfusesTheClassifier,
        _ => Ending::Hangs,
    }
}

fn wait(random: &mut Random) -> Option<Duration> {
    (!random.one_in(3)).then(|| short(random))
}

/// A wait that is shorter than the default `min_hold`, so that it opens no circuit by default.
fn short(random: &mut Random) -> Duration {
    Duration::from_micros(random.below(6_000))
}
