//! Settings from a program. The builder returns an error that names the setting, or the settings of a breaker that
//! works.

use tower_breaker::{Backoff, Exhausted, Probe, Ramp, Settings, Throttled, Trip, Window};

use crate::breaker::exercise;
use crate::input::Input;

pub(crate) fn check(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    match settings(&mut input) {
        Some(settings) => {
            exercise(&settings, &mut input);
            true
        }
        None => false,
    }
}

/// Builds settings from the input. Returns `None` if they are invalid.
pub(crate) fn settings(input: &mut Input<'_>) -> Option<Settings> {
    let mut builder = Settings::builder().trip(trip(input)).window(window(input));
    let which = input.byte();
    let has = |bit: u8| which & (1 << bit) != 0;
    if has(0) {
        builder = builder.cooldown(match input.byte() % 2 {
            0 => Backoff::fixed(input.time()),
            _ => Backoff::exponential(input.time(), input.time())
                .multiplier(input.fraction())
                .jitter(input.fraction()),
        });
    }
    if has(1) {
        let probe = match input.byte() % 2 {
            0 => Probe::successes(input.number()),
            _ => Probe::sample(input.number(), input.fraction()),
        };
        builder = builder.probe(probe.in_flight(input.number()).lease(input.time()));
    }
    if has(2) {
        let steps = input.byte() % 110;
        builder = builder.ramp(Ramp::new(input.take(steps.into()).iter().copied(), input.time()));
    }
    if has(3) {
        let throttled = match input.byte() % 3 {
            0 => Throttled::hold(),
            1 => Throttled::count_as_failure(),
            _ => Throttled::ignore(),
        };
        let throttled = throttled.max_hold(input.time());
        builder = builder.throttled(match input.byte() % 2 {
            0 => throttled,
            _ => throttled.default_hold(input.time()),
        });
    }
    if has(4) {
        let exhausted = Exhausted::hold(input.time()).max_hold(input.time());
        builder = builder.exhausted(exhausted).min_hold(input.time());
    }
    if has(5) {
        builder = builder.hold_jitter(input.fraction()).stable_for(input.time());
    }
    if has(6) {
        builder = builder.cancelled_after(input.time());
    }
    let settings = builder.track_in_flight(has(7)).seed(1).build();
    match settings {
        Ok(settings) => Some(settings),
        Err(error) => {
            let message = error.to_string();
            assert!(
                message.contains(error.setting()),
                "{message:?} does not name {}",
                error.setting()
            );
            None
        }
    }
}

fn trip(input: &mut Input<'_>) -> Trip {
    let which = input.byte();
    let mut trip = Trip::none();
    if which & 1 != 0 {
        trip = trip.consecutive(input.number());
    }
    if which & 2 != 0 {
        trip = trip.consecutive_over(input.time());
    }
    if which & 4 != 0 {
        trip = trip.overdue(input.number(), input.time());
    }
    if which & 8 != 0 {
        trip = trip.failure_rate(input.fraction(), input.number());
    }
    if which & 16 != 0 {
        trip = trip.failures(input.number());
    }
    if which & 32 != 0 {
        trip = trip.slow(input.time(), input.fraction(), input.number());
    }
    trip
}

fn window(input: &mut Input<'_>) -> Window {
    match input.byte() % 3 {
        0 => Window::count(input.number()),
        1 => Window::time(input.time()),
        _ => Window::time(input.time()).buckets(input.number()),
    }
}
