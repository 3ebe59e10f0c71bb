//! The configuration of the reference, as settings of the machine.

use super::reference::{Config, DecideBy, Shape, Throttled};
use crate::backoff::Backoff;
use crate::probe::{Probe, Ramp};
use crate::settings::{Exhausted, Settings};
use crate::trip::Trip;
use crate::window::Window;

pub(super) fn cooldown(config: &Config) -> Backoff {
    let plain = config.cooldown;
    Backoff::exponential(plain.initial, plain.max)
        .multiplier(plain.multiplier.into())
        .jitter(plain.jitter)
}

fn share(per_million: u64) -> f64 {
    per_million as f64 / 1e6
}

pub(super) fn settings(config: &Config) -> Settings {
    let mut trip = Trip::none();
    if let Some((failures, over)) = config.consecutive {
        trip = trip.consecutive(failures).consecutive_over(over);
    }
    if let Some((calls, after)) = config.overdue {
        trip = trip.overdue(calls, after);
    }
    if let Some((per_million, min)) = config.failure_rate {
        trip = trip.failure_rate(share(per_million), min);
    }
    if let Some(failures) = config.failures {
        trip = trip.failures(failures);
    }
    if let Some(rule) = config.slow {
        trip = trip.slow(rule.after, share(rule.per_million), rule.min_calls);
    }
    let window = match config.window {
        Shape::Time { period, buckets } => Window::Time { period, buckets },
        Shape::Count(calls) => Window::Count { calls },
    };
    let probe = match config.decide_by {
        DecideBy::Successes(successes) => Probe::successes(successes),
        DecideBy::Sample { calls, per_million } => Probe::sample(calls, share(per_million)),
    };
    let throttled = match config.throttled {
        Throttled::Hold => crate::settings::Throttled::hold(),
        Throttled::CountAsFailure => crate::settings::Throttled::count_as_failure(),
        Throttled::Ignore => crate::settings::Throttled::ignore(),
    };
    let throttled = throttled.max_hold(config.max_hold);
    let throttled = config.default_hold.map_or(throttled, |hold| throttled.default_hold(hold));
    let builder = Settings::builder()
        .trip(trip)
        .window(window)
        .cooldown(cooldown(config))
        .probe(probe.in_flight(config.probes).lease(config.lease))
        .throttled(throttled)
        .exhausted(Exhausted::hold(config.exhausted_hold).max_hold(config.exhausted_max))
        .min_hold(config.min_hold)
        .hold_jitter(config.hold_jitter)
        .track_in_flight(config.track_in_flight);
    let builder = match config.stable_for {
        Some(time) => builder.stable_for(time),
        None => builder,
    };
    let builder = match &config.ramp {
        Some((steps, step)) => builder.ramp(Ramp::new(steps.iter().copied(), *step)),
        None => builder,
    };
    let builder = match config.cancelled_after {
        Some(time) => builder.cancelled_after(time),
        None => builder,
    };
    builder.build().expect("the settings of the model are valid")
}
